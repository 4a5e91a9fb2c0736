#include "io/format/hdf5/driver.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <functional>
#include <new>

#if __has_include( \
    <H5FDdevelop.h>)  // HDF5 1.14 keeps the interface of drivers in a header of its own
#include <H5FDdevelop.h>
#endif

namespace cdt {
namespace {

/// Driver information of the file access properties, which HDF5 copies byte by byte.
struct Source {
  const std::shared_ptr<const InputFile>* file;
};

struct DescriptorFile : H5FD_t {
  explicit DescriptorFile(std::shared_ptr<const InputFile> opened)
      : H5FD_t(), file(std::move(opened)) {}
  std::shared_ptr<const InputFile> file;
  haddr_t end_of_addresses = 0;  // as the superblock says
};

constexpr haddr_t kMaxAddress = (haddr_t{1} << 62U) - 1;

/// The name is not used. Another file, such as the source of a virtual data set, gets no Source and
/// is not opened.
H5FD_t* open_file(const char* /*name*/, unsigned flags, hid_t access, haddr_t /*max*/) {
  const auto* source = static_cast<const Source*>(H5Pget_driver_info(access));
  if (source == nullptr || flags != H5F_ACC_RDONLY) return nullptr;
  return new (std::nothrow) DescriptorFile(*source->file);
}

herr_t close_file(H5FD_t* file) {
  delete static_cast<DescriptorFile*>(file);
  return 0;
}

int compare(const H5FD_t* one, const H5FD_t* other) {
  if (one == other) return 0;
  return std::less<>()(one, other) ? -1 : 1;
}

/// What HDF5's own driver of plain files declares, as far as it concerns reading.
herr_t query(const H5FD_t* /*file*/, unsigned long* flags) {
  if (flags != nullptr) *flags = H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE;
  return 0;
}

haddr_t end_of_addresses(const H5FD_t* file, H5FD_mem_t /*type*/) {
  return static_cast<const DescriptorFile*>(file)->end_of_addresses;
}

herr_t set_end_of_addresses(H5FD_t* file, H5FD_mem_t /*type*/, haddr_t end) {
  static_cast<DescriptorFile*>(file)->end_of_addresses = end;
  return 0;
}

haddr_t end_of_file(const H5FD_t* file, H5FD_mem_t /*type*/) {
  return static_cast<const DescriptorFile*>(file)->file->size();
}

/// Bytes past the end of the file are zero, as HDF5's own driver gives them.
herr_t read_file(H5FD_t* file, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t at,
                 std::size_t size, void* out) {
  const InputFile& source = *static_cast<const DescriptorFile*>(file)->file;
  if (at > kMaxAddress || size > kMaxAddress - at) return -1;
  const std::size_t there =
      at < source.size() ? std::min<std::size_t>(size, source.size() - at) : 0;
  std::memset(static_cast<char*>(out) + there, 0, size - there);
  try {
    source.read(at, out, there);
  } catch (const std::exception&) {
    return -1;
  }
  return 0;
}

herr_t write_file(H5FD_t* /*file*/, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t /*at*/,
                  std::size_t /*size*/, const void* /*bytes*/) {
  return -1;
}

H5FD_class_t driver_class() {
  H5FD_class_t out = {};
#ifdef H5FD_CLASS_VERSION
  constexpr H5FD_class_value_t kUnregistered = 511;  // 256 to 511 belong to no known driver
  out.version = H5FD_CLASS_VERSION;
  out.value = kUnregistered;
#endif
  out.name = "descriptor";
  out.maxaddr = kMaxAddress;
  out.fc_degree = H5F_CLOSE_WEAK;
  out.fapl_size = sizeof(Source);
  out.open = open_file;
  out.close = close_file;
  out.cmp = compare;
  out.query = query;
  out.get_eoa = end_of_addresses;
  out.set_eoa = set_end_of_addresses;
  out.get_eof = end_of_file;
  out.read = read_file;
  out.write = write_file;
  std::fill(std::begin(out.fl_map), std::end(out.fl_map), H5FD_MEM_DEFAULT);
  return out;
}

}  // namespace

hid_t descriptor_driver() {
  static const H5FD_class_t driver = driver_class();
  static const hid_t id = H5FDregister(&driver);
  return id;
}

Hdf5Handle descriptor_access(const std::shared_ptr<const InputFile>& file) {
  Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  const Source source{&file};
  H5Pset_driver(access.get(), descriptor_driver(), &source);
  H5Pset_fclose_degree(access.get(), H5F_CLOSE_WEAK);
  return access;
}

}  // namespace cdt
