#include "model/explain/occlusion.h"

#include <algorithm>

#include "engine/error.h"

namespace cdt {

std::vector<BinRange> occlusion_ranges(std::int64_t bins, std::int64_t width) {
  CDT_CHECK(width > 0, "an occlusion hides at least one bin");
  std::vector<BinRange> out;
  for (std::int64_t begin = 0; begin < bins; begin += width) {
    out.push_back({begin, std::min(begin + width, bins)});
  }
  return out;
}

std::vector<float> spread(const std::vector<BinRange>& ranges, std::span<const float> effects,
                          std::int64_t bins) {
  std::vector<float> out(static_cast<std::size_t>(bins), 0.0F);
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    std::fill(out.begin() + ranges[i].begin, out.begin() + ranges[i].end, effects[i]);
  }
  return out;
}

Occlusion::Occlusion(Cdt& model, Tape& tape, const Trunks& trunks, std::int64_t batch)
    : model_(model), tape_(tape), trunks_(trunks), batch_(batch) {}

// (batch, G) from z (batch, L, D); without a gradient nothing is recorded.
std::vector<float> Occlusion::predict(const std::vector<float>& z, std::int64_t batch,
                                      std::int64_t bins) {
  tape_.clear();
  tape_.eval();
  const Tensor value = tape_.saved({batch, bins, model_.config().hidden});
  tape_.backend().upload(value, z.data());
  return to_host(tape_.backend(),
                 model_.forward_from_linear(tape_, tape_.constant(value), trunks_)->value);
}

std::vector<std::vector<float>> Occlusion::predictions_without(
    std::span<const float> z, std::span<const float> baseline, std::int64_t bins,
    const std::vector<BinRange>& ranges, const std::vector<std::int32_t>& genes,
    const std::function<void()>& after_pass) {
  const std::int64_t d = model_.config().hidden;
  const auto outputs = static_cast<std::size_t>(model_.config().genes);
  std::vector<std::vector<float>> out;
  for (std::size_t first = 0; first < ranges.size();) {
    const std::size_t count = std::min(ranges.size() - first, static_cast<std::size_t>(batch_));
    std::vector<float> copies;
    copies.reserve(count * z.size());
    for (std::size_t i = 0; i < count; ++i) {
      const BinRange& range = ranges[first + i];
      CDT_CHECK(range.begin >= 0 && range.begin < range.end && range.end <= bins,
                "an occluded range lies in the window");
      const auto begin = static_cast<std::ptrdiff_t>(copies.size());
      copies.insert(copies.end(), z.begin(), z.end());
      std::copy(baseline.begin() + range.begin * d, baseline.begin() + range.end * d,
                copies.begin() + begin + range.begin * d);
    }
    const std::vector<float> predictions = predict(copies, static_cast<std::int64_t>(count), bins);
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<float>& of_range = out.emplace_back();
      for (const std::int32_t gene : genes) {
        of_range.push_back(predictions.at(i * outputs + static_cast<std::size_t>(gene)));
      }
    }
    first += count;
    after_pass();
  }
  tape_.clear();
  return out;
}

std::vector<std::vector<float>> Occlusion::effects(std::span<const float> z,
                                                   std::span<const float> baseline,
                                                   std::int64_t bins,
                                                   const std::vector<BinRange>& ranges,
                                                   const std::vector<std::int32_t>& genes,
                                                   const std::function<void()>& after_pass) {
  const std::vector<float> whole = predict({z.begin(), z.end()}, 1, bins);
  std::vector<std::vector<float>> out =
      predictions_without(z, baseline, bins, ranges, genes, after_pass);
  for (std::vector<float>& of_range : out) {
    for (std::size_t i = 0; i < genes.size(); ++i) {
      of_range[i] = whole.at(static_cast<std::size_t>(genes[i])) - of_range[i];
    }
  }
  return out;
}

}  // namespace cdt
