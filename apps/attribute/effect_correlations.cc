#include "apps/attribute/effect_correlations.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "apps/attribute/gradient_scorers.h"
#include "model/explain/occlusion.h"
#include "model/explain/region_effects.h"
#include "model/stats/bootstrap.h"
#include "model/stats/profile.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kGradientXInput = "gradient_x_input";

/// What a method of the gradient's family says of a range, in its bins' sum; null for other
/// methods.
const char* claim_of(const Method& method) {
  constexpr std::array<std::pair<std::string_view, const char*>, 4> kClaims{
      {{"gradient", "score"},
       {kGradientXInput, "gradient . (input - baseline)"},
       {"integrated_gradients", "score"},
       {"smoothgrad", "score"}}};
  for (const auto& [name, claim] : kClaims) {
    if (name == method.name) return claim;
  }
  return nullptr;
}

bool is_gradient_x_input(const Method* method) { return method->name == kGradientXInput; }

bool has_peak(const std::vector<float>& window) {
  return window_state(window) == WindowState::kDefined;
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

EffectCorrelations::EffectCorrelations(const GradientOptions& options, Methods methods,
                                       std::uint64_t seed)
    : options_(options),
      methods_(std::move(methods)),
      seed_(seed),
      asks_gradient_x_input_(options.baseline != "zero" &&
                             std::any_of(methods_.begin(), methods_.end(), is_gradient_x_input)),
      correlations_(methods_.size()) {
  const auto found = std::find_if(methods_.begin(), methods_.end(), [](const Method* method) {
    return method->make == make_occlusion;
  });
  occlusion_ = static_cast<std::size_t>(found - methods_.begin());
}

void EffectCorrelations::add(Inference& inference, Attributor& attributor, Baseline& baseline,
                             const EnhancerGenes& wanted, const std::vector<PairScores>& scores) {
  if (occlusion_ == methods_.size()) return;
  if (wanted.zero_dna) {
    zero_dna_ += static_cast<std::int64_t>(scores.size());
    return;
  }
  std::vector<std::vector<float>> claims(scores.size());
  if (asks_gradient_x_input_) {
    GradientPass& pass = attributor.pass();
    const std::vector<float> from = baseline.z();
    const std::vector<float> z = pass.project(wanted.dna);
    pass.forward(z);
    claims = gradient_claims(pass, *inference.backend, z, from, inference.data.bins, wanted.genes);
    inference.tape.clear();
  }
  for (std::size_t gene = 0; gene < scores.size(); ++gene) {
    add_pair(wanted.enhancer, scores[gene], claims[gene]);
  }
}

// A signed score predicts the effect of a range itself, a norm only how large it is. Gradient x
// input is made for a baseline of zeros; of another the gradient's claim is another sum.
void EffectCorrelations::add_pair(std::int32_t enhancer, const PairScores& scores,
                                  const std::vector<float>& gradient_claims) {
  const auto bins = static_cast<std::int64_t>(scores.windows[occlusion_].size());
  const std::vector<BinRange> ranges = occlusion_ranges(bins, options_.occlude_bins);
  std::vector<double> effects, sizes;
  for (const BinRange& range : ranges) {
    effects.push_back(scores.windows[occlusion_][static_cast<std::size_t>(range.begin)]);
    sizes.push_back(std::fabs(effects.back()));
  }
  for (std::size_t i = 0; i < methods_.size(); ++i) {
    if (claim_of(*methods_[i]) == nullptr) continue;
    const bool of_baseline = asks_gradient_x_input_ && is_gradient_x_input(methods_[i]);
    const std::vector<float>& claims = of_baseline ? gradient_claims : scores.windows[i];
    const bool defined = has_peak(scores.windows[occlusion_]) && has_peak(claims);
    correlations_[i].push_back(
        defined ? pearson(by_range(ranges, claims), methods_[i]->is_signed ? effects : sizes)
                : std::nan(""));
  }
  enhancers_.push_back(enhancer);
}

void EffectCorrelations::finish(Json* summary) const {
  if (occlusion_ == methods_.size()) return;
  Json out = {{"bins_at_a_time", options_.occlude_bins},
              {"baseline", options_.baseline},
              {"zero_dna_left_out", zero_dna_}};
  for (std::size_t i = 0; i < methods_.size(); ++i) {
    if (claim_of(*methods_[i]) == nullptr) continue;
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
    out[methods_[i]->name] = {{"claim", claim_of(*methods_[i])},
                              {"of", methods_[i]->is_signed ? "effect" : "absolute effect"},
                              {"pairs", defined.size()},
                              {"undefined", enhancers_.size() - defined.size()},
                              {"pearson_mean", mean(defined)},
                              {"pearson_median", median(defined)},
                              {"pearson_mean_ci", {interval.low, interval.high}}};
  }
  (*summary)["occlusion_vs_gradient"] = std::move(out);
}

}  // namespace cdt
