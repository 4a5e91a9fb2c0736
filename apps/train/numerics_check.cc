#include "apps/train/numerics_check.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "io/format/floats.h"
#include "io/format/text.h"

namespace cdt {
namespace {

/// Place of element i of a tensor, as Shape::to_string() writes sizes.
std::string place_of(std::int64_t i, const Shape& shape) {
  std::vector<std::string> places;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    places.insert(places.begin(), std::to_string(i % shape[d]));
    i /= shape[d];
  }
  return "(" + joined(places, ", ") + ")";
}

}  // namespace

std::string NumericsCheck::found_in(const Tensor& tensor) {
  if (tensor.dtype == Dtype::kInt32 || tensor.count() == 0) return "";
  const auto count = static_cast<std::size_t>(tensor.count());
  values_.resize(count);
  if (tensor.dtype == Dtype::kBFloat16) {
    std::vector<std::uint16_t> halves(count);
    backend_.download(halves.data(), tensor);
    std::transform(halves.begin(), halves.end(), values_.begin(), bfloat16_to_float);
  } else {
    backend_.download(values_.data(), tensor);
  }
  const std::int64_t first = first_non_finite(values_.data(), tensor.count());
  if (first < 0) return "";
  const auto all = std::count_if(values_.begin() + first, values_.end(),
                                 [](float x) { return !std::isfinite(x); });
  const float value = values_[static_cast<std::size_t>(first)];
  return std::string(std::isnan(value) ? "NaN"
                     : value > 0.0F    ? "infinity"
                                       : "-infinity") +
         " at " + place_of(first, tensor.shape) + " of " + tensor.shape.to_string() +
         (all > 1 ? ", the first of " + std::to_string(all) : "");
}

void NumericsCheck::computed(ProfilePass pass, const char* op, std::string_view module,
                             const Tensor& tensor) {
  const std::string found = found_in(tensor);
  if (found.empty()) return;
  const std::string where = op + (module.empty() ? "" : " of " + std::string(module));
  throw NotFinite(pass == ProfilePass::kForward
                      ? where + " yields " + found
                      : "the gradient rule of " + where + " yields " + found);
}

void NumericsCheck::updated(const Cdt& model, const AdamW& optimiser) {
  std::size_t i = 0;
  for (const Parameter& parameter : model.parameters()) {
    if (!parameter.trained()) continue;
    const std::pair<const char*, Tensor> parts[] = {
        {"", parameter.variable.value},
        {"the first moment of ", optimiser.first_moment(i)},
        {"the second moment of ", optimiser.second_moment(i)}};
    for (const auto& [part, tensor] : parts) {
      const std::string found = found_in(tensor);
      if (found.empty()) continue;
      throw NotFinite(std::string("the update of ") + part + parameter.name + " yields " + found);
    }
    ++i;
  }
}

}  // namespace cdt
