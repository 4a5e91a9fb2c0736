// The annotation report as JSON and as a table.
#include <algorithm>
#include <cmath>

#include "apps/attribute/annotation_report.h"
#include "apps/common/format.h"
#include "io/format/text.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostLines = 24;

void add_p(Json* out, const ResampledP& p) {
  (*out)["p"] = p.p;
  (*out)["p_monte_carlo_error"] = p.error;
  (*out)["p_at_floor"] = p.at_floor;
}

Json null_json(const PermutationNull& null) {
  Json out = {{"fold", null.mean_fold}};
  add_p(&out, null.test);
  return out;
}

/// Of the fold; null where it is undefined or 1.
Json direction(double fold) {
  if (fold > 1.0) return "more";
  return fold < 1.0 ? Json("fewer") : Json();
}

Json class_json(const ClassEnrichment& c) {
  const Enrichment& e = c.numbers;
  Json out = {{"method", c.method},
              {"file", c.file},
              {"class", c.class_name},
              {"n", c.pairs},
              {"top_bins", e.table.a + e.table.b},
              {"top_bins_on_class", e.table.a},
              {"bins", e.table.a + e.table.b + e.table.c + e.table.d},
              {"bins_on_class", e.table.a + e.table.c},
              {"fold", e.fold},
              {"fold_interval", {e.fold_interval.low, e.fold_interval.high}},
              {"direction", direction(e.fold)},
              {"fisher",
               {{"odds_ratio", e.fisher.odds_ratio},
                {"p", e.fisher.p_doubled},
                {"p_two_sided", e.fisher.p_two_sided},
                {"q", c.fisher_q}}},
              {"circular_shift", null_json(e.shift)},
              {"other_windows", null_json(e.other)}};
  add_p(&out, e.weakest);
  out["q"] = c.q;
  return out;
}

Json file_json(const Annotations& a, const Dataset& data, const ChromosomeSizes& sizes) {
  return {{"name", a.name},
          {"path", path_text(a.path)},
          {"elements", a.elements},
          {"empty_left_out", a.empty},
          {"without_class", a.without_class},
          {"classes", a.classes},
          {"assemblies_named", a.assemblies},
          {"assembly_doubts", assembly_doubts(a, data, sizes)}};
}

}  // namespace

Json AnnotationReport::json() const {
  Json out = {{"assembly", data_.assembly},
              {"files", Json::array()},
              {"pairs", pairs_},
              {"zero_dna_left_out", without_dna_},
              {"enhancers", enhancers_.size()},
              {"permutations", options_.replicates},
              {"seed", options_.seed},
              {"peaks", Json::object()},
              {"enrichment", Json::array()}};
  for (const Annotations& a : annotations_) out["files"].push_back(file_json(a, data_, sizes_));
  for (std::size_t m = 0; m < methods_.size(); ++m) {
    Json& method = out["peaks"][methods_[m]->name];
    for (std::size_t file = 0; file < annotations_.size(); ++file) {
      const PeakHits& h = hits_[m][file];
      method[annotations_[file].name] = {
          {"n", h.peaks},
          {"undefined", pairs_ - h.peaks},
          {"on_element", h.on_element},
          {"share_on_element", static_cast<double>(h.on_element) / static_cast<double>(h.peaks)},
          {"distance_bp", {{"mean", mean(h.distances)}, {"median", median(h.distances)}}}};
    }
  }
  for (const ClassEnrichment& c : classes_) out["enrichment"].push_back(class_json(c));
  return out;
}

std::string AnnotationReport::table() const {
  if (classes_.empty()) return "annotations: no window with a peak, nothing tested\n";
  std::vector<const ClassEnrichment*> order;
  for (const ClassEnrichment& c : classes_) order.push_back(&c);
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return !std::isnan(a->q) && (std::isnan(b->q) || a->q < b->q);
  });
  std::string out = text("top bins on annotated elements, more or fewer than chance\n");
  out += text("%-20s %-24s %5s %6s  %-15s %16s %7s\n", "method", "class", "n", "fold",
              "95 % interval", "two-sided p", "q");
  bool undefined = false;
  for (std::size_t i = 0; i < std::min(order.size(), kMostLines); ++i) {
    const ClassEnrichment& c = *order[i];
    const Enrichment& e = c.numbers;
    const std::string name = c.file == c.class_name ? c.file : c.file + ": " + c.class_name;
    out += text("%-20s %-24.60s %5lld ", c.method.c_str(), name.c_str(),
                static_cast<long long>(c.pairs)) +
           number_cell(e.fold, 6, 2) + "  " + interval_cell(e.fold_interval, 15, 2) + " " +
           p_cell(e.weakest, 16) + " " + p_cell(c.q, 7) + "\n";
    undefined = undefined || std::isnan(e.fold) || !is_defined(e.fold_interval);
  }
  if (order.size() > kMostLines) {
    out += text("  and %zu more in summary.json\n", order.size() - kMostLines);
  }
  out +=
      "p: the largest of three tests, 1 where they contradict each other; \u00b1 its Monte Carlo "
      "error, "
      "\u2264 where\nno permutation was as extreme; without either exact (Fisher). Folds below 1: "
      "fewer "
      "than chance.\n";
  if (undefined) {
    out +=
        "-: undefined; a fold needs a class that covers some bins and not all, an interval pairs "
        "of two enhancers\n";
  }
  return out;
}

}  // namespace cdt
