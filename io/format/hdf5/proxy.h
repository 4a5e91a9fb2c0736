// HDF5 files as programs read them: a proxy for Hdf5File and Hdf5Dataset (hdf5.h), which live in a
// sandboxed process (sandbox.h), one for each file. It asks and takes the answers as untrusted: a
// size is never the child's, but that of the shape that was checked when the data set was opened.
// All functions throw InputError naming the file, SandboxError if the file kills its reader, and
// what poll() throws. This header needs no library.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/format/hdf5/description.h"
#include "io/format/hdf5/sandbox.h"

namespace cdt {

class Hdf5Reader;  // the process

/// A data set opened for reading; see Hdf5Dataset.
class Hdf5DatasetProxy : public Hdf5Description {
 public:
  /// "float16", "bfloat16", "float32", "float64"; "" if it holds no floats.
  const std::string& float_type() const { return float_type_; }
  bool is_untyped() const { return untyped_; }

  /// At most kMaxWholeBytes; of strings, with 4 bytes for each.
  std::vector<float> read_floats() const;
  std::vector<std::int64_t> read_integers() const;
  std::vector<std::string> read_strings() const;
  void read_row(std::int64_t row, float* out) const;

 private:
  friend class Hdf5FileProxy;
  Hdf5DatasetProxy(std::shared_ptr<Hdf5Reader> reader, const std::string& name,
                   bool void_is_bfloat16);

  std::shared_ptr<Hdf5Reader> reader_;
  std::uint32_t number_ = 0;
  std::string float_type_;
  bool untyped_ = false;
};

/// An open file; see Hdf5File. Data sets keep its process alive.
class Hdf5FileProxy {
 public:
  /// Throws InputError if the file is missing, not HDF5 (the message says what it looks like
  /// instead), or damaged.
  explicit Hdf5FileProxy(const std::filesystem::path& path, const SandboxLimits& limits = {});
  /// With a process that does `serve` in place of serve_hdf5() (server.h).
  Hdf5FileProxy(const std::shared_ptr<const InputFile>& file,
                const std::function<void(const SandboxEnds&)>& serve,
                const SandboxLimits& limits = {});

  const std::string& name() const;
  bool has(const std::string& dataset) const;
  Hdf5DatasetProxy dataset(const std::string& name) const { return {reader_, name, false}; }
  /// Opens the data set and checks its shape with require_shape().
  Hdf5DatasetProxy dataset(const std::string& name, const std::vector<std::int64_t>& shape) const;
  Hdf5DatasetProxy dataset_of_bfloat16(const std::string& name) const {
    return {reader_, name, true};
  }
  std::vector<std::string> dataset_names() const;

 private:
  std::shared_ptr<Hdf5Reader> reader_;
};

}  // namespace cdt
