// What torch.save writes (its zip form, PyTorch 1.6 and later): a zip archive of data.pkl, which
// says what there is, and data/KEY, the storages that its tensors view. It is read as data: the
// pickle by an allow-list of instructions and names (pickle.h), never run.
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

/// Does the file begin as one that torch.save wrote, in its zip form or the older one? InputError
/// if it cannot be opened.
bool is_pt_file(const std::filesystem::path& path);

/// A tensor: a view with strides into a storage.
struct PtTensor {
  TensorInfo info;                    // its dtype is the storage's
  std::string storage;                // name of the member
  std::uint64_t offset = 0;           // in elements
  std::vector<std::int64_t> strides;  // in elements, not negative
  std::int64_t count = 0;             // elements

  /// Bytes of one; 0 for a dtype that is not known.
  std::size_t element_size() const;
  /// Elements of the storage from the first that the view reads to its last; false if that
  /// overflows.
  bool extent(std::int64_t* elements) const;
};

/// The objects of a file.
class PtArchive {
 public:
  /// InputError naming the file and "format", "archive", "data.pkl" or the member: another kind of
  /// file, with the line of Python that saves one of this kind; damage; a name outside the
  /// allow-list; members or types of which PyTorch might take others than are taken here.
  explicit PtArchive(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return zip_.path(); }
  const PickleValue& root() const { return pickle_.root(); }

  /// Is the object a tensor, be it wrapped in a torch.nn.Parameter?
  static bool is_tensor(const PickleValue& value);
  /// A tensor under the name it goes by. InputError(file, name, ...): no tensor; a storage that is
  /// missing or of another size than it should be; a view that leaves its storage or negates it;
  /// over kMostValues.
  PtTensor tensor(const PickleValue& value, const std::string& name) const;
  static constexpr std::int64_t kMostValues = std::int64_t{1} << 32U;
  /// Its elements as they are stored, in C order. InputError if the storage's checksum differs.
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
  std::string prefix_;  // of every member: the name the archive had, and a slash
  Pickle pickle_;
  mutable std::set<std::string> verified_;  // storages whose checksum is known to be right
};

/// A number: int, float, bool, NumPy's scalars; nothing for anything else.
std::optional<double> pickled_number(const PickleValue& value);

/// The tensors of a state_dict: the file's own dict, or the one it holds as "model_state_dict",
/// "state_dict" or "model" (a note on stderr says which). Metadata: that of write_pt().
class PtReader : public TensorFile {
 public:
  /// InputError: as PtArchive; no state_dict; an entry that is no tensor.
  explicit PtReader(const std::filesystem::path& path);

  const PtArchive& archive() const { return archive_; }

 private:
  void read_bytes(std::size_t i, void* out) const override { archive_.read(views_[i], out); }

  PtArchive archive_;
  std::vector<PtTensor> views_;
};

}  // namespace cdt
