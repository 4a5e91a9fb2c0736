#include "apps/attribute/numbers.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "apps/attribute/place.h"
#include "model/stats/ranking.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

template <class T>
std::vector<T> magnitudes(const std::vector<float>& window, const Method& method) {
  std::vector<T> out(window.begin(), window.end());
  if (method.is_signed) {
    for (T& score : out) score = std::fabs(score);
  }
  return out;
}

WindowNumbers window_numbers(const Method& method, const std::vector<float>& scores,
                             bool zero_dna) {
  const std::vector<float> window = magnitudes<float>(scores, method);
  const WindowState state = window_state(window, zero_dna);
  return {state,
          state == WindowState::kDefined ? top_bins(window, kTopBins) : std::vector<std::int64_t>{},
          concentration(window)};
}

std::vector<bool> flags(std::size_t bins, const std::vector<std::int64_t>& set) {
  std::vector<bool> out(bins, false);
  for (const std::int64_t bin : set) out[static_cast<std::size_t>(bin)] = true;
  return out;
}

}  // namespace

std::vector<WindowCorrelation> window_correlations(const PairScores& scores,
                                                   const Methods& methods) {
  std::vector<std::vector<double>> values, ranks;
  std::vector<bool> defined;
  for (std::size_t i = 0; i < methods.size(); ++i) {
    defined.push_back(window_state(scores.windows[i]) == WindowState::kDefined);
    values.push_back(magnitudes<double>(scores.windows[i], *methods[i]));
    ranks.push_back(average_ranks(values.back()));
  }
  std::vector<WindowCorrelation> out;
  for (std::size_t i = 0; i < methods.size(); ++i) {
    for (std::size_t j = i + 1; j < methods.size(); ++j) {
      if (defined[i] && defined[j]) {
        out.push_back({pearson(values[i], values[j]), pearson(ranks[i], ranks[j])});
      } else {
        out.push_back({kNaN, kNaN});
      }
    }
  }
  return out;
}

PairNumbers pair_numbers(const Pair& pair, const PairScores& scores, const Methods& methods,
                         bool zero_dna) {
  PairNumbers out;
  out.pair = pair;
  out.prediction = scores.prediction;
  for (std::size_t i = 0; i < methods.size(); ++i) {
    out.windows.push_back(window_numbers(*methods[i], scores.windows[i], zero_dna));
  }
  out.correlations = window_correlations(scores, methods);
  const WindowNumbers& attention = out.windows[kAttention];
  const WindowNumbers& gradient = out.windows[kGradient];
  if (attention.defined() && gradient.defined()) {
    out.shared_top = overlap(attention.top, gradient.top);
  }
  out.zero_dna = zero_dna;
  return out;
}

PairMean mean_interval(const std::vector<double>& values,
                       const std::vector<std::int32_t>& enhancers, std::uint64_t seed) {
  std::vector<double> defined;
  std::vector<std::int32_t> clusters;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) continue;
    defined.push_back(values[i]);
    clusters.push_back(enhancers[i]);
  }
  return {std::ssize(defined),
          {mean(defined), bootstrap_mean(defined, clusters, {.seed = seed})},
          median(defined)};
}

MeanLargest mean_largest(const std::vector<double>& values) {
  return {mean(values), values.empty() ? 0.0 : *std::max_element(values.begin(), values.end())};
}

std::optional<Planted> planted_at(const Truth& truth, const Dataset& data, const Pair& pair) {
  const std::string& enhancer = enhancer_of(data, pair).name;
  const std::string& gene = gene_of(data, pair);
  const auto effect = truth.has_effect.find({enhancer, gene});
  std::optional<TruthSites> sites = truth.sites_for(enhancer, gene);
  if (effect == truth.has_effect.end() || !sites) return std::nullopt;
  return Planted{effect->second, std::move(*sites)};
}

SiteScores site_scores(const std::vector<float>& scores, const TruthSites& sites) {
  const std::vector<bool> is_causal = flags(scores.size(), sites.causal);
  const std::vector<bool> is_decoy = flags(scores.size(), sites.decoy);
  std::vector<double> all, causal, decoy, neither;
  for (std::size_t bin = 0; bin < scores.size(); ++bin) {
    all.push_back(std::fabs(static_cast<double>(scores[bin])));
    if (is_causal[bin]) causal.push_back(all.back());
    if (is_decoy[bin]) decoy.push_back(all.back());
    if (!is_causal[bin] && !is_decoy[bin]) neither.push_back(all.back());
  }
  SiteScores out{auroc(causal, neither), auroc(decoy, neither), auroc(causal, decoy), kNaN, kNaN};
  if (!causal.empty()) {
    const auto k = std::ssize(causal);
    out.causal_precision = precision_at(k, all, is_causal);
    out.decoy_precision = precision_at(k, all, is_decoy);
  }
  return out;
}

}  // namespace cdt
