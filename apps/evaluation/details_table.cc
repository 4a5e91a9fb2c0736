#include "apps/evaluation/details_table.h"

#include "apps/common/tables.h"
#include "io/format/text.h"

namespace cdt {
namespace {

/// A number and its interval, 25 columns wide.
std::string cells(const Estimate& e) {
  return number_cell(e.value, 7, 3) + "  " + interval_cell(e.interval, 16, 3);
}

/// Their header.
std::string head(const char* name) { return text("%7s   95 %% interval  ", name); }

std::string within_name(const char* of, const WithinScore& s) {
  return std::string("r within ") + of + ", " + number_of(s.pairs, "pair") + " of " +
         std::to_string(s.groups);
}

std::string ranking_row(const std::string& name, const RankingScore& s) {
  return text("%-21s", name.c_str()) + cells(s.auprc) + cells(s.auroc) +
         cells(s.precision_at_recall) + "\n";
}

}  // namespace

std::string within_rows(const Evaluation& e) {
  const BaselineScore* strongest = e.strongest_baseline();
  std::string out = text("%-42s", "") + head("model");
  if (strongest != nullptr) out += head("baseline");
  out.erase(out.find_last_not_of(' ') + 1) += "\n";
  const auto row = [&](const std::string& name, auto member) {
    out += text("%-42s", name.c_str()) + cells(member(e.model));
    if (strongest != nullptr) out += " " + cells(member(strongest->score));
    out += "\n";
  };
  row(within_name("genes", e.model.within_genes),
      [](const Score& s) { return s.within_genes.pearson; });
  row(within_name("enhancers", e.model.within_enhancers),
      [](const Score& s) { return s.within_enhancers.pearson; });
  row("calibration slope, 1 is calibrated", [](const Score& s) { return s.calibration_slope; });
  return out;
}

std::string classification_rows(const Evaluation& e) {
  if (!e.classification) return "";
  const Classification& c = *e.classification;
  std::string out = "positives, " +
                    (c.below ? "beta below " + format_number(*c.below) : std::string("label 1")) +
                    ": " + std::to_string(c.positives) + " of " + number_of(e.pairs, "pair");
  if (c.positives == 0) return out + "\n";
  out += " (" + number_cell(100.0 * c.prevalence.value, 0, 1) + " %)\n" + text("%-21s", "");
  out += head("AUPRC") + head("AUROC") + text("%25s", "precision at 70 % recall");
  out += "\n" + ranking_row("model", c.model);
  if (e.baselines.empty()) return out;
  const BaselineClassification& b = c.baselines[c.strongest];
  return out + ranking_row(e.baselines[c.strongest].label, b.score) +
         ranking_row("  difference", b.difference);
}

std::string distance_rows(const Evaluation& e) {
  if (!e.by_distance) return "";
  std::string out = text("%-11s%6s%5s%10s", "gene start", "pairs", "loci", "positives");
  for (const char* name : {"r", "AUPRC"}) out += head(name) + text("%9s", "baseline");
  out += "\n";
  for (const DistanceRange& r : e.by_distance->ranges) {
    const std::string name = std::to_string(r.from_kb) + "-" + std::to_string(r.to_kb) + " kb";
    const std::string positives = r.positives ? std::to_string(*r.positives) : "-";
    out += text("%-11s%6lld%5lld%10s", name.c_str(), static_cast<long long>(r.pairs),
                static_cast<long long>(r.loci.number), positives.c_str()) +
           cells(r.model.pearson) + number_cell(r.baseline.pearson.value, 9, 3) +
           cells(r.model.auprc) + number_cell(r.baseline.auprc.value, 9, 3) + "\n";
  }
  const std::int64_t elsewhere = e.by_distance->elsewhere;
  return elsewhere == 0
             ? out
             : out + "further away, or at an unknown distance: " + number_of(elsewhere, "pair") +
                   "\n";
}

}  // namespace cdt
