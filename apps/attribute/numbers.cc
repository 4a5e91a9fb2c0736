#include "apps/attribute/numbers.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <set>

#include "engine/error.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

WindowNumbers window_numbers(const Method& method, std::vector<float> window, bool zero_dna) {
  if (method.is_signed) {
    for (float& score : window) score = std::fabs(score);
  }
  const WindowState state = window_state(window, zero_dna);
  return {state,
          state == WindowState::kDefined ? top_bins(window, kTopBins) : std::vector<std::int64_t>{},
          concentration(window)};
}

/// Of the pairs whose windows of these methods are all defined.
std::vector<double> collect(const std::vector<PairNumbers>& numbers,
                            const std::vector<std::size_t>& methods,
                            const std::function<double(const PairNumbers&)>& value) {
  std::vector<double> out;
  for (const PairNumbers& n : numbers) {
    const bool counts = std::all_of(methods.begin(), methods.end(),
                                    [&](std::size_t m) { return n.windows[m].defined(); });
    if (counts) out.push_back(value(n));
  }
  return out;
}

MethodSummary summarise_method(const std::vector<PairNumbers>& numbers, std::size_t method,
                               const Dataset& data) {
  const auto concentration = [&](double Concentration::*field) {
    return mean(collect(numbers, {method}, [&](const PairNumbers& n) {
      return n.windows[method].concentration.*field;
    }));
  };
  std::vector<std::int64_t> peaks;
  StateCounts states{};
  for (const PairNumbers& n : numbers) {
    const WindowNumbers& window = n.windows[method];
    ++states[static_cast<std::size_t>(window.state)];
    if (window.defined()) peaks.push_back(window.peak());
  }
  const PeakStatistics p = peak_statistics(peaks, {data.bins, data.bin_bp, kNearBp});
  return {static_cast<std::int64_t>(peaks.size()),
          states,
          p.distance_mean_bp,
          p.distance_median_bp,
          p.share_near,
          p.edge_share,
          concentration(&Concentration::entropy),
          concentration(&Concentration::effective_bins),
          concentration(&Concentration::peak_over_uniform)};
}

void summarise_defaults(const std::vector<PairNumbers>& numbers, const Dataset& data, Summary* s) {
  const std::vector<std::size_t> both{kAttention, kGradient};
  const std::vector<double> shared = collect(numbers, both, [](const PairNumbers& n) {
    return static_cast<double>(n.shared_top.value_or(0));
  });
  s->compared = static_cast<std::int64_t>(shared.size());
  s->overlap_mean = mean(shared);
  s->overlap_median = median(shared);
  if (!shared.empty()) {
    s->overlap_min = static_cast<std::int64_t>(*std::min_element(shared.begin(), shared.end()));
    s->overlap_max = static_cast<std::int64_t>(*std::max_element(shared.begin(), shared.end()));
  }
  const std::vector<double> between = collect(numbers, both, [&](const PairNumbers& n) {
    return static_cast<double>(
        std::llabs(n.windows[kAttention].peak() - n.windows[kGradient].peak()) * data.bin_bp);
  });
  s->between_mean_bp = mean(between);
  s->between_median_bp = median(between);
}

bool near_one(std::int64_t peak, const std::vector<std::int64_t>& sites) {
  return std::any_of(sites.begin(), sites.end(),
                     [&](std::int64_t site) { return std::llabs(peak - site) <= kSiteTolerance; });
}

/// Share of the bins from which a site is near.
double share_of_near_bins(std::int64_t bins, const std::vector<std::int64_t>& sites) {
  std::int64_t near = 0;
  for (std::int64_t bin = 0; bin < bins; ++bin) near += near_one(bin, sites) ? 1 : 0;
  return static_cast<double>(near) / static_cast<double>(bins);
}

void add_pair(SiteHits* hits, const PairNumbers& n, const std::vector<std::int64_t>& sites,
              std::int64_t bins) {
  if (sites.empty() || n.zero_dna) return;
  ++hits->pairs;
  for (std::size_t i = 0; i < n.windows.size(); ++i) {
    if (!n.windows[i].defined()) continue;
    ++hits->n[i];
    hits->hits[i] += near_one(n.windows[i].peak(), sites) ? 1 : 0;
  }
  hits->random_share += share_of_near_bins(bins, sites);
}

/// Pairs that truth.json does not list are left out.
TruthSummary compare(const std::vector<PairNumbers>& numbers, const Truth& truth, bool with_effect,
                     const Dataset& data) {
  TruthSummary out;
  for (SiteHits* hits : {&out.causal, &out.decoy}) {
    hits->n.resize(numbers.front().windows.size());
    hits->hits.resize(numbers.front().windows.size());
  }
  for (const PairNumbers& n : numbers) {
    const std::string& enhancer = data.enhancers[static_cast<std::size_t>(n.pair.enhancer)].name;
    const std::string& gene = data.genes[static_cast<std::size_t>(n.pair.gene)];
    const auto effect = truth.has_effect.find({enhancer, gene});
    const auto sites = truth.sites.find(enhancer);
    if (effect == truth.has_effect.end() || sites == truth.sites.end()) continue;
    if (effect->second != with_effect) continue;
    add_pair(&out.causal, n, sites->second.causal, data.bins);
    add_pair(&out.decoy, n, sites->second.decoy, data.bins);
  }
  for (SiteHits* hits : {&out.causal, &out.decoy}) {
    hits->random_share /= static_cast<double>(hits->pairs);
  }
  return out;
}

}  // namespace

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

Summary summarise(const std::vector<PairNumbers>& numbers, const Methods& methods,
                  const Dataset& data, const std::optional<Truth>& truth,
                  const NullOptions& options) {
  CDT_CHECK(!numbers.empty(), "a summary needs pairs");
  Summary s;
  s.pairs = static_cast<std::int64_t>(numbers.size());
  s.bins = data.bins;
  s.bin_bp = data.bin_bp;
  s.top = std::min(kTopBins, data.bins);
  s.replicates = options.replicates;
  s.methods = methods;
  const GeneTraining training(data);
  std::int64_t untrained = 0;
  std::set<std::int32_t> enhancers;
  for (const PairNumbers& n : numbers) {
    enhancers.insert(n.pair.enhancer);
    s.zero_dna += n.zero_dna ? 1 : 0;
    untrained += training.is_untrained(n.pair.gene) ? 1 : 0;
  }
  if (training.is_known()) s.untrained = untrained;
  s.enhancers = static_cast<std::int64_t>(enhancers.size());
  for (std::size_t i = 0; i < methods.size(); ++i) {
    s.by_method.push_back(summarise_method(numbers, i, data));
    s.chance.push_back(method_chance(numbers, i, data, options));
  }
  s.agreement = agreements(numbers, methods.size(), data, options);
  summarise_defaults(numbers, data, &s);
  s.random = random_peaks(s.bins, s.bin_bp, s.top, kNearBp);
  if (truth) {
    s.with_effect = compare(numbers, *truth, true, data);
    s.without_effect = compare(numbers, *truth, false, data);
  }
  return s;
}

}  // namespace cdt
