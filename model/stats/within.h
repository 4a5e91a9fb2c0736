// Correlation within groups: of values centred on their group's mean, so that differences between
// groups count for nothing. Within genes it asks whether a prediction knows which enhancer acts,
// within enhancers whether it knows on which gene.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace cdt {

/// Pairs of values in groups; groups of a single pair carry no information and are left out.
class WithinGroups {
 public:
  /// x, y and group have equal length.
  WithinGroups(std::span<const float> x, std::span<const float> y,
               std::span<const std::int32_t> group);

  std::int64_t pairs() const { return static_cast<std::int64_t>(items_.size()); }
  std::int64_t groups() const { return groups_; }
  /// Correlation over all groups; NaN if undefined: no groups, or x or y constant within each.
  double pearson() const;
  /// That of a sample in which pair i of the constructor's occurs times[i] times, each group
  /// centred on its mean in that sample.
  double pearson(std::span<const double> times) const;

 private:
  struct Item {
    std::size_t index;  // of the constructor's pair
    double x, y;        // minus those of the group's first pair, so that constants are exactly 0
    bool last_of_group;
  };
  template <class Times>
  double correlate(const Times& times) const;

  std::vector<Item> items_;  // by group
  std::int64_t groups_ = 0;
};

}  // namespace cdt
