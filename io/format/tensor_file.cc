#include "io/format/tensor_file.h"

#include <array>
#include <cmath>

#include "engine/error.h"
#include "io/format/floats.h"
#include "io/format/pt.h"
#include "io/format/safetensors.h"
#include "io/format/text.h"

namespace cdt {
namespace {

struct StoredDtype {
  std::string_view name;
  std::int64_t bytes;
};

constexpr std::array<StoredDtype, 15> kDtypes{{{"F32", 4},
                                               {"F64", 8},
                                               {"F16", 2},
                                               {"BF16", 2},
                                               {"I64", 8},
                                               {"I32", 4},
                                               {"I16", 2},
                                               {"I8", 1},
                                               {"U64", 8},
                                               {"U32", 4},
                                               {"U16", 2},
                                               {"U8", 1},
                                               {"BOOL", 1},
                                               {"F8_E4M3", 1},
                                               {"F8_E5M2", 1}}};

}  // namespace

std::int64_t element_bytes(std::string_view dtype) {
  for (const StoredDtype& d : kDtypes) {
    if (dtype == d.name) return d.bytes;
  }
  return 0;
}

void TensorFile::add(TensorInfo info) {
  if (!index_.emplace(info.name, tensors_.size()).second) {
    throw InputError(path_.string(), info.name, "two tensors have this name");
  }
  tensors_.push_back(std::move(info));
}

std::size_t TensorFile::find(const std::string& name) const {
  const auto at = index_.find(name);
  if (at == index_.end()) throw InputError(path_.string(), name, "tensor is missing");
  return at->second;
}

const std::string& TensorFile::metadata(const std::string& key, const std::string& without) const {
  const auto at = metadata_.find(key);
  if (at == metadata_.end()) fail_metadata(key, without);
  return at->second;
}

void TensorFile::fail_metadata(const std::string& key, const std::string& what) const {
  throw InputError(path_.string(), "metadata." + key, what);
}

void TensorFile::read(const std::string& name, float* out) const {
  const std::size_t i = find(name);
  const std::string& dtype = tensors_[i].dtype;
  if (dtype == "F32") {
    read_bytes(i, out);
    return;
  }
  if (dtype != "F16" && dtype != "BF16" && dtype != "F64") {
    throw InputError(path_.string(), name, expected_got("dtype", "F32, F16, BF16 or F64", dtype));
  }
  std::size_t values = 1;
  for (const std::int64_t dim : tensors_[i].shape) values *= static_cast<std::size_t>(dim);
  std::vector<char> bytes(values * static_cast<std::size_t>(element_bytes(dtype)));
  read_bytes(i, bytes.data());
  if (dtype == "F64") {
    convert_values<double>(bytes.data(), values, out, [&](double value) {
      const auto narrow = static_cast<float>(value);
      if (std::isinf(narrow) && !std::isinf(value)) {
        throw InputError(path_.string(), name, format_number(value) + " is too large for float32");
      }
      return narrow;
    });
  } else {
    convert_values<std::uint16_t>(bytes.data(), values, out,
                                  dtype == "F16" ? half_to_float : bfloat16_to_float);
  }
}

std::unique_ptr<TensorFile> open_tensor_file(const std::filesystem::path& path) {
  if (is_pt_file(path)) return std::make_unique<PtReader>(path);
  return std::make_unique<SafetensorsReader>(path);
}

}  // namespace cdt
