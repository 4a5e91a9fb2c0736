// The tensors of a model file under the names the model gives them. PyTorch's wrappers put a prefix
// before every name of a state_dict ("module." of DataParallel, "_orig_mod." of torch.compile);
// such prefixes are left out.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "io/format/safetensors.h"

namespace cdt {

struct StateDict {
  std::string prefix;  // stands before every name in the file; "" if nothing does
  std::map<std::string, std::vector<std::int64_t>> shapes;  // by the name without it
};

/// InputError naming the first tensor without the prefix where only some names have it.
StateDict read_state_dict(const SafetensorsReader& reader);

/// One line on stderr if a prefix is left out, and one if tensors are float64, whose values are
/// rounded to float32.
void note_differences(const SafetensorsReader& reader, const StateDict& dict);

}  // namespace cdt
