// A file of named tensors: safetensors (safetensors.h) or written by torch.save (pt.h). Programs
// recognise either by its content, never by its name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cdt {

struct TensorInfo {
  std::string name;
  std::vector<std::int64_t> shape;
  std::string dtype;  // as safetensors names them: "F32", "F64", "F16", "BF16", ...
};

class TensorFile {
 public:
  virtual ~TensorFile() = default;
  TensorFile(const TensorFile&) = delete;
  TensorFile& operator=(const TensorFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// The tensors, in the order of the file.
  const std::vector<TensorInfo>& tensors() const { return tensors_; }
  bool has(const std::string& name) const { return index_.count(name) != 0; }
  /// Shape and dtype of a tensor; throws InputError if the name is unknown.
  const TensorInfo& info(const std::string& name) const { return tensors_[find(name)]; }
  /// Copies a tensor in C order as float32: F16 and BF16 are widened exactly, F64 is rounded.
  /// Throws InputError for other dtypes, an F64 too large for float32, unknown names, and damage
  /// that shows only now; Error if the file was cut short since it was opened.
  void read(const std::string& name, float* out) const;

  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  bool has_metadata(const std::string& key) const { return metadata_.count(key) > 0; }
  /// The metadata of this key; calls fail_metadata(key, without) if there is none.
  const std::string& metadata(const std::string& key,
                              const std::string& without = "is missing") const;
  /// Throws InputError(file, "metadata.KEY", what).
  [[noreturn]] void fail_metadata(const std::string& key, const std::string& what) const;

 protected:
  explicit TensorFile(std::filesystem::path path) : path_(std::move(path)) {}
  /// Adds a tensor; throws InputError if there is already one of that name.
  void add(TensorInfo info);
  void set_metadata(std::map<std::string, std::string> metadata) {
    metadata_ = std::move(metadata);
  }

 private:
  std::size_t find(const std::string& name) const;
  /// Reads the bytes of tensor `i` in C order; shape and dtype determine how many.
  virtual void read_bytes(std::size_t i, void* out) const = 0;

  std::filesystem::path path_;
  std::vector<TensorInfo> tensors_;
  std::map<std::string, std::size_t> index_;
  std::map<std::string, std::string> metadata_;
};

/// Size of an element in bytes; 0 for a dtype unknown to both formats.
std::int64_t element_bytes(std::string_view dtype);

/// Opens a file of either format. Throws the InputErrors of their readers; for a file that is
/// neither, that of the safetensors reader.
std::unique_ptr<TensorFile> open_tensor_file(const std::filesystem::path& path);

}  // namespace cdt
