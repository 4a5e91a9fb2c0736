#include "model/positions.h"

#include <algorithm>
#include <cmath>

namespace cdt {
namespace {

constexpr double kKilobase = 1000.0;
constexpr std::int64_t kWaves = kBinFeatures / 2;
constexpr std::int64_t kBumps = 12;
constexpr double kFirstBump = 3.0, kBumpWidth = 0.3;  // in log10 of the distance
static_assert(kBinFeatures + 4 + kBumps == kGeneFeatures);

void waves(double distance, float* out) {
  for (std::int64_t k = 0; k < kWaves; ++k) {
    const double angle =
        distance / std::pow(10000.0, static_cast<double>(k) / static_cast<double>(kWaves));
    out[2 * k] = static_cast<float>(std::sin(angle));
    out[2 * k + 1] = static_cast<float>(std::cos(angle));
  }
}

}  // namespace

std::vector<float> bin_features(std::int64_t bins) {
  std::vector<float> out(static_cast<std::size_t>(bins * kBinFeatures));
  for (std::int64_t bin = 0; bin < bins; ++bin) {
    const double distance = static_cast<double>(bin) + 0.5 - static_cast<double>(bins) / 2.0;
    waves(distance, out.data() + bin * kBinFeatures);
  }
  return out;
}

void gene_features(std::optional<std::int64_t> distance, std::int64_t bins, std::int64_t bin_bp,
                   float* out) {
  std::fill(out, out + kGeneFeatures, 0.0F);
  if (!distance) return;
  const double away = std::abs(static_cast<double>(*distance));
  const double in_bins = static_cast<double>(*distance) / static_cast<double>(bin_bp);
  const bool inside = std::abs(in_bins) <= static_cast<double>(bins) / 2.0;
  if (inside) waves(in_bins, out);
  out[kBinFeatures] = 1.0F;
  out[kBinFeatures + 1] = inside ? 1.0F : 0.0F;
  const double far = std::log10(1.0 + away / kKilobase) / 3.0;
  out[kBinFeatures + 2] = static_cast<float>(std::copysign(far, in_bins));
  out[kBinFeatures + 3] = static_cast<float>(far);
  const double size = std::log10(std::max(away, kKilobase));
  for (std::int64_t k = 0; k < kBumps; ++k) {
    const double off = (size - kFirstBump - kBumpWidth * static_cast<double>(k)) / kBumpWidth;
    out[kBinFeatures + 4 + k] = static_cast<float>(std::exp(-0.5 * off * off));
  }
}

}  // namespace cdt
