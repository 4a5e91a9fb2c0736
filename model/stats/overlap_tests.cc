#include "model/stats/overlap_tests.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "engine/error.h"
#include "engine/random.h"
#include "model/stats/profile.h"

namespace cdt {
namespace {

constexpr double kSmallest = 1e-300;
constexpr std::uint32_t kOverlapStream = 0x4E03;

/// Shared elements of a top and the other turned by each number of bins, 0 to bins - 1.
void add_shared(const TopPair& pair, std::vector<std::int64_t>* by_shift) {
  const auto bins = static_cast<std::int64_t>(by_shift->size());
  for (const std::int64_t a : pair.first) {
    for (const std::int64_t b : pair.second) {
      ++(*by_shift)[static_cast<std::size_t>((a - b + bins) % bins)];
    }
  }
}

double central(const SumDistribution& sum, double q) {
  double below = 0.0;
  for (std::size_t x = 0; x < sum.probabilities.size(); ++x) {
    below += sum.probabilities[x];
    if (below >= q) return static_cast<double>(sum.offset + static_cast<std::int64_t>(x));
  }
  return static_cast<double>(sum.offset) + static_cast<double>(sum.probabilities.size() - 1);
}

/// Convolution, its tails below kSmallest cut off.
SumDistribution added(const SumDistribution& a, const SumDistribution& b) {
  std::vector<double> p(a.probabilities.size() + b.probabilities.size() - 1, 0.0);
  for (std::size_t i = 0; i < a.probabilities.size(); ++i) {
    for (std::size_t j = 0; j < b.probabilities.size(); ++j) {
      p[i + j] += a.probabilities[i] * b.probabilities[j];
    }
  }
  const auto counts = [](double probability) { return probability >= kSmallest; };
  const auto first = std::find_if(p.begin(), p.end(), counts);
  const auto last = std::find_if(p.rbegin(), p.rend(), counts).base();
  return {a.offset + b.offset + (first - p.begin()), {first, last}};
}

}  // namespace

std::vector<double> overlap_probabilities(std::int64_t k, std::int64_t n) {
  CDT_CHECK(k >= 0 && k <= n, "a top is no larger than the window");
  const auto log_choose = [](std::int64_t from, std::int64_t take) {
    return std::lgamma(static_cast<double>(from + 1)) - std::lgamma(static_cast<double>(take + 1)) -
           std::lgamma(static_cast<double>(from - take + 1));
  };
  std::vector<double> out(static_cast<std::size_t>(k + 1), 0.0);
  for (std::int64_t x = std::max<std::int64_t>(0, 2 * k - n); x <= k; ++x) {
    out[static_cast<std::size_t>(x)] =
        std::exp(log_choose(k, x) + log_choose(n - k, k - x) - log_choose(n, k));
  }
  return out;
}

SumDistribution distribution_of_sum(const std::vector<double>& probabilities, std::int64_t count) {
  SumDistribution sum{0, {1.0}};
  SumDistribution power{0, probabilities};  // of 1, 2, 4, .. draws
  for (std::int64_t left = count; left > 0; left /= 2) {
    if (left % 2 == 1) sum = added(sum, power);
    if (left > 1) power = added(power, power);
  }
  return sum;
}

NullTest hypergeometric_overlap_test(std::span<const TopPair> pairs, std::int64_t k,
                                     std::int64_t bins) {
  if (pairs.empty()) return no_test();
  std::int64_t shared = 0;
  for (const TopPair& pair : pairs) {
    shared +=
        overlap({pair.first.begin(), pair.first.end()}, {pair.second.begin(), pair.second.end()});
  }
  const SumDistribution sum =
      distribution_of_sum(overlap_probabilities(k, bins), static_cast<std::int64_t>(pairs.size()));
  double low_tail = 0.0;
  double high_tail = 0.0;
  for (std::size_t x = 0; x < sum.probabilities.size(); ++x) {
    const std::int64_t value = sum.offset + static_cast<std::int64_t>(x);
    if (value <= shared) low_tail += sum.probabilities[x];
    if (value >= shared) high_tail += sum.probabilities[x];
  }
  const auto n = static_cast<double>(pairs.size());
  const RandomPeaks one = random_peaks(bins, 1, k, 0.0);
  const double observed = static_cast<double>(shared) / n;
  const double deviation = one.overlap_sd / std::sqrt(n);
  return {observed,
          one.overlap_mean,
          deviation,
          central(sum, 0.025) / n,
          central(sum, 0.975) / n,
          std::max(two_sided(low_tail, high_tail), kSmallest),
          z_score(observed, one.overlap_mean, deviation)};
}

NullTest shifted_overlap_test(std::span<const TopPair> pairs, std::int64_t bins,
                              const NullOptions& options) {
  if (pairs.empty() || bins < 2) return no_test();
  std::map<std::int32_t, std::vector<std::int64_t>> by_enhancer;
  for (const TopPair& pair : pairs) {
    std::vector<std::int64_t>& by_shift = by_enhancer[pair.enhancer];
    by_shift.resize(static_cast<std::size_t>(bins), 0);
    add_shared(pair, &by_shift);
  }
  std::int64_t shared = 0;
  std::vector<const std::vector<std::int64_t>*> counts;
  for (const auto& [enhancer, by_shift] : by_enhancer) {
    shared += by_shift[0];
    counts.push_back(&by_shift);
  }
  const auto n = static_cast<double>(pairs.size());
  RandomStream random(options.seed, kOverlapStream);
  std::vector<double> replicates;
  for (std::int64_t i = 0; i < options.replicates; ++i) {
    std::int64_t sum = 0;
    for (const std::vector<std::int64_t>* by_shift : counts) {
      sum += (*by_shift)[1 + random.below(static_cast<std::uint64_t>(bins - 1))];
    }
    replicates.push_back(static_cast<double>(sum) / n);
  }
  return null_test(static_cast<double>(shared) / n, std::move(replicates));
}

}  // namespace cdt
