#include "apps/train/state_digest.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "apps/train/state.h"
#include "engine/error.h"
#include "io/format/digest.h"
#include "io/format/file_digest.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

class StateDigest {
 public:
  explicit StateDigest(const std::map<std::string, std::string>& metadata) {
    for (const auto& [key, value] : metadata) {
      if (key == kStateDigest) continue;
      digest_.add(key);
      digest_.add(value);
    }
  }
  /// read(out) produces the values of the tensor.
  void add(const std::string& name, const std::vector<std::int64_t>& shape,
           const std::function<void(float*)>& read) {
    std::size_t count = 1;
    digest_.add(name);
    for (const std::int64_t dim : shape) {
      digest_.add(static_cast<std::uint64_t>(dim));
      count *= static_cast<std::size_t>(dim);
    }
    values_.resize(count);
    read(values_.data());
    digest_.add(values_);
  }
  std::string hex() const { return digest_.hex(); }

 private:
  Digest digest_;
  std::vector<float> values_;
};

std::string digest_of_state(const TensorFile& state) {
  StateDigest digest(state.metadata());
  for (const TensorInfo& info : state.tensors()) {
    digest.add(info.name, info.shape, [&](float* out) { state.read(info.name, out); });
  }
  return digest.hex();
}

void expect_whole(const fs::path& folder) {
  const SafetensorsReader state(folder / "state.safetensors");
  const std::string found = digest_of_state(state);
  if (is_without_digests(state)) return;
  const auto expect = [](const std::string& recorded, const std::string& digest,
                         const fs::path& file) {
    if (digest == recorded) return;
    throw InputError(file.string(), "digest",
                     expected_got("the file is damaged", recorded, digest));
  };
  expect(state.metadata(kStateDigest), found, state.path());
  const fs::path model = folder / "model.safetensors";
  expect(state.metadata(kModelFileDigest), digest_of_file(model), model);
}

}  // namespace

std::string digest_of_state(const std::map<std::string, std::string>& metadata,
                            const std::vector<TensorToWrite>& tensors) {
  StateDigest digest(metadata);
  for (const TensorToWrite& tensor : tensors) {
    digest.add(tensor.name, tensor.shape, [&](float* out) {
      if (tensor.fill) return tensor.fill(out);
      std::size_t count = 1;
      for (const std::int64_t dim : tensor.shape) count *= static_cast<std::size_t>(dim);
      std::copy(tensor.data, tensor.data + count, out);
    });
  }
  return digest.hex();
}

std::string damage_in(const fs::path& folder) {
  try {
    expect_whole(folder);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace cdt
