#include "io/format/hdf5/hdf5.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "engine/error.h"
#include "io/format/hdf5/driver.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::size_t kMaxStringBytes = 4096;
constexpr std::size_t kCacheSlots =
    1000003;  // a prime, far more than the chunks that fit into the cache

/// Whether the type is one of these standard types. Only types that HDF5 converts in hardware are
/// accepted, none with odd bit fields; float16 is converted here.
bool is_one_of(hid_t type, std::initializer_list<hid_t> standard) {
  return std::any_of(standard.begin(), standard.end(),
                     [type](hid_t known) { return H5Tequal(type, known) > 0; });
}

bool is_standard_float(hid_t type) {
  return is_one_of(type, {H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_IEEE_F32BE, H5T_IEEE_F64BE});
}

bool is_standard_integer(hid_t type) {
  return is_one_of(
      type, {H5T_STD_I8LE, H5T_STD_I16LE, H5T_STD_I32LE, H5T_STD_I64LE, H5T_STD_U8LE, H5T_STD_U16LE,
             H5T_STD_U32LE, H5T_STD_U64LE, H5T_STD_I8BE, H5T_STD_I16BE, H5T_STD_I32BE,
             H5T_STD_I64BE, H5T_STD_U8BE, H5T_STD_U16BE, H5T_STD_U32BE, H5T_STD_U64BE});
}

/// Whether the type is a two-byte float with this many exponent and fraction bits; this HDF5 has no
/// name for such types.
bool is_two_byte_float(hid_t type, std::size_t exponent_bits, std::size_t fraction_bits) {
  std::array<std::size_t, 5> fields{};  // position of the sign; position and width of the other two
  if (H5Tget_size(type) != 2 || H5Tget_precision(type) != 16 ||
      H5Tget_fields(type, &fields[0], &fields[1], &fields[2], &fields[3], &fields[4]) < 0) {
    return false;
  }
  return fields == std::array<std::size_t, 5>{15, fraction_bits, exponent_bits, 0, fraction_bits} &&
         H5Tget_ebias(type) == (std::size_t{1} << (exponent_bits - 1)) - 1 &&
         H5Tget_norm(type) == H5T_NORM_IMPLIED;
}

bool is_half(hid_t type) { return is_two_byte_float(type, 5, 10); }
bool is_bfloat16(hid_t type) { return is_two_byte_float(type, 8, 7); }

/// Whether the type is an enumeration of 8-bit integers, as h5py stores booleans.
bool is_enumeration_of_integers(hid_t type) {
  const Hdf5Handle base(H5Tget_super(type), H5Tclose);
  return base.valid() && is_standard_integer(base.get());
}

herr_t take_innermost(unsigned /*position*/, const H5E_error2_t* entry, void* out) {
  if (entry->desc != nullptr) *static_cast<std::string*>(out) = entry->desc;
  return 1;  // stop at the first one
}

}  // namespace

Hdf5Dataset::Hdf5Dataset(const Hdf5Handle& file, std::string file_name, std::string name,
                         bool void_is_bfloat16)
    : Hdf5Description(std::move(file_name), std::move(name)) {
  access_ = Hdf5Handle(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
  set_ = Hdf5Handle(H5Dopen2(file.get(), this->name().c_str(), access_.get()), H5Dclose);
  if (!set_.valid()) fail_hdf5("cannot be opened as a data set");
  check_storage();
  read_type(void_is_bfloat16);
  read_shape();
  const Hdf5Handle creation(H5Dget_create_plist(set_.get()), H5Pclose);
  if (H5Pget_layout(creation.get()) != H5D_CHUNKED) return;
  check_chunks(creation.get());
  set_ = Hdf5Handle();  // a second open handle would share the first one's cache
  set_ = Hdf5Handle(H5Dopen2(file.get(), this->name().c_str(), access_.get()), H5Dclose);
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

void Hdf5Dataset::read_type(bool void_is_bfloat16) {
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
  } else if (type_class == H5T_FLOAT && is_half(type_.get())) {
    kind_ = Kind::kHalf;
  } else if (type_class == H5T_FLOAT && is_bfloat16(type_.get())) {
    kind_ = Kind::kBfloat16;
  } else if (type_class == H5T_OPAQUE && H5Tget_size(type_.get()) == 2) {
    if (!void_is_bfloat16) {
      fail(
          "its values are two bytes without a type, as bfloat16 is saved (--bfloat16 reads them as "
          "that)");
    }
    kind_ = Kind::kBfloat16;
  } else if ((type_class == H5T_INTEGER && is_standard_integer(type_.get())) ||
             (type_class == H5T_ENUM && is_enumeration_of_integers(type_.get()))) {
    kind_ = Kind::kInteger;
  } else {
    fail(
        "its values are of a type that is not read (expected float16, bfloat16, float32, float64, "
        "truth values, integers up to 64 bits or strings)");
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
    add_axis(sizes[static_cast<std::size_t>(i)]);
  }
}

void Hdf5Dataset::check_chunks(hid_t creation) {
  std::array<hsize_t, H5S_MAX_RANK> sizes{};
  const int rank = H5Pget_chunk(creation, H5S_MAX_RANK, sizes.data());
  if (rank != static_cast<int>(shape().size())) fail("its chunks do not fit its shape");
  double chunk = static_cast<double>(H5Tget_size(type_.get()));
  double chunks = 1.0;  // chunks that cover one row
  for (std::size_t i = 0; i < shape().size(); ++i) {
    const auto size = static_cast<double>(sizes[i]);
    if (size < 1.0) fail("has a chunk of size 0");
    chunk *= size;
    if (i > 0) chunks *= std::ceil(static_cast<double>(shape()[i]) / size);
  }
  if (chunk > static_cast<double>(kMaxChunkBytes)) {
    fail(expected_got("its chunks are too large",
                      "at most " + std::to_string(kMaxChunkBytes) + " bytes",
                      std::to_string(static_cast<std::int64_t>(chunk))));
  }
  // Room for one chunk more than a row needs, with eviction by age alone.
  const double wanted = chunk * (chunks + 1.0);
  if (wanted <= static_cast<double>(kChunkCacheBytes)) {
    H5Pset_chunk_cache(access_.get(), kCacheSlots, static_cast<std::size_t>(wanted), 0.0);
  }
}

void Hdf5Dataset::fail_hdf5(const std::string& what) const {
  fail(what + " (HDF5: " + hdf5_reason() + ")");
}

std::string hdf5_reason() {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_innermost, &reason);
  H5Eclear2(H5E_DEFAULT);
  return reason.empty() ? "no reason given" : reason;
}

void harden_hdf5() {
  H5open();
  descriptor_driver();
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0);
  H5Lunregister(H5L_TYPE_EXTERNAL);
}

}  // namespace cdt
