// Writes small HDF5 files for tests, in the storage forms that h5py produces.
#pragma once

#include <hdf5.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "io/format/hdf5/hdf5.h"

namespace cdt::test {

/// How a data set is stored: contiguous without `chunk`, otherwise in chunks of that shape.
struct Hdf5Storage {
  std::vector<hsize_t> chunk = {};
  bool gzip = false, shuffle = false, fletcher32 = false;
};

template <typename T>
hid_t native_type();
template <>
inline hid_t native_type<float>() {
  return H5T_NATIVE_FLOAT;
}
template <>
inline hid_t native_type<double>() {
  return H5T_NATIVE_DOUBLE;
}
template <>
inline hid_t native_type<int>() {
  return H5T_NATIVE_INT;
}
template <>
inline hid_t native_type<std::uint64_t>() {
  return H5T_NATIVE_UINT64;
}

class Hdf5Writer {
 public:
  explicit Hdf5Writer(const std::filesystem::path& path, hid_t creation = H5P_DEFAULT,
                      hid_t access = H5P_DEFAULT)
      : file_(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, access), H5Fclose) {
    if (!file_.valid()) throw std::runtime_error("cannot create " + path.string());
  }

  hid_t id() const { return file_.get(); }

  /// `file_type` is the type on disk, by default the native one.
  template <typename T>
  void numbers(const std::string& name, const std::vector<hsize_t>& shape,
               const std::vector<T>& values, const Hdf5Storage& storage = {},
               hid_t file_type = H5I_INVALID_HID) {
    const hid_t native = native_type<T>();
    write(name, file_type < 0 ? native : file_type, native, shape, storage, values.data());
  }

  void fixed_strings(const std::string& name, const std::vector<std::string>& strings,
                     std::size_t size, H5T_str_t padding = H5T_STR_NULLPAD,
                     const Hdf5Storage& storage = {}) {
    const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type.get(), size);
    H5Tset_strpad(type.get(), padding);
    std::vector<char> bytes(strings.size() * size, padding == H5T_STR_SPACEPAD ? ' ' : '\0');
    for (std::size_t i = 0; i < strings.size(); ++i) {
      std::memcpy(&bytes[i * size], strings[i].data(), std::min(size, strings[i].size()));
    }
    write(name, type.get(), type.get(), {strings.size()}, storage, bytes.data());
  }

  void variable_strings(const std::string& name, const std::vector<std::string>& strings,
                        const Hdf5Storage& storage = {}) {
    const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type.get(), H5T_VARIABLE);
    H5Tset_cset(type.get(), H5T_CSET_UTF8);
    std::vector<const char*> pointers;
    pointers.reserve(strings.size());
    for (const std::string& text : strings) pointers.push_back(text.c_str());
    write(name, type.get(), type.get(), {strings.size()}, storage, pointers.data());
  }

  /// A data set with arbitrary creation properties; nothing is written into it.
  void empty(const std::string& name, hid_t type, const std::vector<hsize_t>& shape,
             hid_t creation) {
    create(name, type, shape, creation);
  }

 private:
  Hdf5Handle create(const std::string& name, hid_t type, const std::vector<hsize_t>& shape,
                    hid_t creation) {
    const Hdf5Handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
                           H5Sclose);
    Hdf5Handle set(H5Dcreate2(file_.get(), name.c_str(), type, space.get(), H5P_DEFAULT, creation,
                              H5P_DEFAULT),
                   H5Dclose);
    if (!set.valid()) throw std::runtime_error("cannot create data set " + name);
    return set;
  }

  void write(const std::string& name, hid_t file_type, hid_t memory_type,
             const std::vector<hsize_t>& shape, const Hdf5Storage& storage, const void* values) {
    const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    if (!storage.chunk.empty()) {
      H5Pset_chunk(creation.get(), static_cast<int>(storage.chunk.size()), storage.chunk.data());
    }
    if (storage.shuffle) H5Pset_shuffle(creation.get());
    if (storage.gzip) H5Pset_deflate(creation.get(), 4);
    if (storage.fletcher32) H5Pset_fletcher32(creation.get());
    const Hdf5Handle set = create(name, file_type, shape, creation.get());
    if (H5Dwrite(set.get(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) {
      throw std::runtime_error("cannot write data set " + name);
    }
  }

  Hdf5Handle file_;
};

}  // namespace cdt::test
