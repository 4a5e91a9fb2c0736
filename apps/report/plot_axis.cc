// Ranges and ticks of axes (plot.h): one rule for every figure, whatever its numbers are.
#include <algorithm>
#include <cmath>

#include "apps/report/plot.h"

namespace cdt {
namespace {

constexpr double kNothing = 1e-250;      // smaller numbers count as 0
constexpr double kLeastRelative = 1e-4;  // span over size: ticks are printed with six digits

/// Whole decades, at least one.
AxisRange decades(const Extent& extent, const AxisStyle& style) {
  if (!std::isfinite(extent.least_positive())) return {1.0, 10.0, 10.0};
  const double low = std::floor(std::log10(extent.least_positive()));
  const double high = std::max(std::ceil(std::log10(extent.high())), low + 1.0);
  const double step = std::max(1.0, std::ceil((high - low) / style.most_ticks));
  return {std::pow(10.0, low), std::pow(10.0, high), std::pow(10.0, step)};
}

/// The extent, made wider where it is too narrow for ticks: to half its size on both sides.
AxisRange widened(const Extent& extent, const AxisStyle& style) {
  if (extent.empty()) return {};
  double low = style.from_zero ? std::min(extent.low(), 0.0) : extent.low();
  double high = style.from_zero ? std::max(extent.high(), 0.0) : extent.high();
  if (low == 0.0 && high == 0.0) return style.from_zero ? AxisRange{} : AxisRange{-1.0, 1.0};
  const double size = std::max(std::fabs(low), std::fabs(high));
  if (high - low < kLeastRelative * size) {
    const double middle = low + 0.5 * (high - low);
    low = middle - 0.5 * size;
    high = middle + 0.5 * size;
  }
  const double margin = style.margin * (high - low);
  return {low - margin, high + margin};
}

}  // namespace

Extent& Extent::add(double value) {
  if (!std::isfinite(value)) return *this;
  value = std::fabs(value) < kNothing ? 0.0 : std::clamp(value, -kHuge, kHuge);
  low_ = std::min(low_, value);
  high_ = std::max(high_, value);
  if (value > 0.0) least_positive_ = std::min(least_positive_, value);
  return *this;
}

Extent& Extent::add(const std::vector<std::vector<double>>& rows, std::size_t column) {
  for (const std::vector<double>& row : rows) add(row[column]);
  return *this;
}

double round_step(double span, double most) {
  const double least = span / most;
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least) return factor * power;
  }
  return 10.0 * power;
}

AxisRange axis_range(const Extent& extent, const AxisStyle& style) {
  if (style.logarithmic) return decades(extent, style);
  AxisRange range = widened(extent, style);
  range.tick = round_step(range.high - range.low, style.most_ticks);
  if (style.integers) range.tick = std::max(range.tick, 1.0);
  if (style.to_ticks) {
    range.low = range.tick * std::floor(range.low / range.tick);
    range.high = range.tick * std::ceil(range.high / range.tick);
  }
  return range;
}

}  // namespace cdt
