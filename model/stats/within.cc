#include "model/stats/within.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/error.h"
#include "model/stats/statistics.h"

namespace cdt {

WithinGroups::WithinGroups(std::span<const float> x, std::span<const float> y,
                           std::span<const std::int32_t> group) {
  CDT_CHECK(x.size() == y.size() && y.size() == group.size(), "two values and a group per pair");
  std::map<std::int32_t, std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < group.size(); ++i) members[group[i]].push_back(i);
  for (const auto& [id, indices] : members) {
    if (indices.size() < 2) continue;
    ++groups_;
    const std::size_t first = indices.front();
    for (const std::size_t i : indices) {
      items_.push_back({i, static_cast<double>(x[i]) - x[first],
                        static_cast<double>(y[i]) - y[first], i == indices.back()});
    }
  }
}

template <class Times>
double WithinGroups::correlate(const Times& times) const {
  struct Sums {
    double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
  };
  Sums group;
  Sums raw;        // over all groups
  Sums deviation;  // likewise, about the groups' means
  for (const Item& item : items_) {
    const double n = times(item.index);
    group.n += n;
    group.x += n * item.x;
    group.y += n * item.y;
    group.xx += n * item.x * item.x;
    group.yy += n * item.y * item.y;
    group.xy += n * item.x * item.y;
    if (!item.last_of_group) continue;
    if (group.n > 0) {
      raw.xx += group.xx;
      raw.yy += group.yy;
      deviation.xx += group.xx - group.x * group.x / group.n;
      deviation.yy += group.yy - group.y * group.y / group.n;
      deviation.xy += group.xy - group.x * group.y / group.n;
    }
    group = {};
  }
  // Of a group with one distinct pair, rounding leaves about 1e-16 of its square.
  if (deviation.xx <= 1e-14 * raw.xx || deviation.yy <= 1e-14 * raw.yy) return kNaN;
  return std::clamp(deviation.xy / std::sqrt(deviation.xx * deviation.yy), -1.0, 1.0);
}

double WithinGroups::pearson() const {
  return correlate([](std::size_t /*index*/) { return 1.0; });
}

double WithinGroups::pearson(std::span<const double> times) const {
  return correlate([&](std::size_t index) { return times[index]; });
}

}  // namespace cdt
