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

namespace cdt {

struct TensorInfo {
  std::string name;
  std::vector<std::int64_t> shape;
  std::string dtype;  // "F32", ...
};

class SafetensorsReader {
 public:
  /// InputError names the file and "header" or the tensor.
  explicit SafetensorsReader(const std::filesystem::path& path);

  /// In the order of their data in the file.
  const std::vector<TensorInfo>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  bool has_metadata(const std::string& key) const { return metadata_.count(key) > 0; }
  /// One entry; fail_metadata(key, without) if there is none of that key.
  const std::string& metadata(const std::string& key,
                              const std::string& without = "is missing") const;
  /// Throws InputError(file, "metadata.KEY", what).
  [[noreturn]] void fail_metadata(const std::string& key, const std::string& what) const;
  bool has(const std::string& name) const { return index_.count(name) != 0; }
  /// Shape and dtype of a tensor; InputError if there is none of that name.
  const TensorInfo& info(const std::string& name) const;
  /// Copies a tensor, C order, as float32: F16 and BF16 are widened exactly, F64 is rounded.
  /// InputError for other dtypes, a F64 too large for a float32, and unknown names; Error if the
  /// file was cut short since it was opened.
  void read(const std::string& name, float* out) const;
  const std::filesystem::path& path() const { return file_.path(); }

 private:
  std::size_t find(const std::string& name) const;

  InputFile file_;
  std::vector<TensorInfo> tensors_;
  std::vector<std::size_t> begin_;  // byte offset in the file, per tensor
  std::vector<std::size_t> bytes_;
  std::map<std::string, std::size_t> index_;
  std::map<std::string, std::string> metadata_;
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

}  // namespace cdt
