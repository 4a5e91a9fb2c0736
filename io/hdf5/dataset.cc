#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/error.h"
#include "io/hdf5/file.h"
#include "io/hdf5/reason.h"
#include "io/hdf5/sandbox.h"

namespace cdt {
namespace {

constexpr std::int64_t kMaxDimension = std::int64_t{1} << 31;
constexpr double kExact = 9007199254740992.0;  // 2^53: larger floats skip whole numbers
constexpr std::size_t kMaxStringBytes = 4096;
constexpr int kRowAllowance = 6;  // a row may bring in kChunkCacheBytes of compressed chunks
constexpr std::size_t kCacheSlots = 1000003;  // a prime well above the chunks that fit the cache

/// Only types whose conversion HDF5 does in hardware, none with odd bit fields.
bool is_one_of(hid_t type, std::initializer_list<hid_t> standard) {
  return std::any_of(standard.begin(), standard.end(),
                     [type](hid_t known) { return H5Tequal(type, known) > 0; });
}

bool is_standard_float(hid_t type) {
  return is_one_of(type, {H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_IEEE_F32BE, H5T_IEEE_F64BE});
}

bool is_standard_integer(hid_t type) {
  return is_one_of(type, {H5T_STD_I8LE, H5T_STD_I16LE, H5T_STD_I32LE, H5T_STD_I64LE, H5T_STD_U8LE,
                          H5T_STD_U16LE, H5T_STD_U32LE, H5T_STD_I8BE, H5T_STD_I16BE, H5T_STD_I32BE,
                          H5T_STD_I64BE, H5T_STD_U8BE, H5T_STD_U16BE, H5T_STD_U32BE});
}

/// "[5434, 896, 3072]"
std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t size : shape) {
    if (text.size() > 1) text += ", ";
    text += size == 0 ? "any" : std::to_string(size);
  }
  return text + "]";
}

/// The string of one fixed-length field, without its padding.
std::string without_padding(const char* field, std::size_t size, H5T_str_t padding) {
  std::string_view text(field, size);
  if (padding == H5T_STR_NULLTERM) return std::string(text.substr(0, text.find('\0')));
  const char pad = padding == H5T_STR_SPACEPAD ? ' ' : '\0';
  return std::string(text.substr(0, text.find_last_not_of(pad) + 1));
}

/// Variable-length strings of one H5Dread; HDF5 allocated them and frees them.
class VariableStrings {
 public:
  VariableStrings(std::size_t count, hid_t type, hid_t space)
      : pointers_(count, nullptr), type_(type), space_(space) {}
  ~VariableStrings() { H5Dvlen_reclaim(type_, space_, H5P_DEFAULT, pointers_.data()); }
  VariableStrings(const VariableStrings&) = delete;
  VariableStrings& operator=(const VariableStrings&) = delete;
  std::vector<char*>& pointers() { return pointers_; }

 private:
  std::vector<char*> pointers_;
  hid_t type_, space_;
};

}  // namespace

Hdf5Dataset::Hdf5Dataset(const Hdf5Handle& file, std::string file_name, std::string name)
    : file_(std::move(file_name)), name_(std::move(name)) {
  access_ = Hdf5Handle(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
  set_ = Hdf5Handle(H5Dopen2(file.get(), name_.c_str(), access_.get()), H5Dclose);
  if (!set_.valid()) fail_hdf5("cannot be opened as a data set");
  check_storage();
  read_type();
  read_shape();
  const Hdf5Handle creation(H5Dget_create_plist(set_.get()), H5Pclose);
  if (H5Pget_layout(creation.get()) != H5D_CHUNKED) return;
  check_chunks(creation.get());
  set_ = Hdf5Handle();  // while one handle is open, another shares its cache
  set_ = Hdf5Handle(H5Dopen2(file.get(), name_.c_str(), access_.get()), H5Dclose);
  if (!set_.valid()) fail_hdf5("cannot be opened as a data set");
}

void Hdf5Dataset::check_storage() {
  const Hdf5Handle creation(H5Dget_create_plist(set_.get()), H5Pclose);
  if (!creation.valid()) fail_hdf5("its properties cannot be read");
  const H5D_layout_t layout = H5Pget_layout(creation.get());
  if (layout == H5D_VIRTUAL) fail("is a virtual data set, which may read other files: refused");
  if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED) {
    fail("has a storage layout that is not known");
  }
  if (H5Pget_external_count(creation.get()) != 0) {
    fail("keeps its values in external files, which are not read");
  }
  const int filters = H5Pget_nfilters(creation.get());
  if (filters < 0) fail_hdf5("its filters cannot be read");
  for (int i = 0; i < filters; ++i) {
    std::size_t parameters = 0;
    const H5Z_filter_t filter = H5Pget_filter2(creation.get(), static_cast<unsigned>(i), nullptr,
                                               &parameters, nullptr, 0, nullptr, nullptr);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
        filter != H5Z_FILTER_FLETCHER32) {
      fail(expected_got("its compression filter is not supported", "gzip, shuffle or fletcher32",
                        "filter " + std::to_string(filter)));
    }
  }
}

void Hdf5Dataset::read_type() {
  type_ = Hdf5Handle(H5Dget_type(set_.get()), H5Tclose);
  if (!type_.valid()) fail_hdf5("its type cannot be read");
  const H5T_class_t type_class = H5Tget_class(type_.get());
  if (type_class == H5T_STRING) {
    const bool variable = H5Tis_variable_str(type_.get()) > 0;
    kind_ = variable ? Kind::kVariableString : Kind::kFixedString;
    if (!variable &&
        (H5Tget_size(type_.get()) == 0 || H5Tget_size(type_.get()) > kMaxStringBytes)) {
      fail("its strings are longer than " + std::to_string(kMaxStringBytes) + " bytes");
    }
  } else if (type_class == H5T_FLOAT && is_standard_float(type_.get())) {
    kind_ = Kind::kFloat;
  } else if (type_class == H5T_INTEGER && is_standard_integer(type_.get())) {
    kind_ = Kind::kInteger;
  } else {
    fail(
        "its values are of a type that is not read (expected float32, float64, integers up to 64 "
        "bits or strings)");
  }
}

void Hdf5Dataset::read_shape() {
  const Hdf5Handle space(H5Dget_space(set_.get()), H5Sclose);
  std::array<hsize_t, H5S_MAX_RANK> sizes{};
  const int rank = space.valid() ? H5Sget_simple_extent_ndims(space.get()) : -1;
  if (rank < 0 || H5Sget_simple_extent_dims(space.get(), sizes.data(), nullptr) != rank) {
    fail_hdf5("its shape cannot be read");
  }
  for (int i = 0; i < rank; ++i) {
    const hsize_t size = sizes[static_cast<std::size_t>(i)];
    if (size == 0) fail("is empty");
    if (size > static_cast<hsize_t>(kMaxDimension)) fail("has an absurd size");
    shape_.push_back(static_cast<std::int64_t>(size));
  }
}

void Hdf5Dataset::check_chunks(hid_t creation) {
  std::array<hsize_t, H5S_MAX_RANK> sizes{};
  const int rank = H5Pget_chunk(creation, H5S_MAX_RANK, sizes.data());
  if (rank != static_cast<int>(shape_.size())) fail("its chunks do not fit its shape");
  double chunk = static_cast<double>(H5Tget_size(type_.get()));
  double chunks = 1.0;  // that cover one row
  for (std::size_t i = 0; i < shape_.size(); ++i) {
    const auto size = static_cast<double>(sizes[i]);
    if (size < 1.0) fail("has a chunk of size 0");
    chunk *= size;
    if (i > 0) chunks *= std::ceil(static_cast<double>(shape_[i]) / size);
  }
  if (chunk > static_cast<double>(kMaxChunkBytes)) {
    fail(expected_got("its chunks are too large",
                      "at most " + std::to_string(kMaxChunkBytes) + " bytes",
                      std::to_string(static_cast<std::int64_t>(chunk))));
  }
  // One chunk more than a row needs, and eviction by age alone.
  const double wanted = chunk * (chunks + 1.0);
  if (wanted <= static_cast<double>(kChunkCacheBytes)) {
    H5Pset_chunk_cache(access_.get(), kCacheSlots, static_cast<std::size_t>(wanted), 0.0);
  }
}

std::string Hdf5Dataset::at(std::int64_t row) const {
  return name_ + "[" + std::to_string(row) + "]";
}

void Hdf5Dataset::require_shape(const std::vector<std::int64_t>& sizes) const {
  bool same = shape_.size() == sizes.size();
  for (std::size_t i = 0; same && i < sizes.size(); ++i) {
    same = sizes[i] == 0 || sizes[i] == shape_[i];
  }
  if (!same) fail(expected_got("has the wrong shape", shape_text(sizes), shape_text(shape_)));
}

std::size_t Hdf5Dataset::whole_values(std::size_t value_bytes) const {
  const std::int64_t limit = kMaxWholeBytes / static_cast<std::int64_t>(value_bytes);
  std::int64_t values = 1;
  for (const std::int64_t size : shape_) {
    if (values > limit / size) fail("is too large to be read whole");
    values *= size;
  }
  return static_cast<std::size_t>(values);
}

void Hdf5Dataset::read_whole(hid_t memory_type, void* out) const {
  sandbox_step(file_);
  if (H5Dread(set_.get(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) < 0) {
    fail_hdf5("cannot be read");
  }
}

std::vector<float> Hdf5Dataset::read_floats() const {
  if (kind_ != Kind::kFloat && kind_ != Kind::kInteger) fail("holds strings, not numbers");
  std::vector<float> values(whole_values(sizeof(float)));
  read_whole(H5T_NATIVE_FLOAT, values.data());
  return values;
}

std::vector<std::int64_t> Hdf5Dataset::read_integers() const {
  std::vector<std::int64_t> integers(whole_values(sizeof(double)));
  if (kind_ == Kind::kInteger) {
    read_whole(H5T_NATIVE_INT64, integers.data());
    return integers;
  }
  if (kind_ != Kind::kFloat) fail("holds strings, not integers");
  std::vector<double> reals(integers.size());
  read_whole(H5T_NATIVE_DOUBLE, reals.data());
  for (std::size_t i = 0; i < reals.size(); ++i) {
    if (!(std::abs(reals[i]) < kExact) || reals[i] != std::trunc(reals[i])) {
      throw InputError(file_, at(static_cast<std::int64_t>(i)), "is not a whole number");
    }
    integers[i] = static_cast<std::int64_t>(reals[i]);
  }
  return integers;
}

std::vector<std::string> Hdf5Dataset::read_strings() const {
  if (kind_ == Kind::kFixedString) return read_fixed_strings();
  if (kind_ == Kind::kVariableString) return read_variable_strings();
  fail("holds numbers, not strings");
}

std::vector<std::string> Hdf5Dataset::read_fixed_strings() const {
  const std::size_t size = H5Tget_size(type_.get());
  const H5T_str_t padding = H5Tget_strpad(type_.get());
  const std::size_t count = whole_values(size);
  std::vector<char> bytes(count * size);
  read_whole(type_.get(), bytes.data());
  std::vector<std::string> strings(count);
  for (std::size_t i = 0; i < count; ++i) {
    strings[i] = without_padding(bytes.data() + i * size, size, padding);
  }
  return strings;
}

std::vector<std::string> Hdf5Dataset::read_variable_strings() const {
  const Hdf5Handle memory(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(memory.get(), H5T_VARIABLE);
  H5Tset_cset(memory.get(), H5Tget_cset(type_.get()));
  const Hdf5Handle space(H5Dget_space(set_.get()), H5Sclose);
  VariableStrings read(whole_values(sizeof(std::string)), memory.get(), space.get());
  read_whole(memory.get(), read.pointers().data());
  std::vector<std::string> strings;
  strings.reserve(read.pointers().size());
  for (const char* text : read.pointers()) strings.emplace_back(text == nullptr ? "" : text);
  return strings;
}

void Hdf5Dataset::read_row(std::int64_t row, float* out) const {
  if (kind_ != Kind::kFloat && kind_ != Kind::kInteger) fail("holds strings, not numbers");
  CDT_CHECK(!shape_.empty() && row >= 0 && row < shape_[0], "row outside the data set");
  sandbox_step(file_, kRowAllowance);
  std::vector<hsize_t> start(shape_.size(), 0);
  std::vector<hsize_t> count(shape_.begin(), shape_.end());
  start[0] = static_cast<hsize_t>(row);
  count[0] = 1;
  const int rank = static_cast<int>(shape_.size());
  const Hdf5Handle from(H5Dget_space(set_.get()), H5Sclose);
  const Hdf5Handle to(H5Screate_simple(rank, count.data(), nullptr), H5Sclose);
  const bool selected = H5Sselect_hyperslab(from.get(), H5S_SELECT_SET, start.data(), nullptr,
                                            count.data(), nullptr) >= 0;
  if (!selected ||
      H5Dread(set_.get(), H5T_NATIVE_FLOAT, to.get(), from.get(), H5P_DEFAULT, out) < 0) {
    throw InputError(file_, at(row), "cannot be read (HDF5: " + hdf5_reason() + ")");
  }
}

void Hdf5Dataset::fail(const std::string& what) const { throw InputError(file_, name_, what); }

void Hdf5Dataset::fail_hdf5(const std::string& what) const {
  fail(what + " (HDF5: " + hdf5_reason() + ")");
}

}  // namespace cdt
