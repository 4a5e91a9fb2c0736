#include "model/stats/shrinkage.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "engine/error.h"

namespace cdt {
namespace {

struct Group {
  double n = 0, mean = 0;
};

/// What the prior needs from the values: size and mean of each group, and the sum of squares
/// within.
struct GroupMoments {
  std::vector<Group> groups;
  double within = 0;  // sum of squared distances from the group's mean

  GroupMoments(std::span<const double> values, std::span<const std::int32_t> group,
               std::size_t count)
      : groups(count) {
    CDT_CHECK(!values.empty() && values.size() == group.size(), "means need values with groups");
    for (std::size_t i = 0; i < values.size(); ++i) {
      Group& g = groups.at(static_cast<std::size_t>(group[i]));
      g.n += 1;
      g.mean += values[i];
    }
    for (Group& g : groups) g.mean /= std::max(g.n, 1.0);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double distance = values[i] - groups[static_cast<std::size_t>(group[i])].mean;
      within += distance * distance;
    }
  }
};

/// Fraction of its distance from the centre that a mean of n values keeps.
double kept(double n, double ratio) { return n == 0 ? 0.0 : n / (n + ratio); }

/// The centre towards which means are shrunk, and how strongly (ShrunkMeans).
struct Prior {
  double centre = 0, ratio = std::numeric_limits<double>::infinity();

  double mean_of(const Group& g) const { return centre + kept(g.n, ratio) * (g.mean - centre); }
};

Prior prior_of(const GroupMoments& m) {
  double n = 0;
  double squared_n = 0;
  double total = 0;
  double filled = 0;
  for (const Group& g : m.groups) {
    n += g.n;
    squared_n += g.n * g.n;
    total += g.n * g.mean;
    filled += g.n > 0 ? 1 : 0;
  }
  Prior out;
  out.centre = total / n;
  if (filled < 2 || n == filled) return out;
  double squares = 0;
  for (const Group& g : m.groups) {
    squares += g.n * (g.mean - out.centre) * (g.mean - out.centre);
  }
  const double within = m.within / (n - filled);
  const double typical_n = (n - squared_n / n) / (filled - 1);
  const double between = (squares / (filled - 1) - within) / typical_n;
  if (!(between > 0)) return out;
  out.ratio = within / between;
  double weights = 0;
  double weighted = 0;
  for (const Group& g : m.groups) {
    weights += kept(g.n, out.ratio);
    weighted += kept(g.n, out.ratio) * g.mean;
  }
  out.centre = weighted / weights;
  return out;
}

}  // namespace

ShrunkMeans shrink_means(std::span<const double> values, std::span<const std::int32_t> group,
                         std::size_t groups) {
  const GroupMoments moments(values, group, groups);
  const Prior e = prior_of(moments);
  ShrunkMeans out{e.centre, e.ratio, {}};
  for (const Group& g : moments.groups) out.means.push_back(e.mean_of(g));
  return out;
}

std::vector<double> leave_unit_out_means(std::span<const double> values,
                                         std::span<const std::int32_t> group, std::size_t groups,
                                         std::span<const std::int32_t> unit) {
  CDT_CHECK(unit.size() == values.size(), "one unit per value");
  const GroupMoments moments(values, group, groups);
  const Prior e = prior_of(moments);
  std::map<std::pair<std::int32_t, std::int32_t>, Group> own;  // of a group and unit
  for (std::size_t i = 0; i < values.size(); ++i) {
    Group& part = own[{group[i], unit[i]}];
    part.n += 1;
    part.mean += (values[i] - part.mean) / part.n;
  }
  std::vector<double> out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Group& whole = moments.groups[static_cast<std::size_t>(group[i])];
    const Group& part = own.at({group[i], unit[i]});
    const double n = whole.n - part.n;
    const double others = n > 0 ? (whole.n * whole.mean - part.n * part.mean) / n : 0.0;
    out.push_back(e.mean_of({n, others}));
  }
  return out;
}

}  // namespace cdt
