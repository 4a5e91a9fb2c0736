// The safetensors format: u64 header length, JSON header, one buffer of little-endian tensors
// (huggingface/safetensors, format description). Reading validates everything before it is used:
// header at most 100 MB and within the file, offsets without holes or overlap over the whole
// buffer, shape x dtype equal to the size, no duplicate names, metadata strings only.
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
  /// InputError names the file and "header" or the tensor.
  explicit SafetensorsReader(const std::filesystem::path& path);

 private:
  void read_bytes(std::size_t i, void* out) const override;

  InputFile file_;
  std::vector<std::size_t> begin_;  // byte offset in the file, per tensor
  std::vector<std::size_t> bytes_;
};

struct TensorToWrite {
  std::string name;
  std::vector<std::int64_t> shape;
  const float* data = nullptr;
  /// In place of data: writes the values when their turn comes, once and in order, so that one
  /// tensor at a time takes memory.
  std::function<void(float*)> fill = nullptr;
};

/// Writes F32 tensors in the given order, atomically; the buffer starts at a multiple of 8 bytes.
void write_safetensors(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata);
/// The same to a file whose commit() is the caller's.
void write_safetensors(AtomicFile& file, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace cdt
