// Files written by torch.save (zip format, PyTorch 1.6 and later): a zip archive of data.pkl, which
// describes the objects, and data/KEY, the storages that its tensors view. The pickle is read as
// data, by an allow-list of instructions and names (pickle.h), and never run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "io/format/pickle.h"
#include "io/format/tensor_file.h"
#include "io/format/zip.h"

namespace cdt {

/// Whether the file begins like one written by torch.save, in the zip format or the older one.
/// Throws InputError if it cannot be opened.
bool is_pt_file(const std::filesystem::path& path);

/// A tensor: a view with strides into a storage.
struct PtTensor {
  TensorInfo info;                    // its dtype is the storage's
  std::string storage;                // name of its member
  std::uint64_t offset = 0;           // in elements
  std::vector<std::int64_t> strides;  // in elements, not negative
  std::int64_t count = 0;             // elements

  /// Size of an element in bytes; 0 for an unknown dtype.
  std::size_t element_size() const;
  /// Elements of the storage from the first to the last one that the view reads; false on overflow.
  bool extent(std::int64_t* elements) const;
};

/// The objects of a file written by torch.save.
class PtArchive {
 public:
  /// Opens the file. Throws InputError naming it and "format", "archive", "data.pkl" or the member:
  /// for another kind of file (with the line of Python that saves one of this kind), damage, a name
  /// outside the allow-list, and members or types that PyTorch might read differently.
  explicit PtArchive(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return zip_.path(); }
  const PickleValue& root() const { return pickle_.root(); }

  /// Whether the object is a tensor, possibly wrapped in a torch.nn.Parameter.
  static bool is_tensor(const PickleValue& value);
  /// Reads a tensor's description; `name` is its name in messages. Throws InputError(file, name,
  /// ...) if it is no tensor, if its storage is missing or has the wrong size, if the view leaves
  /// its storage or negates it, or for more than kMostValues.
  PtTensor tensor(const PickleValue& value, const std::string& name) const;
  static constexpr std::int64_t kMostValues = std::int64_t{1} << 32U;
  /// Reads the elements as stored, in C order. Throws InputError if the storage's checksum is
  /// wrong.
  void read(const PtTensor& tensor, void* out) const;

 private:
  explicit PtArchive(ZipArchive zip);
  [[noreturn]] void refuse(const std::string& name, const std::string& what) const;
  void check_names() const;
  void check_storage_types() const;
  void read_storage(const PickleValue& value, PtTensor* out) const;
  void check_view(PtTensor* tensor) const;
  void verify(const std::string& storage) const;
  void read_contiguous(const PtTensor& tensor, std::size_t bytes, void* out) const;
  void read_strided(const PtTensor& tensor, void* out) const;

  ZipArchive zip_;
  std::string prefix_;  // of every member: the original name of the archive, and a slash
  Pickle pickle_;
  mutable std::set<std::string> verified_;  // storages whose checksum has been verified
};

/// Value of a number (int, float, bool or a NumPy scalar); nothing for anything else.
std::optional<double> pickled_number(const PickleValue& value);

/// The tensors of a state_dict: the dict at the top of the file, or the one it holds as
/// "model_state_dict", "state_dict" or "model" (a note on stderr says which). The metadata is what
/// write_pt() stored.
class PtReader : public TensorFile {
 public:
  /// Opens the file. Throws InputError as PtArchive does, if there is no state_dict, and if an
  /// entry of it is not a tensor.
  explicit PtReader(const std::filesystem::path& path);

  const PtArchive& archive() const { return archive_; }

 private:
  void read_bytes(std::size_t i, void* out) const override { archive_.read(views_[i], out); }

  PtArchive archive_;
  std::vector<PtTensor> views_;
};

}  // namespace cdt
