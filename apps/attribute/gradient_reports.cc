#include "apps/attribute/gradient_reports.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "apps/attribute/gradient_scorers.h"
#include "apps/common/interrupt.h"
#include "model/bootstrap.h"
#include "model/gene_gradients.h"
#include "model/occlusion.h"
#include "model/path_split.h"
#include "model/statistics.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kPathsFile = "paths.npy";
constexpr const char* kRnaFile = "rna_gradient.npy";
constexpr const char* kProteinFile = "protein_gradient.npy";
constexpr std::array<const char*, PathSplit::kPaths> kPathNames{"direct", "via_rna", "via_protein"};

/// Methods whose claim a range's occlusion tests: all of the gradient's family.
bool claims_effects(const Method& method) {
  const std::string_view name = method.name;
  return name == "gradient" || name == "gradient_x_input" || name == "integrated_gradients" ||
         name == "smoothgrad";
}

std::unique_ptr<NpyWriter> writer(bool wanted, const std::filesystem::path& path,
                                  const std::vector<std::int64_t>& shape) {
  if (!wanted) return nullptr;
  return std::make_unique<NpyWriter>(path, shape);
}

void commit_or_remove(const std::unique_ptr<NpyWriter>& file, const std::filesystem::path& path) {
  std::error_code absent;
  if (file != nullptr) {
    file->commit();
  } else {
    std::filesystem::remove(path, absent);
  }
}

/// Sum of the scores in each range.
std::vector<double> by_range(const std::vector<BinRange>& ranges,
                             const std::vector<float>& scores) {
  std::vector<double> out;
  for (const BinRange& range : ranges) {
    double sum = 0.0;
    for (std::int64_t bin = range.begin; bin < range.end; ++bin) {
      sum += scores[static_cast<std::size_t>(bin)];
    }
    out.push_back(sum);
  }
  return out;
}

}  // namespace

GradientReports::GradientReports(std::filesystem::path folder, const GradientOptions& options,
                                 const Inference& inference, Methods methods, std::int64_t pairs,
                                 std::uint64_t seed)
    : folder_(std::move(folder)),
      options_(options),
      methods_(std::move(methods)),
      seed_(seed),
      paths_(writer(options.paths, folder_ / kPathsFile,
                    {pairs, PathSplit::kPaths, inference.data.bins})),
      rna_(writer(options.gene_gradients, folder_ / kRnaFile, {pairs, inference.config.genes})),
      protein_(
          writer(options.gene_gradients, folder_ / kProteinFile, {pairs, inference.config.genes})),
      correlations_(methods_.size()) {
  const auto found = std::find_if(methods_.begin(), methods_.end(), [](const Method* method) {
    return method->make == make_occlusion;
  });
  occlusion_ = static_cast<std::size_t>(found - methods_.begin());
}

void GradientReports::add(Inference& inference, Attributor& attributor, const EnhancerGenes& wanted,
                          const std::vector<PairScores>& scores) {
  if (paths_ != nullptr) add_paths(inference, attributor, wanted);
  if (rna_ != nullptr) add_gene_gradients(inference, wanted);
  if (occlusion_ == methods_.size()) return;
  for (const PairScores& pair : scores) add_correlations(wanted.enhancer, pair);
}

void GradientReports::add_paths(Inference& inference, Attributor& attributor,
                                const EnhancerGenes& wanted) {
  GradientPass& pass = attributor.pass();
  const std::vector<float> z = pass.project(wanted.dna);
  const std::vector<float> zero = pass.zero_projection(inference.data.bins);
  pass.forward(z);
  for (const std::int32_t gene : wanted.genes) {
    const PathSplit split =
        path_split(pass, attributor.norm(), inference.tape, z, zero, {gene}).front();
    for (std::size_t path = 0; path < PathSplit::kPaths; ++path) {
      paths_->append(split.norm[path].data(), inference.data.bins);
      if (std::isfinite(split.share[path])) shares_[path].push_back(split.share[path]);
    }
    additivity_error_ = std::max(additivity_error_, split.additivity_error);
    stop_if_interrupted();
  }
  inference.tape.clear();
}

void GradientReports::add_gene_gradients(Inference& inference, const EnhancerGenes& wanted) {
  for (const GeneGradients& of_gene :
       gene_gradients(*inference.model, inference.tape, wanted.dna, inference.rna,
                      inference.protein, wanted.genes)) {
    rna_->append(of_gene.rna.data(), static_cast<std::int64_t>(of_gene.rna.size()));
    protein_->append(of_gene.protein.data(), static_cast<std::int64_t>(of_gene.protein.size()));
  }
}

// A signed score predicts the effect of a range itself, a norm only how large it is.
void GradientReports::add_correlations(std::int32_t enhancer, const PairScores& scores) {
  const auto bins = static_cast<std::int64_t>(scores.windows[occlusion_].size());
  const std::vector<BinRange> ranges = occlusion_ranges(bins, options_.occlude_bins);
  std::vector<double> effects, sizes;
  for (const BinRange& range : ranges) {
    effects.push_back(scores.windows[occlusion_][static_cast<std::size_t>(range.begin)]);
    sizes.push_back(std::fabs(effects.back()));
  }
  for (std::size_t i = 0; i < methods_.size(); ++i) {
    if (!claims_effects(*methods_[i])) continue;
    correlations_[i].push_back(
        pearson(by_range(ranges, scores.windows[i]), methods_[i]->is_signed ? effects : sizes));
  }
  enhancers_.push_back(enhancer);
}

Json GradientReports::paths_json() const {
  Json shares = Json::object();
  for (std::size_t path = 0; path < PathSplit::kPaths; ++path) {
    shares[kPathNames[path]] = {{"mean", mean(shares_[path])}, {"median", median(shares_[path])}};
  }
  return {{"file", kPathsFile},
          {"parts", kPathNames},
          {"share", shares},
          {"additivity_error", additivity_error_}};
}

Json GradientReports::correlations_json() const {
  Json out = {{"bins_at_a_time", options_.occlude_bins}, {"baseline", options_.baseline}};
  for (std::size_t i = 0; i < methods_.size(); ++i) {
    if (!claims_effects(*methods_[i])) continue;
    std::vector<double> defined;
    std::vector<std::int32_t> clusters;
    for (std::size_t pair = 0; pair < enhancers_.size(); ++pair) {
      if (std::isnan(correlations_[i][pair])) continue;
      defined.push_back(correlations_[i][pair]);
      clusters.push_back(enhancers_[pair]);
    }
    BootstrapOptions bootstrap;
    bootstrap.seed = seed_;
    const Interval interval = bootstrap_mean(defined, clusters, bootstrap);
    out[methods_[i]->name] = {{"of", methods_[i]->is_signed ? "effect" : "absolute effect"},
                              {"pairs", defined.size()},
                              {"pearson_mean", mean(defined)},
                              {"pearson_median", median(defined)},
                              {"pearson_mean_ci", {interval.low, interval.high}}};
  }
  return out;
}

void GradientReports::finish(Json* summary) {
  commit_or_remove(paths_, folder_ / kPathsFile);
  commit_or_remove(rna_, folder_ / kRnaFile);
  commit_or_remove(protein_, folder_ / kProteinFile);
  if (paths_ != nullptr) (*summary)["paths"] = paths_json();
  if (occlusion_ < methods_.size()) (*summary)["occlusion_vs_gradient"] = correlations_json();
  const Json& methods = (*summary)["methods"];
  if (!methods.contains("integrated_gradients")) return;
  Json integration = Json::object();
  for (const char* field :
       {"baseline", "steps", "completeness_error", "gate", "incomplete_pairs"}) {
    integration[field] = methods["integrated_gradients"][field];
  }
  (*summary)["integrated_gradients"] = integration;
}

std::string GradientReports::warning(const Json& summary) {
  if (!summary.contains("integrated_gradients")) return "";
  const Json& integration = summary["integrated_gradients"];
  const auto incomplete = integration["incomplete_pairs"].get<std::int64_t>();
  if (incomplete == 0) return "";
  return "integrated gradients: the scores of " + std::to_string(incomplete) +
         " pairs miss the prediction's change by more than 1 % at 512 steps "
         "(summary.json: integrated_gradients)";
}

}  // namespace cdt
