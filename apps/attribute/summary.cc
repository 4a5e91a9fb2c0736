#include "apps/attribute/summary.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <set>
#include <utility>

#include "apps/attribute/place.h"
#include "apps/common/predictions.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

UndefinedWindows count_undefined(const std::vector<PairNumbers>& numbers, std::size_t method) {
  std::array<std::int64_t, kWindowStates> count{};
  for (const PairNumbers& n : numbers) ++count[static_cast<std::size_t>(n.windows[method].state)];
  const auto of = [&](WindowState state) { return count[static_cast<std::size_t>(state)]; };
  return {of(WindowState::kZeroDna), of(WindowState::kOneBin), of(WindowState::kZero),
          of(WindowState::kEqual)};
}

MethodSummary summarise_method(const std::vector<PairNumbers>& numbers, std::size_t method,
                               const Dataset& data, const NullOptions& options) {
  std::vector<std::int64_t> peaks;
  std::map<std::int32_t, std::vector<std::int64_t>> by_enhancer;
  std::vector<std::int32_t> enhancers;
  std::vector<double> entropy, effective_bins, peak_over_uniform;
  for (const PairNumbers& n : numbers) {
    const WindowNumbers& window = n.windows[method];
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
  const PeakStatistics p = peak_statistics(peaks, window);
  const PeakIntervals intervals = peak_intervals(groups, window, {.seed = options.seed});
  MethodSummary out;
  out.n = std::ssize(peaks);
  out.undefined = std::ssize(numbers) - out.n;
  out.why = count_undefined(numbers, method);
  out.distance_mean_bp = {p.distance_mean_bp, intervals.distance_mean_bp};
  out.distance_median_bp = {p.distance_median_bp, intervals.distance_median_bp};
  out.share_near = {p.share_near, intervals.share_near};
  out.edge_share = {p.edge_share, intervals.edge_share};
  out.entropy = mean_interval(entropy, enhancers, options.seed).mean;
  out.effective_bins = mean_interval(effective_bins, enhancers, options.seed).mean;
  out.peak_over_uniform = mean_interval(peak_over_uniform, enhancers, options.seed).mean;
  out.uniform = uniform_peak_tests(groups, window, options);
  out.shifted = shifted_peak_tests(groups, window, options);
  return out;
}

/// Adds two methods' agreement to s->agreement, in the order of PairNumbers::correlations; for
/// attention and gradient also the numbers under their own keys.
void add_agreement(const std::vector<PairNumbers>& numbers, std::size_t first, std::size_t second,
                   const Dataset& data, const NullOptions& options, AttributionSummary* s) {
  const std::size_t correlation = s->agreement.size();
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
  out.first = s->methods[first].first;
  out.second = s->methods[second].first;
  out.n = std::ssize(tops);
  out.undefined = std::ssize(numbers) - out.n;
  out.hypergeometric = hypergeometric_overlap_test(tops, std::min(kTopBins, data.bins), data.bins);
  out.shifted = shifted_overlap_test(tops, data.bins, options);
  const PairMean in_both = mean_interval(shared, enhancers, options.seed);
  const PairMean apart = mean_interval(between, enhancers, options.seed);
  out.overlap = in_both.mean;
  out.share = out.overlap.value / static_cast<double>(s->top);
  out.fold = out.overlap.value / out.hypergeometric.expectation;
  out.pearson = mean_interval(pearson, enhancers, options.seed).mean;
  out.spearman = mean_interval(spearman, enhancers, options.seed).mean;
  out.between_bp = apart.mean;
  if (first == kAttention && second == kGradient) {
    s->shared_top = {out.n, out.overlap.value, out.share, in_both.median, kNaN, kNaN};
    if (out.n > 0) {
      const auto [least, most] = std::minmax_element(shared.begin(), shared.end());
      s->shared_top.min = *least;
      s->shared_top.max = *most;
    }
    s->peaks_apart = {out.n, apart.mean.value, apart.median};
    s->random.n = out.n;
  }
  s->agreement.push_back(std::move(out));
}

bool near_one(std::int64_t peak, const std::vector<std::int64_t>& sites) {
  return std::any_of(sites.begin(), sites.end(),
                     [&](std::int64_t site) { return std::llabs(peak - site) <= kSiteTolerance; });
}

/// Share of the bins that are near a site.
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
    SiteHits::OfMethod& of = hits->methods[i].second;
    ++of.n;
    of.hits += near_one(n.windows[i].peak(), sites) ? 1 : 0;
  }
  hits->random_share += share_of_near_bins(bins, sites);
}

/// Hits of each method's peaks at the planted sites; pairs that truth.json does not list are
/// excluded.
SiteKinds hits_at_sites(const std::vector<PairNumbers>& numbers, const Methods& methods,
                        const Truth& truth, bool with_effect, const Dataset& data) {
  SiteKinds out;
  for (SiteHits* hits : {&out.causal, &out.decoy}) {
    for (const Method* method : methods) hits->methods.push_back({method->name, {}});
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

AttributionSummary summarise(const std::vector<PairNumbers>& numbers, const Methods& methods,
                             const Dataset& data, const std::optional<Truth>& truth,
                             const NullOptions& options, Readout readout) {
  CDT_CHECK(!numbers.empty(), "a summary needs pairs");
  AttributionSummary s;
  s.pairs = std::ssize(numbers);
  s.bins = data.bins;
  s.bin_bp = data.bin_bp;
  s.top = std::min(kTopBins, data.bins);
  s.null_replicates = options.replicates;
  const GeneTraining training(data, readout);
  std::int64_t untrained = 0;
  std::set<std::int32_t> enhancers;
  for (const PairNumbers& n : numbers) {
    enhancers.insert(n.pair.enhancer);
    s.zero_dna += n.zero_dna ? 1 : 0;
    untrained += training.is_untrained(n.pair.gene) ? 1 : 0;
  }
  if (training.is_known()) s.untrained = untrained;
  s.enhancers = std::ssize(enhancers);
  s.random.of = random_peaks(s.bins, s.bin_bp, s.top, kNearBp);
  for (std::size_t i = 0; i < methods.size(); ++i) {
    MethodSummary method = summarise_method(numbers, i, data, options);
    method.meaning = methods[i]->meaning;
    method.is_signed = methods[i]->is_signed;
    s.edge_share.push_back({methods[i]->name, method.edge_share.value});
    s.methods.push_back({methods[i]->name, std::move(method)});
  }
  s.edge_share.push_back({"uniform", s.random.of.edge_share});
  for (std::size_t i = 0; i < methods.size(); ++i) {
    for (std::size_t j = i + 1; j < methods.size(); ++j) {
      add_agreement(numbers, i, j, data, options, &s);
    }
  }
  if (truth) {
    s.planted_sites = {hits_at_sites(numbers, methods, *truth, true, data), kSiteTolerance,
                       hits_at_sites(numbers, methods, *truth, false, data)};
  }
  return s;
}

}  // namespace cdt
