#include "apps/split/rule.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

#include "apps/split/units.h"
#include "engine/error.h"
#include "engine/permutation.h"
#include "io/dataset/folds.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::uint32_t kSplitStream = 0x32000000U;  // random stream of the units' order

/// What a unit, or a part, holds.
struct Load {
  double pairs = 0, positive = 0;
};

/// A part should have at least this many units: an interval over fewer is not to be trusted.
constexpr double kLeastUnits = 20;

/// The parts as they fill.
class Parts {
 public:
  Parts(std::span<const double> shares, const Load& all, const std::vector<double>& unit_sizes)
      : all_(all), equal_(true), held_(shares.size()) {
    const double largest = *std::max_element(shares.begin(), shares.end());
    for (const double share : shares) {
      equal_ = equal_ && share == largest;
      wanted_.push_back({share * all.pairs, share * all.positive});
      const double limit = wanted_.back().pairs / kLeastUnits;
      double small = 0;  // pairs of units that are small enough
      for (const double size : unit_sizes) small += size <= limit ? size : 0;
      const bool can_choose = share < largest && small >= 2 * wanted_.back().pairs;
      limit_.push_back(can_choose ? limit : INFINITY);
    }
  }

  /// Adds a unit to the part that needs it most, and returns that part.
  std::int32_t take(const Load& unit) {
    std::size_t best = held_.size();
    for (std::size_t i = 0; i < held_.size(); ++i) {
      if (!(wanted_[i].pairs > 0) || unit.pairs > limit_[i]) continue;
      if (best == held_.size() || need(i, unit) > need(best, unit)) best = i;
    }
    held_[best].pairs += unit.pairs;
    held_[best].positive += unit.positive;
    return static_cast<std::int32_t>(best);
  }

 private:
  /// Equal parts need what they lack most of: positives if the unit has some, then pairs. A unit
  /// may be larger than the whole of a small part, so unequal parts need what brings pairs and
  /// positives nearest to the shares: what lowers the sums of (held - wanted)^2 / wanted most.
  std::pair<double, double> need(std::size_t i, const Load& unit) const {
    const Load &held = held_[i], &wanted = wanted_[i];
    const double pairs = 1 - held.pairs / wanted.pairs;
    const double positive = unit.positive > 0 ? 1 - held.positive / wanted.positive : 0.0;
    if (equal_) return {positive, pairs};
    double gain = unit.pairs / all_.pairs * (2 * pairs - unit.pairs / wanted.pairs);
    if (unit.positive > 0) {
      gain += unit.positive / all_.positive * (2 * positive - unit.positive / wanted.positive);
    }
    return {gain, 0.0};
  }

  Load all_;
  bool equal_;  // whether all parts want the same
  std::vector<Load> wanted_, held_;
  std::vector<double> limit_;  // pairs of the largest unit that a part takes
};

void require_units(const std::vector<std::int32_t>& units, std::int64_t least, Unit unit) {
  const std::int64_t held = distinct_units(units);
  if (held >= least) return;
  throw InputError("command line", "--by",
                   expected_got(std::string("too few ") + unit_plural(unit) + " to divide",
                                "at least " + std::to_string(least), std::to_string(held)));
}

std::vector<Pair> into_folds(const std::vector<Pair>& pairs, const std::vector<std::int32_t>& units,
                             const SplitRule& rule) {
  require_units(units, rule.folds, rule.unit);
  const std::vector<double> shares(static_cast<std::size_t>(rule.folds),
                                   1.0 / static_cast<double>(rule.folds));
  const std::vector<std::int32_t> part = assign(pairs, units, shares, rule.seed);
  std::vector<Pair> out = pairs;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].fold = part[i] + 1;
    out[i].split = split_in_fold(out[i].fold, 1, rule.folds);
  }
  return out;
}

}  // namespace

std::vector<std::int32_t> assign(const std::vector<Pair>& pairs,
                                 const std::vector<std::int32_t>& units,
                                 std::span<const double> shares, std::uint64_t seed) {
  Load all;
  std::map<std::int32_t, Load> loads;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const double positive = pairs[i].label == 1 ? 1 : 0;
    for (Load* load : {&all, &loads[units[i]]}) {
      load->pairs += 1;
      load->positive += positive;
    }
  }
  const std::vector<std::pair<std::int32_t, Load>> list(loads.begin(), loads.end());
  std::vector<std::int32_t> order =
      permutation(static_cast<std::int64_t>(list.size()), {seed, kSplitStream});
  const auto size_class = [&](std::int32_t at) {  // random among units of about the same size
    return std::bit_width(
        static_cast<std::uint64_t>(list[static_cast<std::size_t>(at)].second.pairs));
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int32_t a, std::int32_t b) { return size_class(a) > size_class(b); });
  std::vector<double> sizes;
  for (const auto& [unit, load] : list) sizes.push_back(load.pairs);
  Parts parts(shares, all, sizes);
  std::map<std::int32_t, std::int32_t> part_of;
  for (const std::int32_t at : order) {
    const auto& [unit, load] = list[static_cast<std::size_t>(at)];
    part_of[unit] = parts.take(load);
  }
  std::vector<std::int32_t> out;
  for (const std::int32_t unit : units) out.push_back(part_of.at(unit));
  return out;
}

std::vector<Pair> split_again(const Dataset& data, const std::vector<std::int32_t>& units,
                              const SplitRule& rule) {
  if (rule.folds > 0) return into_folds(data.pairs, units, rule);
  std::vector<double> shares = rule.shares;
  const auto take_all = [&](Split split, const std::set<std::string>& chroms) {
    if (!chroms.empty()) shares[static_cast<std::size_t>(split)] = 0;
  };
  take_all(Split::kTest, rule.test_chroms);
  take_all(Split::kVal, rule.val_chroms);
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share /= sum;
  std::vector<Pair> out = data.pairs, rest;
  std::vector<std::int32_t> units_of_rest;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].fold = 0;
    const std::string& chrom = enhancer_of(data, out[i]).chrom;
    const bool is_test = rule.test_chroms.contains(chrom);
    if (is_test || rule.val_chroms.contains(chrom)) {
      out[i].split = is_test ? Split::kTest : Split::kVal;
    } else {
      rest.push_back(out[i]);
      units_of_rest.push_back(units[i]);
      places.push_back(i);
    }
  }
  if (rest.empty()) {
    throw InputError("command line", rule.test_chroms.empty() ? "--val-chroms" : "--test-chroms",
                     "no pair is left to train on");
  }
  require_units(units_of_rest,
                std::count_if(shares.begin(), shares.end(), [](double s) { return s > 0; }),
                rule.unit);
  const std::vector<std::int32_t> part = assign(rest, units_of_rest, shares, rule.seed);
  for (std::size_t i = 0; i < rest.size(); ++i) out[places[i]].split = static_cast<Split>(part[i]);
  return out;
}

}  // namespace cdt
