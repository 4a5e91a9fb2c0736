#include "apps/attribute/summary.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>

#include "apps/attribute/place.h"
#include "apps/common/predictions.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

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

/// Mean of the defined values, enhancers drawn for its interval.
MeanInterval mean_interval(const std::vector<PairNumbers>& numbers, const NullOptions& options,
                           const std::function<double(const PairNumbers&)>& value) {
  std::vector<double> values;
  std::vector<std::int32_t> enhancers;
  for (const PairNumbers& n : numbers) {
    const double v = value(n);
    if (std::isnan(v)) continue;
    values.push_back(v);
    enhancers.push_back(n.pair.enhancer);
  }
  if (values.empty()) return {kNaN, {kNaN, kNaN}};
  return {mean(values), bootstrap_mean(values, enhancers, {.seed = options.seed})};
}

MethodChance method_chance(const std::vector<PairNumbers>& numbers, std::size_t method,
                           const Dataset& data, const NullOptions& options) {
  std::map<std::int32_t, std::vector<std::int64_t>> by_enhancer;
  for (const PairNumbers& n : numbers) {
    const WindowNumbers& window = n.windows[method];
    if (window.defined()) by_enhancer[n.pair.enhancer].push_back(window.peak());
  }
  PeakGroups groups;
  for (const auto& [enhancer, peaks] : by_enhancer) groups.push_back(peaks);
  const auto interval = [&](double Concentration::*field) {
    return mean_interval(numbers, options,
                         [&](const PairNumbers& n) {
                           const WindowNumbers& window = n.windows[method];
                           return window.defined() ? window.concentration.*field : kNaN;
                         })
        .interval;
  };
  const PeakWindow window{data.bins, data.bin_bp, kNearBp};
  return {peak_intervals(groups, window, {.seed = options.seed}),
          interval(&Concentration::entropy),
          interval(&Concentration::effective_bins),
          interval(&Concentration::peak_over_uniform),
          uniform_peak_tests(groups, window, options),
          shifted_peak_tests(groups, window, options)};
}

Agreement agreement_of(const std::vector<PairNumbers>& numbers, std::size_t first,
                       std::size_t second, std::size_t correlation, const Dataset& data,
                       const NullOptions& options) {
  std::vector<TopPair> tops;
  const auto counts = [&](const PairNumbers& n) {
    return n.windows[first].defined() && n.windows[second].defined();
  };
  for (const PairNumbers& n : numbers) {
    if (counts(n)) tops.push_back({n.windows[first].top, n.windows[second].top, n.pair.enhancer});
  }
  Agreement a;
  a.first = first;
  a.second = second;
  a.n = static_cast<std::int64_t>(tops.size());
  a.undefined = static_cast<std::int64_t>(numbers.size()) - a.n;
  a.hypergeometric = hypergeometric_overlap_test(tops, std::min(kTopBins, data.bins), data.bins);
  a.shifted = shifted_overlap_test(tops, data.bins, options);
  const auto mean_of = [&](const std::function<double(const PairNumbers&)>& value) {
    return mean_interval(numbers, options,
                         [&](const PairNumbers& n) { return counts(n) ? value(n) : kNaN; });
  };
  a.overlap = mean_of([&](const PairNumbers& n) {
    return static_cast<double>(overlap(n.windows[first].top, n.windows[second].top));
  });
  a.pearson = mean_of([&](const PairNumbers& n) { return n.correlations[correlation].pearson; });
  a.spearman = mean_of([&](const PairNumbers& n) { return n.correlations[correlation].spearman; });
  a.between_bp = mean_of([&](const PairNumbers& n) {
    return static_cast<double>(std::llabs(n.windows[first].peak() - n.windows[second].peak()) *
                               data.bin_bp);
  });
  return a;
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
    const std::string& enhancer = enhancer_of(data, n.pair).name;
    const std::string& gene = gene_of(data, n.pair);
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
  for (std::size_t i = 0; i < methods.size(); ++i) {
    for (std::size_t j = i + 1; j < methods.size(); ++j) {
      s.agreement.push_back(agreement_of(numbers, i, j, s.agreement.size(), data, options));
    }
  }
  summarise_defaults(numbers, data, &s);
  s.random = random_peaks(s.bins, s.bin_bp, s.top, kNearBp);
  if (truth) {
    s.with_effect = compare(numbers, *truth, true, data);
    s.without_effect = compare(numbers, *truth, false, data);
  }
  return s;
}

}  // namespace cdt
