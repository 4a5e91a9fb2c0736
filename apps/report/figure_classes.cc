// Whether scores are specific to the gene, in synthetic data whose genes have two classes, each
// with a site of its own in every window (gene_classes of summary.json).
#include <cmath>

#include "apps/report/attribution_claims.h"
#include "apps/report/figures.h"
#include "apps/report/numerals.h"
#include "apps/report/picture.h"

namespace cdt {
namespace {

struct MethodRow {
  ClassFinding finding;
  std::int64_t windows = 0;
  AlikenessByClass alike;
};

std::vector<MethodRow> rows_of(const Attribution& attribution) {
  std::vector<MethodRow> out;
  for (const auto& [name, method] : attribution.summary.gene_classes->methods) {
    if (!std::isfinite(method.own.both.value)) continue;
    out.push_back({read_classes(attribution, name), method.own.enhancers, method.alike});
  }
  return out;
}

void describe(Plot& plot, const std::vector<MethodRow>& rows) {
  constexpr double kApart = 0.24;
  std::vector<std::string> names;
  Rows a, both, b;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const ClassFinding& f = rows[i].finding;
    const double y = -static_cast<double>(i);
    const auto point = [](const Estimate& e, double height) -> std::vector<double> {
      return {e.value, height, e.interval.low, e.interval.high};
    };
    names.push_back(f.method);
    a.push_back(point(f.a, y + kApart));
    both.push_back(point(f.both, y));
    b.push_back(point(f.b, y - kApart));
  }
  const bool narrow = plot.canvas().narrow;
  plot.rows(names).mark(0.5).run("set tmargin 1");
  plot.sides(narrow ? 0.43 : 0.25, 0.96);
  plot.axis("x", {0.0, 1.0}, {.most_ticks = 5.0}).run("set format x '%g'");
  plot.label("x", narrow ? "AUROC" : "AUROC of the own site over the other");
  plot.draw({plot.dots(b, Ink::kOrange), plot.dots(both, Ink::kGreen), plot.dots(a, Ink::kBlue)});
}

Html class_table(const std::vector<MethodRow>& rows) {
  std::vector<std::vector<Html>> cells;
  for (const MethodRow& row : rows) {
    const ClassFinding& f = row.finding;
    cells.push_back({f.method, with_interval(f.a, 2), with_interval(f.b, 2),
                     with_interval(f.both, 2), p_value(f.p), with_interval(row.alike.same, 3),
                     with_interval(row.alike.other, 3), with_interval(row.alike.difference, 3),
                     count_text(row.windows)});
  }
  return table("Own site over the other, and correlation of windows",
               {"method", "class a", "class b", "both", "p", "r, same class", "r, other class",
                "difference", "n"},
               cells) +
         element("p",
                 "p: one-sided, if the classes are shuffled among the genes. r: correlation of the "
                 "windows of two genes of one enhancer. n: windows with a peak for genes of both "
                 "classes.");
}

}  // namespace

Item classes_figure(const Gnuplot& gnuplot, const Material& material) {
  const Attribution& attribution = *material.attribution;
  const std::optional<GeneClassScores>& classes = attribution.summary.gene_classes;
  if (!classes)
    return Omission{"The attribution was made without the classes of truth.json.", true};
  const std::vector<MethodRow> rows = rows_of(attribution);
  if (rows.empty()) {
    return Omission{"No window was explained for genes of both classes.", true};
  }
  const int height = 70 + 34 * static_cast<int>(rows.size());
  Figure figure;
  figure.picture = draw_both(gnuplot, "AUROC of the gene's own site over the other, by method",
                             {height, height}, [&](Plot& plot) { describe(plot, rows); });
  figure.legend = {{Ink::kBlue, "dot", "genes of class a, with the 95\u202f% interval"},
                   {Ink::kOrange, "dot", "genes of class b"},
                   {Ink::kGreen, "dot", "mean of the two classes"},
                   {Ink::kMuted, "dashes", "the value of random scores"}};
  figure.reading =
      "A method whose scores are specific to the gene has all three dots right of the dashed line. "
      "One that prefers the same site for every gene has the blue and the orange dot on different "
      "sides and the green one on the line.";
  figure.note =
      "AUROC is the chance that a bin of the gene\u2019s own site scores higher than a bin of the "
      "other. Means over windows that are explained for genes of both classes, of absolute scores; "
      "intervals from a bootstrap over enhancers.";
  figure.of_positions = true;
  figure.finding = counted(classes->enhancers, "window") +
                   " explained for genes of both classes: " + counted(classes->genes_a, "gene") +
                   " of class a, " + counted(classes->genes_b, "gene") + " of class b.";
  for (const MethodRow& row : rows)
    figure.finding += specific_claim(row.finding, uses_dna(material));
  figure.details = class_table(rows);
  figure.unfolded = true;
  return figure;
}

}  // namespace cdt
