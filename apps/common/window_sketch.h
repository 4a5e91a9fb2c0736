// Near-identical DNA windows, found by content: enhancers whose embeddings are nearly the same
// although their coordinates do not overlap (copied rows, duplicated sequence), so that a split by
// position does not keep them apart.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "io/dataset/dataset.h"

namespace cdt {

inline constexpr std::size_t kSketchSize = 256;
/// Two windows are near-identical if they differ by less than this share of what two windows of the
/// data set typically differ by (the root mean square over all pairs).
inline constexpr double kNearIdentical = 0.1;

/// Sketch of a window: sums of its values over random groups with random signs (Charikar, Chen and
/// Farach-Colton, Finding frequent items in data streams, 2004). The squared distance of two
/// sketches is an unbiased estimate of that of the windows, with a relative standard deviation of
/// about sqrt(2 / 256) = 9 %, and equal windows have equal sketches.
struct WindowSketch {
  std::array<float, kSketchSize> sums{};
  bool is_zero = true;  // every value of the window: an enhancer without DNA
};

class WindowSketcher {
 public:
  /// values: of a window, L x dna_dim.
  explicit WindowSketcher(std::int64_t values);
  WindowSketch of(const float* window) const;

 private:
  std::vector<std::uint16_t> group_;  // of each value; the sign is the bit above it
};

/// Groups of near-identical windows: the number of its group for each window, equal if the windows
/// are near-identical, directly or through others. Windows without DNA are alone. Takes time
/// quadratic in their number, about a minute for 100,000; calls poll().
std::vector<std::int32_t> near_identical(const std::vector<WindowSketch>& sketches);

/// Reads all DNA once and groups it; nothing if go_on(windows read) returns false.
std::vector<std::int32_t> near_identical_windows(
    const Dataset& data, const std::function<bool(std::int64_t done)>& go_on);

}  // namespace cdt
