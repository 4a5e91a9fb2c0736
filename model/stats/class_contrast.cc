#include "model/stats/class_contrast.h"

#include <algorithm>
#include <map>
#include <utility>

#include "engine/poll.h"
#include "engine/random.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr std::uint32_t kShuffleStream = 0xC1A5;

/// Sum and number of the values of one class in one window.
struct Sum {
  double sum = 0, n = 0;
  void add(double value) {
    sum += value;
    n += 1.0;
  }
  double mean() const { return sum / n; }
};

/// Own over other for each class, by enhancer with genes of both.
struct ByClass {
  std::vector<double> first, second, both;
  std::vector<std::int32_t> enhancers;
};

ByClass by_class(std::span<const ClassedScore> scores,
                 const std::map<std::int32_t, bool>& of_second) {
  std::map<std::int32_t, std::pair<Sum, Sum>> sums;
  for (const ClassedScore& s : scores) {
    std::pair<Sum, Sum>& of = sums[s.enhancer];
    if (of_second.at(s.gene)) {
      of.second.add(1.0 - s.first_over_second);
    } else {
      of.first.add(s.first_over_second);
    }
  }
  ByClass out;
  for (const auto& [enhancer, of] : sums) {
    if (of.first.n == 0.0 || of.second.n == 0.0) continue;
    out.enhancers.push_back(enhancer);
    out.first.push_back(of.first.mean());
    out.second.push_back(of.second.mean());
    out.both.push_back(0.5 * (of.first.mean() + of.second.mean()));
  }
  return out;
}

/// Share of shuffles of the classes among the genes that reach the observed mean; a shuffle without
/// a window of both classes counts as one that does.
double shuffled_p(std::span<const ClassedScore> scores,
                  const std::map<std::int32_t, bool>& of_second, double observed,
                  std::int64_t permutations, std::uint64_t seed) {
  RandomStream random(seed, kShuffleStream);
  std::vector<bool> classes;
  for (const auto& [gene, second] : of_second) classes.push_back(second);
  std::int64_t reached = 1;
  for (std::int64_t k = 0; k < permutations; ++k) {
    poll();
    for (std::size_t i = classes.size(); i > 1; --i) {
      const auto j = static_cast<std::size_t>(random.below(i));
      const bool last = classes[i - 1];
      classes[i - 1] = classes[j];
      classes[j] = last;
    }
    std::map<std::int32_t, bool> shuffled = of_second;
    std::size_t place = 0;
    for (auto& [gene, second] : shuffled) second = classes[place++];
    const double value = mean(by_class(scores, shuffled).both);
    reached += value < observed - 1e-12 ? 0 : 1;
  }
  return static_cast<double>(reached) / static_cast<double>(permutations + 1);
}

}  // namespace

OwnOverOther own_over_other(std::span<const ClassedScore> scores, std::int64_t permutations,
                            std::uint64_t seed) {
  std::map<std::int32_t, bool> of_second;
  for (const ClassedScore& s : scores) of_second[s.gene] = s.of_second;
  const ByClass real = by_class(scores, of_second);
  OwnOverOther out;
  out.enhancers = std::ssize(real.enhancers);
  if (out.enhancers == 0) return out;
  const auto estimate = [&](const std::vector<double>& values) {
    return Estimate{mean(values), bootstrap_mean(values, real.enhancers, {.seed = seed})};
  };
  out.both = estimate(real.both);
  out.first = estimate(real.first);
  out.second = estimate(real.second);
  out.p = shuffled_p(scores, of_second, out.both.value, permutations, seed);
  return out;
}

void WindowAlikeness::add(const WindowAlikeness& w) {
  same += w.same;
  same_pairs += w.same_pairs;
  other += w.other;
  other_pairs += w.other_pairs;
}

AlikenessByClass alikeness_by_class(const std::vector<WindowAlikeness>& by_enhancer,
                                    std::uint64_t seed) {
  using Statistic = double (*)(const WindowAlikeness&);
  const auto estimate = [&](Statistic of) {
    WindowAlikeness all;
    for (const WindowAlikeness& w : by_enhancer) all.add(w);
    return Estimate{of(all), bootstrap_clusters(by_enhancer.size(), {.seed = seed},
                                                [&](const std::vector<std::size_t>& drawn) {
                                                  return of(sum_of_drawn(by_enhancer, drawn));
                                                })};
  };
  // A sum over no pairs is 0, and 0 / 0 is NaN: undefined.
  return {estimate([](const WindowAlikeness& w) { return w.same / w.same_pairs; }),
          estimate([](const WindowAlikeness& w) { return w.other / w.other_pairs; }),
          estimate([](const WindowAlikeness& w) {
            return w.same / w.same_pairs - w.other / w.other_pairs;
          })};
}

}  // namespace cdt
