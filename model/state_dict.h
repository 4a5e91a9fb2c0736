// The tensors of a model file under the model's names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "io/format/tensor_file.h"
#include "model/config.h"

namespace cdt {

/// A state_dict without wrapper prefixes. PyTorch's wrappers put a prefix before every name
/// ("module." of DataParallel, "_orig_mod." of torch.compile), which is removed. The reader must
/// outlive it.
class StateDict {
 public:
  /// Throws InputError naming the first tensor without the prefix if only some names have it.
  explicit StateDict(const TensorFile& reader);

  std::string file() const { return reader_.path().string(); }
  /// Shapes by name, without the prefix.
  const std::map<std::string, std::vector<std::int64_t>>& shapes() const { return shapes_; }
  /// Prints one line on stderr if a prefix was removed, and one per number type that is converted
  /// to float32.
  void note_differences() const;

  /// Returns `config` with the sizes of the tensors; sizes that the tensors do not show stay.
  /// Throws InputError naming a tensor that is missing or has no size of a model.
  CdtConfig sizes_into(CdtConfig config) const;
  /// The readout that the first layer of the head has the shape of.
  Readout readout() const;
  /// Returns the values of a tensor, row-major. Throws InputError naming it if a value is NaN or
  /// infinite or its type cannot be converted to float32.
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
