#include "apps/attribute/region_report.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/attribute/place.h"
#include "apps/attribute/wanted_file.h"
#include "apps/common/format.h"
#include "apps/common/interrupt.h"
#include "io/format/text.h"
#include "model/explain/region_effects.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFile = "occlusion_regions.tsv";
constexpr const char* kHeader =
    "enhancer\tgene\tregion\tfirst_bin\tlast_bin\tprediction\tprediction_replaced\tdifference\t"
    "gradient_claim\tzero_dna\n";

double mean_of(const std::vector<float>& values) {
  return mean(std::vector<double>(values.begin(), values.end()));
}

}  // namespace

void RegionReport::Rows::add(const Rows& more) {
  differences.insert(differences.end(), more.differences.begin(), more.differences.end());
  claims.insert(claims.end(), more.claims.begin(), more.claims.end());
  enhancers.insert(enhancers.end(), more.enhancers.begin(), more.enhancers.end());
}

double RegionReport::Rows::pearson() const {
  return cdt::pearson(std::vector<double>(claims.begin(), claims.end()),
                      std::vector<double>(differences.begin(), differences.end()));
}

double RegionReport::Rows::mean_difference() const { return mean_of(differences); }

double RegionReport::Rows::mean_claim() const { return mean_of(claims); }

RegionReport::RegionReport(const std::filesystem::path& folder, const Dataset& data,
                           std::vector<Region> regions, std::uint64_t seed)
    : path_(folder / kFile),
      data_(data),
      regions_(std::move(regions)),
      bootstrap_{.seed = seed},
      rows_(regions_.size()) {
  if (regions_.empty()) return;
  file_.emplace(path_);
  file_->write(kHeader);
}

void RegionReport::add(Inference& inference, Attributor& attributor, Baseline& baseline,
                       const EnhancerGenes& wanted) {
  std::vector<std::size_t> held;
  std::vector<BinRange> ranges;
  for (std::size_t r = 0; r < regions_.size(); ++r) {
    const std::optional<BinRange> bins = regions_[r].bins_in(data_, wanted.enhancer);
    if (!bins) continue;
    held.push_back(r);
    ranges.push_back(*bins);
  }
  if (held.empty()) return;
  const std::vector<float> from = baseline.z();
  const std::vector<float> z = attributor.pass().project(wanted.dna);
  Occlusion occlusion(*inference.model, inference.tape, attributor.trunks(), 1);
  const auto effects = region_effects(attributor.pass(), occlusion, *inference.backend, z, from,
                                      data_.bins, ranges, wanted.genes);
  baseline_ = baseline.name();
  if (wanted.zero_dna) zero_dna_ += static_cast<std::int64_t>(wanted.genes.size());
  for (std::size_t gene = 0; gene < wanted.genes.size(); ++gene) {
    for (std::size_t i = 0; i < held.size(); ++i) {
      const RegionEffect& e = effects[i][gene];
      file_->write(tab_separated(
          {data_.enhancers[static_cast<std::size_t>(wanted.enhancer)].name,
           data_.genes[static_cast<std::size_t>(wanted.genes[gene])], regions_[held[i]].text,
           std::to_string(ranges[i].begin), std::to_string(ranges[i].end - 1),
           format_number(e.prediction), format_number(e.replaced),
           format_number(static_cast<float>(e.difference())),
           format_number(static_cast<float>(e.claimed)), wanted.zero_dna ? "1" : "0"}));
      if (wanted.zero_dna) continue;
      rows_[held[i]].add({{static_cast<float>(e.difference())},
                          {static_cast<float>(e.claimed)},
                          {wanted.enhancer}});
    }
  }
  stop_if_interrupted();
}

RegionReport::Rows RegionReport::all_rows() const {
  Rows all;
  for (const Rows& rows : rows_) all.add(rows);
  return all;
}

Json RegionReport::rows_json(const Rows& rows) const {
  const Interval interval =
      bootstrap_pearson(rows.claims, rows.differences, rows.enhancers, bootstrap_);
  return {{"n", rows.differences.size()},
          {"difference_mean", rows.mean_difference()},
          {"gradient_claim_mean", rows.mean_claim()},
          {"pearson", rows.pearson()},
          {"pearson_ci", {interval.low, interval.high}}};
}

void RegionReport::finish(Json* summary) {
  if (!commit_or_remove(file_, path_)) return;
  Json section = {{"file", kFile},
                  {"baseline", baseline_},
                  {"zero_dna_left_out", zero_dna_},
                  {"all", rows_json(all_rows())}};
  section["regions"] = Json::array();
  for (std::size_t r = 0; r < regions_.size(); ++r) {
    Json region = {{"region", regions_[r].text}};
    region.update(rows_json(rows_[r]));
    section["regions"].push_back(std::move(region));
  }
  (*summary)["occlusion_regions"] = std::move(section);
}

std::string RegionReport::table() const {
  if (regions_.empty()) return "";
  std::string out = text("%-32s %7s %16s %16s %8s\n", "region replaced by the baseline", "pairs",
                         "mean difference", "gradient claims", "r");
  bool undefined = false;
  const auto row = [&](const std::string& name, const Rows& rows) {
    const double r = rows.pearson();
    out += text("%-32s %7zu ", name.c_str(), rows.differences.size()) +
           number_cell(rows.mean_difference(), 16, 4) + " " +
           number_cell(rows.mean_claim(), 16, 4) + " " + number_cell(r, 8, 3) + "\n";
    undefined = undefined || std::isnan(r);
  };
  for (std::size_t r = 0; r < regions_.size(); ++r) row(regions_[r].text, rows_[r]);
  if (regions_.size() > 1) row("all", all_rows());
  if (undefined) out += "-: undefined; r needs pairs with DNA whose effects and claims differ\n";
  return out;
}

}  // namespace cdt
