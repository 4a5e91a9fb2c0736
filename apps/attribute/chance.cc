#include "apps/attribute/chance.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>

#include "apps/attribute/numbers.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

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

std::vector<double> magnitudes(const std::vector<float>& window, bool is_signed) {
  std::vector<double> out(window.begin(), window.end());
  if (is_signed) {
    for (double& v : out) v = std::fabs(v);
  }
  return out;
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

}  // namespace

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

std::vector<WindowCorrelation> window_correlations(const PairScores& scores,
                                                   const Methods& methods) {
  std::vector<std::vector<double>> values;
  std::vector<std::vector<double>> ranks;
  std::vector<bool> defined;
  for (std::size_t i = 0; i < methods.size(); ++i) {
    defined.push_back(window_state(scores.windows[i]) == WindowState::kDefined);
    values.push_back(magnitudes(scores.windows[i], methods[i]->is_signed));
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

std::vector<Agreement> agreements(const std::vector<PairNumbers>& numbers, std::size_t methods,
                                  const Dataset& data, const NullOptions& options) {
  std::vector<Agreement> out;
  for (std::size_t i = 0; i < methods; ++i) {
    for (std::size_t j = i + 1; j < methods; ++j) {
      out.push_back(agreement_of(numbers, i, j, out.size(), data, options));
    }
  }
  return out;
}

}  // namespace cdt
