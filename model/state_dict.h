// The tensors of a model file under the names the model gives them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "io/format/tensor_file.h"
#include "model/config.h"

namespace cdt {

/// PyTorch's wrappers put a prefix before every name of a state_dict ("module." of DataParallel,
/// "_orig_mod." of torch.compile); such prefixes are left out. The reader outlives it.
class StateDict {
 public:
  /// InputError naming the first tensor without the prefix where only some names have it.
  explicit StateDict(const TensorFile& reader);

  std::string file() const { return reader_.path().string(); }
  /// By the name without the prefix.
  const std::map<std::string, std::vector<std::int64_t>>& shapes() const { return shapes_; }
  /// One line on stderr if a prefix is left out, and one for each type of number that is brought to
  /// float32.
  void note_differences() const;

  /// `config` with the sizes that the tensors have; those that leave no trace in them stay.
  /// InputError naming a tensor that is missing or of no size of a model.
  CdtConfig sizes_into(CdtConfig config) const;
  /// The values of a tensor, C order. InputError naming it where one is NaN or infinite, or it is
  /// of a type that does not become float32.
  std::vector<float> read(const std::string& name) const;

 private:
  std::int64_t dimension(const std::string& name, std::size_t axis) const;
  std::int64_t rows(const std::string& name) const { return dimension(name, 0); }
  std::int64_t columns(const std::string& name) const { return dimension(name, 1); }
  std::int64_t layers(const std::string& modality) const;

  const TensorFile& reader_;
  std::string prefix_;
  std::map<std::string, std::vector<std::int64_t>> shapes_;
};

}  // namespace cdt
