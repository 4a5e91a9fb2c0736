// A deliberately restricted HDF5 reader: data sets in the root group or in groups, reached by hard
// links, stored in the file itself (contiguous, chunked or compact), with no filter but gzip,
// shuffle and fletcher32, holding standard integers, booleans, floats (also float16 and bfloat16)
// or strings. A user block at the start of the file is skipped. HDF5 can also follow links into
// other files, read raw external files, assemble virtual data sets and load filter plugins; a file
// that asks for any of these is refused, since it could make the importer read any file.
//
// libhdf5 is not safe against damaged files: programs read through Hdf5FileProxy (proxy.h), which
// does all of this in a sandboxed process. Errors are InputErrors naming the file and the data set.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/format/file.h"
#include "io/format/hdf5/description.h"

namespace cdt {

/// Owns one HDF5 identifier (file, data set, type, space or property list).
class Hdf5Handle {
 public:
  using Closer = herr_t (*)(hid_t);

  Hdf5Handle() = default;
  /// Takes ownership of `id`; a negative one (a failed call) is kept as "not valid".
  Hdf5Handle(hid_t id, Closer closer) : id_(id), closer_(closer) {}
  ~Hdf5Handle() { reset(); }
  Hdf5Handle(Hdf5Handle&& other) noexcept
      : id_(std::exchange(other.id_, -1)), closer_(other.closer_) {}
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
    if (this != &other) {
      reset();
      id_ = std::exchange(other.id_, -1);
      closer_ = other.closer_;
    }
    return *this;
  }
  Hdf5Handle(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(const Hdf5Handle&) = delete;

  bool valid() const { return id_ >= 0; }
  hid_t get() const { return id_; }

 private:
  void reset() {
    if (id_ >= 0) closer_(id_);
    id_ = -1;
  }

  hid_t id_ = -1;
  Closer closer_ = nullptr;
};

/// A data set opened for reading.
class Hdf5Dataset : public Hdf5Description {
 public:
  /// Type of the floats: "float16", "bfloat16", "float32", "float64"; "" if it holds none.
  std::string float_type() const;
  /// Whether the values are taken for bfloat16 only because the caller says so.
  bool is_untyped() const;

  /// Reads all values in C order as float32. float64 is rounded; a value too large for float32, and
  /// an integer that float32 cannot hold exactly, is refused with its row.
  std::vector<float> read_floats() const;
  /// Reads all values as integers; floats are accepted if they are whole numbers. Integers beyond
  /// 2^63 - 1 are refused with their row.
  std::vector<std::int64_t> read_integers() const;
  /// Reads all strings, fixed-length (null-padded, null-terminated, space-padded) or
  /// variable-length, and strips their padding.
  std::vector<std::string> read_strings() const;
  /// Reads row `row` of the first dimension as read_floats() does; it has the product of the other
  /// dimensions many values. If rows are read in ascending order each chunk is decompressed once,
  /// as long as the chunks that cover one row fit into kChunkCacheBytes.
  void read_row(std::int64_t row, float* out) const;

  static constexpr std::int64_t kChunkCacheBytes = std::int64_t{1} << 30;
  /// Larger chunks are refused.
  static constexpr std::int64_t kMaxChunkBytes = std::int64_t{1} << 29;

 private:
  friend class Hdf5File;
  enum class Kind : std::uint8_t {
    kFloat,
    kHalf,
    kBfloat16,
    kInteger,
    kFixedString,
    kVariableString
  };

  Hdf5Dataset(const Hdf5Handle& file, std::string file_name, std::string name,
              bool void_is_bfloat16);
  void read_type(bool void_is_bfloat16);
  void read_shape();
  void check_storage();
  void check_chunks(hid_t creation);
  std::vector<std::string> read_fixed_strings() const;
  std::vector<std::string> read_variable_strings() const;

  /// What one H5Dread reads: all values (row -1) or one row.
  struct Part {
    hid_t to, from;  // data spaces in memory and in the file
    std::size_t values;
    std::int64_t row;
  };
  static Part whole(std::size_t values) { return {H5S_ALL, H5S_ALL, values, -1}; }
  void read(hid_t memory_type, const Part& part, void* out) const;
  void floats(const Part& part, float* out) const;
  void refuse_overflow(const Part& part, const float* out) const;
  std::vector<float> two_byte_floats(const Part& part) const;
  std::vector<std::int64_t> integers(const Part& part) const;
  [[noreturn]] void refuse_value(const Part& part, std::size_t index, const std::string& what,
                                 const std::string& value) const;
  [[noreturn]] void fail_hdf5(const std::string& what) const;

  Hdf5Handle access_;  // data set access properties: the chunk cache
  Hdf5Handle set_;
  Hdf5Handle type_;
  Kind kind_ = Kind::kFloat;
};

/// A file read by its descriptor (driver.h), without file locks (network file systems refuse them).
class Hdf5File {
 public:
  static constexpr std::size_t kMaxNames = 1000;

  /// Throws InputError if the file is damaged.
  explicit Hdf5File(const std::shared_ptr<const InputFile>& file);

  const std::string& name() const { return name_; }
  bool has(const std::string& dataset) const;
  /// Opens the data set "group/name".
  Hdf5Dataset dataset(const std::string& name) const { return open(name, false); }
  /// Opens the data set like dataset(), taking opaque two-byte values for bfloat16.
  Hdf5Dataset dataset_of_bfloat16(const std::string& name) const { return open(name, true); }
  /// Names of the data sets that dataset() can open, including those in groups; at most kMaxNames.
  std::vector<std::string> dataset_names() const;

 private:
  void require_hard_links(const std::string& name) const;
  Hdf5Dataset open(const std::string& name, bool void_is_bfloat16) const;

  std::string name_;
  Hdf5Handle file_;
};

/// Initialises the library, which must not happen under a system call filter, and disables filter
/// plugins, external links and error traces on stderr for the rest of the process.
void harden_hdf5();

/// Returns the innermost message of HDF5's error stack and clears the stack.
std::string hdf5_reason();

}  // namespace cdt
