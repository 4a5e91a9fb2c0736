#include "model/stats/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "engine/poll.h"
#include "engine/random.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr std::uint32_t kBootstrapStream = 0xB007;
constexpr std::int64_t kBetweenPolls = 64;

/// One cluster's moments for a Pearson correlation. Values are centred on the means of the whole
/// sample beforehand, to avoid cancellation in the sums of a replicate.
struct Moments {
  double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;

  void add(const Moments& m) {
    n += m.n;
    x += m.x;
    y += m.y;
    xx += m.xx;
    yy += m.yy;
    xy += m.xy;
  }

  // Both NaN if undefined: rounding leaves a constant sequence with a variance of about 1e-16 of
  // its mean square.
  double pearson() const {
    const double vx = xx - x * x / n;
    const double vy = yy - y * y / n;
    if (vx <= 1e-14 * xx || vy <= 1e-14 * yy) return kNaN;
    return std::clamp((xy - x * y / n) / std::sqrt(vx * vy), -1.0, 1.0);
  }
  double slope() const {
    const double vx = xx - x * x / n;
    return vx <= 1e-14 * xx ? kNaN : (xy - x * y / n) / vx;
  }
};

/// Returns the moments of each cluster, clusters in ascending order.
std::vector<Moments> moments_by_cluster(std::span<const float> prediction,
                                        std::span<const float> target,
                                        std::span<const std::int32_t> cluster) {
  CDT_CHECK(prediction.size() == target.size() && target.size() == cluster.size(),
            "a prediction, a target and a cluster for every pair");
  const double mean_x = mean(std::vector<double>(prediction.begin(), prediction.end()));
  const double mean_y = mean(std::vector<double>(target.begin(), target.end()));
  std::map<std::int32_t, Moments> by_cluster;
  for (std::size_t i = 0; i < target.size(); ++i) {
    const double x = prediction[i] - mean_x;
    const double y = target[i] - mean_y;
    by_cluster[cluster[i]].add({1.0, x, y, x * x, y * y, x * y});
  }
  std::vector<Moments> out;
  out.reserve(by_cluster.size());
  for (const auto& [id, moments] : by_cluster) out.push_back(moments);
  return out;
}

double drawn_pearson(const std::vector<Moments>& clusters, const std::vector<std::size_t>& drawn) {
  return sum_of_drawn(clusters, drawn).pearson();
}

/// Calls body(indices of the drawn clusters) for each replicate.
template <class Body>
void for_each_draw(std::size_t clusters, const BootstrapOptions& options, const Body& body) {
  if (clusters < 2) return;
  RandomStream random(options.seed, kBootstrapStream);
  std::vector<std::size_t> drawn(clusters);
  for (std::int64_t replicate = 0; replicate < options.replicates; ++replicate) {
    if (replicate % kBetweenPolls == 0) poll();
    for (std::size_t& d : drawn) d = static_cast<std::size_t>(random.below(clusters));
    body(drawn);
  }
}

}  // namespace

Interval percentile_interval(std::vector<double> values, double level) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  std::sort(values.begin(), values.end());
  const double tail = 0.5 * (1.0 - level);
  return {quantile_of_sorted(values, tail), quantile_of_sorted(values, 1.0 - tail)};
}

double effective_clusters(std::span<const std::int32_t> cluster) {
  std::map<std::int32_t, double> sizes;
  for (const std::int32_t c : cluster) ++sizes[c];
  double squares = 0;
  for (const auto& [c, size] : sizes) squares += size * size;
  const auto items = static_cast<double>(cluster.size());
  return cluster.empty() ? 0.0 : items * items / squares;
}

Interval bootstrap_clusters(
    std::size_t clusters, const BootstrapOptions& options,
    const std::function<double(const std::vector<std::size_t>&)>& statistic) {
  std::vector<double> values;
  for_each_draw(clusters, options,
                [&](const std::vector<std::size_t>& drawn) { values.push_back(statistic(drawn)); });
  return percentile_interval(std::move(values), options.level);
}

void for_each_resample(std::span<const std::int32_t> cluster, const BootstrapOptions& options,
                       const std::function<void(std::span<const double> times)>& body) {
  std::vector<std::int32_t> ids(cluster.begin(), cluster.end());
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::vector<std::size_t> place;  // of each item's cluster
  for (const std::int32_t id : cluster) {
    place.push_back(
        static_cast<std::size_t>(std::lower_bound(ids.begin(), ids.end(), id) - ids.begin()));
  }
  std::vector<double> times_drawn(ids.size());
  std::vector<double> times(cluster.size());
  for_each_draw(ids.size(), options, [&](const std::vector<std::size_t>& drawn) {
    std::fill(times_drawn.begin(), times_drawn.end(), 0.0);
    for (const std::size_t d : drawn) ++times_drawn[d];
    for (std::size_t i = 0; i < times.size(); ++i) times[i] = times_drawn[place[i]];
    body(times);
  });
}

Interval bootstrap_mean(std::span<const double> values, std::span<const std::int32_t> cluster,
                        const BootstrapOptions& options) {
  CDT_CHECK(values.size() == cluster.size(), "a cluster for every value");
  struct Sum {
    double sum = 0, n = 0;
    void add(const Sum& s) {
      sum += s.sum;
      n += s.n;
    }
  };
  std::map<std::int32_t, Sum> by_cluster;
  for (std::size_t i = 0; i < values.size(); ++i) by_cluster[cluster[i]].add({values[i], 1.0});
  std::vector<Sum> sums;
  for (const auto& [id, sum] : by_cluster) sums.push_back(sum);
  return bootstrap_clusters(sums.size(), options, [&](const std::vector<std::size_t>& drawn) {
    const Sum all = sum_of_drawn(sums, drawn);
    return all.sum / all.n;
  });
}

Interval bootstrap_pearson(std::span<const float> prediction, std::span<const float> target,
                           std::span<const std::int32_t> cluster, const BootstrapOptions& options) {
  const std::vector<Moments> moments = moments_by_cluster(prediction, target, cluster);
  return bootstrap_clusters(moments.size(), options, [&](const std::vector<std::size_t>& drawn) {
    return drawn_pearson(moments, drawn);
  });
}

Interval bootstrap_pearson_difference(std::span<const float> first,
                                      std::span<const std::vector<float>> others,
                                      std::span<const float> target,
                                      std::span<const std::int32_t> cluster,
                                      const BootstrapOptions& options) {
  CDT_CHECK(!others.empty(), "a difference needs another prediction");
  const std::vector<Moments> own = moments_by_cluster(first, target, cluster);
  std::vector<std::vector<Moments>> compared;
  for (const std::vector<float>& other : others) {
    compared.push_back(moments_by_cluster(other, target, cluster));
  }
  const auto explained = [](const std::vector<Moments>& clusters,
                            const std::vector<std::size_t>& drawn) {
    const double r = drawn_pearson(clusters, drawn);
    return std::isnan(r) ? 0.0 : r;
  };
  return bootstrap_clusters(own.size(), options, [&](const std::vector<std::size_t>& drawn) {
    double sum = 0.0;
    for (const std::vector<Moments>& of_other : compared) sum += explained(of_other, drawn);
    return explained(own, drawn) - sum / static_cast<double>(compared.size());
  });
}

Interval bootstrap_slope(std::span<const float> prediction, std::span<const float> target,
                         std::span<const std::int32_t> cluster, const BootstrapOptions& options) {
  const std::vector<Moments> moments = moments_by_cluster(prediction, target, cluster);
  return bootstrap_clusters(moments.size(), options, [&](const std::vector<std::size_t>& drawn) {
    return sum_of_drawn(moments, drawn).slope();
  });
}

}  // namespace cdt
