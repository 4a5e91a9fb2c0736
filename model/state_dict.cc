#include "model/state_dict.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "engine/error.h"
#include "io/format/warning.h"

namespace cdt {
namespace {

constexpr std::array<std::string_view, 2> kWrappers = {"module.", "_orig_mod."};

/// What all names begin with, wrapper in wrapper.
std::string common_prefix(const std::vector<TensorInfo>& tensors, const std::string& file) {
  std::string prefix;
  for (std::size_t i = 0; i < kWrappers.size();) {
    const std::string longer = prefix + std::string(kWrappers[i]);
    const auto has = [&](const TensorInfo& info) { return info.name.starts_with(longer); };
    const auto lacks = std::find_if_not(tensors.begin(), tensors.end(), has);
    if (lacks != tensors.end() && std::any_of(tensors.begin(), tensors.end(), has)) {
      throw InputError(file, lacks->name,
                       expected_got("only other tensors have the prefix of a PyTorch wrapper",
                                    longer + "... in all names or in none", lacks->name));
    }
    const bool all = lacks == tensors.end() && !tensors.empty();
    if (all) prefix = longer;
    i = all ? 0 : i + 1;
  }
  return prefix;
}

}  // namespace

StateDict read_state_dict(const SafetensorsReader& reader) {
  StateDict dict;
  dict.prefix = common_prefix(reader.tensors(), reader.path().string());
  for (const TensorInfo& info : reader.tensors()) {
    dict.shapes[info.name.substr(dict.prefix.size())] = info.shape;
  }
  return dict;
}

void note_differences(const SafetensorsReader& reader, const StateDict& dict) {
  const std::string file = reader.path().string() + ": ";
  if (!dict.prefix.empty()) {
    note(file + "every name begins with " + dict.prefix + ", which is left out");
  }
  const auto wide = std::count_if(reader.tensors().begin(), reader.tensors().end(),
                                  [](const TensorInfo& info) { return info.dtype == "F64"; });
  if (wide > 0) {
    note(file + std::to_string(wide) + " of " + std::to_string(reader.tensors().size()) +
         " tensors are float64 and are rounded to float32");
  }
}

}  // namespace cdt
