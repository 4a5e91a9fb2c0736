#include "apps/attribute/summary.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "apps/attribute/place.h"
#include "apps/common/predictions.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

MethodSummary summarise_method(const std::vector<PairNumbers>& numbers, std::size_t method,
                               const Dataset& data, const NullOptions& options) {
  MethodSummary out;
  std::vector<std::int64_t> peaks;
  std::map<std::int32_t, std::vector<std::int64_t>> by_enhancer;
  std::vector<std::int32_t> enhancers;
  std::vector<double> entropy, effective_bins, peak_over_uniform;
  for (const PairNumbers& n : numbers) {
    const WindowNumbers& window = n.windows[method];
    ++out.states[static_cast<std::size_t>(window.state)];
    if (!window.defined()) continue;
    peaks.push_back(window.peak());
    by_enhancer[n.pair.enhancer].push_back(window.peak());
    enhancers.push_back(n.pair.enhancer);
    entropy.push_back(window.concentration.entropy);
    effective_bins.push_back(window.concentration.effective_bins);
    peak_over_uniform.push_back(window.concentration.peak_over_uniform);
  }
  PeakGroups groups;
  for (const auto& [enhancer, of_enhancer] : by_enhancer) groups.push_back(of_enhancer);
  const PeakWindow window{data.bins, data.bin_bp, kNearBp};
  out.n = static_cast<std::int64_t>(peaks.size());
  out.peaks = peak_statistics(peaks, window);
  out.intervals = peak_intervals(groups, window, {.seed = options.seed});
  out.uniform = uniform_peak_tests(groups, window, options);
  out.shifted = shifted_peak_tests(groups, window, options);
  out.entropy = mean_interval(entropy, enhancers, options.seed);
  out.effective_bins = mean_interval(effective_bins, enhancers, options.seed);
  out.peak_over_uniform = mean_interval(peak_over_uniform, enhancers, options.seed);
  return out;
}

/// correlation: the place of the two methods among PairNumbers::correlations.
Agreement agreement_of(const std::vector<PairNumbers>& numbers, std::size_t first,
                       std::size_t second, std::size_t correlation, const Dataset& data,
                       const NullOptions& options) {
  std::vector<TopPair> tops;
  std::vector<std::int32_t> enhancers;
  std::vector<double> shared, between, pearson, spearman;
  for (const PairNumbers& n : numbers) {
    const WindowNumbers& a = n.windows[first];
    const WindowNumbers& b = n.windows[second];
    if (!a.defined() || !b.defined()) continue;
    tops.push_back({a.top, b.top, n.pair.enhancer});
    enhancers.push_back(n.pair.enhancer);
    shared.push_back(static_cast<double>(overlap(a.top, b.top)));
    between.push_back(static_cast<double>(std::llabs(a.peak() - b.peak()) * data.bin_bp));
    pearson.push_back(n.correlations[correlation].pearson);
    spearman.push_back(n.correlations[correlation].spearman);
  }
  Agreement out;
  out.first = first;
  out.second = second;
  out.n = static_cast<std::int64_t>(tops.size());
  out.undefined = static_cast<std::int64_t>(numbers.size()) - out.n;
  out.hypergeometric = hypergeometric_overlap_test(tops, std::min(kTopBins, data.bins), data.bins);
  out.shifted = shifted_overlap_test(tops, data.bins, options);
  out.overlap = mean_interval(shared, enhancers, options.seed);
  if (!shared.empty()) {
    const auto [least, most] = std::minmax_element(shared.begin(), shared.end());
    out.overlap_min = static_cast<std::int64_t>(*least);
    out.overlap_max = static_cast<std::int64_t>(*most);
  }
  out.pearson = mean_interval(pearson, enhancers, options.seed);
  out.spearman = mean_interval(spearman, enhancers, options.seed);
  out.between_bp = mean_interval(between, enhancers, options.seed);
  return out;
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
    const std::optional<Planted> planted = planted_at(truth, data, n.pair);
    if (!planted || planted->has_effect != with_effect) continue;
    add_pair(&out.causal, n, planted->sites.causal, data.bins);
    add_pair(&out.decoy, n, planted->sites.decoy, data.bins);
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
    s.by_method.push_back(summarise_method(numbers, i, data, options));
  }
  for (std::size_t i = 0; i < methods.size(); ++i) {
    for (std::size_t j = i + 1; j < methods.size(); ++j) {
      s.agreement.push_back(agreement_of(numbers, i, j, s.agreement.size(), data, options));
    }
  }
  s.random = random_peaks(s.bins, s.bin_bp, s.top, kNearBp);
  if (truth) {
    s.with_effect = compare(numbers, *truth, true, data);
    s.without_effect = compare(numbers, *truth, false, data);
  }
  return s;
}

}  // namespace cdt
