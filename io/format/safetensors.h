// The safetensors format: u64 header length, JSON header, one buffer of little-endian tensors
// (huggingface/safetensors, format description). A file is validated before it is used: header at
// most 100 MB and within the file, offsets that cover the whole buffer without gap or overlap,
// shape x dtype equal to the size, no duplicate names, metadata of strings only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "io/format/file.h"
#include "io/format/tensor_file.h"

namespace cdt {

class AtomicFile;

class SafetensorsReader : public TensorFile {
 public:
  /// Opens the file. Throws InputError naming it and "header" or the tensor.
  explicit SafetensorsReader(const std::filesystem::path& path);

 private:
  void read_bytes(std::size_t i, void* out) const override;

  InputFile file_;
  std::vector<std::size_t> begin_;  // byte offset of each tensor in the file
  std::vector<std::size_t> bytes_;
};

struct TensorToWrite {
  std::string name;
  std::vector<std::int64_t> shape;
  const float* data = nullptr;
  /// Alternative to data: called once, in order, to produce the values, so that only one tensor at
  /// a time is in memory.
  std::function<void(float*)> fill = nullptr;
};

/// Writes F32 tensors in the given order, atomically; the buffer starts at a multiple of 8 bytes.
void write_safetensors(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata);
/// Writes to a file that the caller commits.
void write_safetensors(AtomicFile& file, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace cdt
