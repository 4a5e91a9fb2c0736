// Enrichment of top bins on classes of annotated elements, against chance (annotations.enrichment
// of summary.json).
#include <algorithm>
#include <cmath>
#include <map>

#include "apps/report/attribution_claims.h"
#include "apps/report/figures.h"
#include "apps/report/numerals.h"
#include "apps/report/picture.h"
#include "apps/report/window_classes.h"
#include "model/stats/profile.h"

namespace cdt {
namespace {

constexpr std::size_t kMostDrawn = 12;
constexpr std::size_t kMostUnfolded = 24;  // rows shown without unfolding
constexpr std::size_t kMostLetters = 20;   // of a class name next to the picture
constexpr const char* kTests =
    "Fisher\u2019s test is exact but treats neighbouring bins as independent, so it claims too "
    "much. p is the largest of three: Fisher\u2019s p, that of top bins shifted around their "
    "windows, and that of top bins placed on other windows; it is 1 if these contradict each "
    "other. All are two-sided, twice the smaller tail. \u00b1 is the Monte Carlo error of p, "
    "\u2264 means that no permutation was as extreme, and an exact p has neither. q is the "
    "Benjamini-Hochberg value of p over all tests.";

/// One method on one class.
struct Row {
  std::string method, name;
  ClassEnrichment numbers;
};

/// Rows sorted by q, undefined ones last.
std::vector<Row> rows_of(const AttributionSummary& summary) {
  std::vector<Row> out;
  if (!summary.annotations) return out;
  for (const ClassEnrichment& c : summary.annotations->enrichment) {
    out.push_back(
        {c.method, class_name(c.file, c.class_name, summary.annotations->files.size()), c});
  }
  std::stable_sort(out.begin(), out.end(), [](const Row& a, const Row& b) {
    return !std::isnan(a.numbers.q) && (std::isnan(b.numbers.q) || a.numbers.q < b.numbers.q);
  });
  return out;
}

/// Classes sorted by the bins they cover, largest first.
std::vector<std::string> classes_of(const std::vector<Row>& rows) {
  std::map<std::string, std::int64_t> bins;
  for (const Row& row : rows) bins[row.name] = row.numbers.bins_on_class;
  std::vector<std::string> out;
  for (const auto& [name, count] : bins) out.push_back(name);
  std::stable_sort(out.begin(), out.end(),
                   [&](const std::string& a, const std::string& b) { return bins[a] > bins[b]; });
  return out;
}

/// Name made safe for a script; if longer than `most` bytes, its beginning and end.
std::string shortened(const std::string& name, std::size_t most) {
  std::string text = plain(name);
  if (text.size() <= most) return text;
  const auto inside = [&](std::size_t at) {  // inside a UTF-8 character
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
  };
  std::size_t begin = most / 2;
  std::size_t end = text.size() - (most - 1 - begin);
  while (inside(begin)) --begin;
  while (inside(end)) ++end;
  return text.substr(0, begin) + "\u2026" + text.substr(end);
}

/// Names to show next to the picture, all different.
std::vector<std::string> row_names(const std::vector<std::string>& classes) {
  std::vector<std::string> out;
  for (const std::string& name : classes) {
    std::string row = shortened(name, kMostLetters);
    for (int n = 2; std::find(out.begin(), out.end(), row) != out.end(); ++n) {
      row = shortened(name, kMostLetters - 4) + " (" + std::to_string(n) + ")";
    }
    out.push_back(row);
  }
  return out;
}

void describe(Plot& plot, const std::vector<Row>& rows, const std::vector<std::string>& classes) {
  constexpr double kApart = 0.16;
  Rows attention;
  Rows gradient;
  Extent folds;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    for (const Row& row : rows) {
      const bool first = row.method == "attention";
      if (row.name != classes[i] || (!first && row.method != "gradient")) continue;
      const double y = -static_cast<double>(i) + (first ? kApart : -kApart);
      const Estimate& fold = row.numbers.fold;
      (first ? attention : gradient)
          .push_back({fold.value, y, fold.interval.low, fold.interval.high});
      folds.add(fold.value);
    }
  }
  plot.rows(row_names(classes)).mark(1.0).run("set tmargin 1");
  plot.sides(plot.canvas().narrow ? 0.44 : 0.23, 0.97);
  if (!folds.empty()) folds.add(0.0).add(1.5 * std::max(folds.high(), 1.0));
  plot.axis("x", folds, {.most_ticks = plot.canvas().narrow ? 4.0 : 8.0});
  plot.label("x", "times chance");
  plot.draw({plot.dots(gradient, Ink::kOrange), plot.dots(attention, Ink::kBlue)});
}

Html enrichment_table(const std::vector<Row>& rows) {
  std::vector<std::vector<Html>> cells;
  for (const Row& row : rows) {
    const ClassEnrichment& c = row.numbers;
    const auto of = [](std::int64_t part, std::int64_t all) {
      return static_cast<double>(part) / static_cast<double>(all);
    };
    const double share = of(c.bins_on_class, c.bins);
    cells.push_back({row.name, row.method, percent(of(c.top_bins_on_class, c.top_bins)),
                     percent(share), percent(c.shift.fold * share), with_interval(c.fold, 2),
                     fixed(c.odds_ratio, 2), p_value(c.fisher_p), p_value(c.p), p_value(c.q),
                     count_text(c.n)});
  }
  return table("Top bins by class",
               {"class", "method", "of top bins", "of all bins", "of shifted top bins",
                "times chance", "odds ratio", "Fisher p, two-sided", "p, two-sided", "q, two-sided",
                "n"},
               cells) +
         element("p", kTests);
}

Html finding(const Material& material, const std::vector<Row>& rows, std::size_t classes) {
  std::vector<ClassTest> tests;
  for (const Row& row : rows) {
    if (!std::isnan(row.numbers.q)) tests.push_back({row.numbers.fold, row.numbers.q});
  }
  const auto tested = static_cast<std::int64_t>(tests.size());
  const std::int64_t untested = static_cast<std::int64_t>(rows.size()) - tested;
  Html out;
  if (untested > 0) {
    out = counted(untested, "test") +
          " could not be made because the class covers none of the windows\u2019 bins or all of "
          "them. ";
  }
  if (tested == 0) return out;
  out += counted(tested, "test") + ", each of one method on one class.";
  if (can_conclude(*material.attribution)) out += enrichment_claim(tests, uses_dna(material));
  if (classes > kMostDrawn) {
    out += " Only the " + std::to_string(kMostDrawn) + " classes that cover most bins are drawn.";
  }
  return out;
}

}  // namespace

Item enrichment_figure(const Gnuplot& gnuplot, const Material& material) {
  const std::vector<Row> rows = rows_of(material.attribution->summary);
  if (rows.empty()) {
    return material.attribution->summary.annotations
               ? Omission{"No window with a peak was tested."}
               : Omission{"The attribution was given no annotations.", true};
  }
  if (all_are_top(material.data.bins)) return Omission{all_top_text(material.data.bins)};
  const std::vector<std::string> classes = classes_of(rows);
  const std::vector<std::string> drawn(
      classes.begin(),
      classes.begin() + static_cast<std::ptrdiff_t>(std::min(classes.size(), kMostDrawn)));
  const int height = 76 + 26 * static_cast<int>(drawn.size());
  Figure figure;
  figure.picture = draw_both(gnuplot, "Enrichment of top bins on classes of elements, by class",
                             {height, height}, [&](Plot& plot) { describe(plot, rows, drawn); });
  figure.legend = {{Ink::kBlue, "dot", "attention, with its 95\u202f% interval"},
                   {Ink::kOrange, "dot", "gradient"},
                   {Ink::kMuted, "dashes", "chance: the class\u2019s share of all bins"}};
  figure.reading =
      "To the right of the dashed line, more of the top bins are on elements of the class than its "
      "share of the windows would give; to the left, fewer. A dot whose interval crosses the line, "
      "or whose q is 0.05 or more, shows nothing.";
  figure.note =
      "A model looks at whatever its training made prominent, including noise, so the position of "
      "top bins is no evidence of what acts on genes. An untrained network shows enrichment too "
      "where the DNA features mark the elements, so enrichment is no sign of learning.";
  figure.of_positions = true;
  figure.finding = finding(material, rows, classes.size());
  for (const char* method : {"attention", "gradient"}) {
    figure.finding += std::string(" Top bins of ") + method + ": " +
                      n_text(defined_pairs(*material.attribution, {method})) + ".";
  }
  figure.details = enrichment_table(rows);
  figure.unfolded = rows.size() <= kMostUnfolded;
  return figure;
}

}  // namespace cdt
