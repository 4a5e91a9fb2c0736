#include "apps/common/window_sketch.h"

#include <numeric>

#include "apps/common/union_find.h"
#include "engine/poll.h"
#include "engine/random.h"

namespace cdt {
namespace {

constexpr std::uint32_t kSketchStream = 0x31000000U;  // random stream of groups and signs
constexpr std::uint16_t kSign = kSketchSize;          // the bit above the groups

/// Twice the sum over the sketch of the variance: the mean squared difference of two windows.
double typical_difference(const std::vector<WindowSketch>& sketches) {
  double out = 0;
  std::int64_t n = 0;
  for (const WindowSketch& s : sketches) n += s.is_zero ? 0 : 1;
  for (std::size_t i = 0; i < kSketchSize && n > 0; ++i) {
    double mean = 0;
    double square = 0;
    for (const WindowSketch& s : sketches) mean += s.sums[i] / static_cast<double>(n);
    for (const WindowSketch& s : sketches) {
      if (!s.is_zero) square += (s.sums[i] - mean) * (s.sums[i] - mean);
    }
    out += 2 * square / static_cast<double>(n);
  }
  return out;
}

/// Whether the squared difference of two sketches is at most `limit`. Two different windows are
/// past it after a few sums.
bool differ_by_at_most(double limit, const WindowSketch& a, const WindowSketch& b) {
  double sum = 0;
  for (std::size_t i = 0; i < kSketchSize; ++i) {
    const double difference = static_cast<double>(a.sums[i]) - b.sums[i];
    sum += difference * difference;
    if (sum > limit) return false;
  }
  return true;
}

}  // namespace

WindowSketcher::WindowSketcher(std::int64_t values) : group_(static_cast<std::size_t>(values)) {
  RandomStream random(0, kSketchStream);
  for (std::uint16_t& group : group_) {
    group = static_cast<std::uint16_t>(random.next_u32() % (2 * kSketchSize));
  }
}

WindowSketch WindowSketcher::of(const float* window) const {
  std::array<double, kSketchSize> sums{};
  WindowSketch out;
  for (std::size_t i = 0; i < group_.size(); ++i) {
    const double value = window[i];
    sums[group_[i] % kSketchSize] += (group_[i] & kSign) != 0 ? value : -value;
    out.is_zero = out.is_zero && value == 0;
  }
  for (std::size_t i = 0; i < kSketchSize; ++i) out.sums[i] = static_cast<float>(sums[i]);
  return out;
}

std::vector<std::int32_t> near_identical(const std::vector<WindowSketch>& sketches) {
  const double limit = kNearIdentical * kNearIdentical * typical_difference(sketches);
  UnionFind groups(sketches.size());
  for (std::size_t i = 0; i < sketches.size(); ++i) {
    poll();
    for (std::size_t j = 0; j < i && !sketches[i].is_zero; ++j) {
      if (!sketches[j].is_zero && differ_by_at_most(limit, sketches[i], sketches[j])) {
        groups.unite(i, j);
      }
    }
  }
  return groups.numbers();
}

std::vector<std::int32_t> near_identical_windows(
    const Dataset& data, const std::function<bool(std::int64_t done)>& go_on) {
  const WindowSketcher sketcher(data.bins * data.dna_dim);
  std::vector<float> window(static_cast<std::size_t>(data.bins * data.dna_dim));
  std::vector<WindowSketch> sketches;
  for (std::int32_t i = 0; i < data.enhancers_count(); ++i) {
    data.read_dna(i, window.data());
    sketches.push_back(sketcher.of(window.data()));
    if (!go_on(i + 1)) return {};
  }
  return near_identical(sketches);
}

}  // namespace cdt
