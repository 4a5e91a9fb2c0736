// Reads the values of an open data set; each conversion is exact, or refused with the row.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string_view>

#include "engine/error.h"
#include "io/format/floats.h"
#include "io/format/hdf5/hdf5.h"
#include "io/format/text.h"

namespace cdt {
namespace {

/// Whether float32 holds this integer exactly.
bool is_exact(std::int64_t value) {
  auto bits = static_cast<std::uint64_t>(value);
  if (value < 0) bits = 0 - bits;
  return bits == 0 || bits >> static_cast<unsigned>(std::countr_zero(bits)) < (1U << 24U);
}

/// String of one fixed-length field without its padding.
std::string without_padding(const char* field, std::size_t size, H5T_str_t padding) {
  std::string_view text(field, size);
  if (padding == H5T_STR_NULLTERM) return std::string(text.substr(0, text.find('\0')));
  const char pad = padding == H5T_STR_SPACEPAD ? ' ' : '\0';
  return std::string(text.substr(0, text.find_last_not_of(pad) + 1));
}

/// The variable-length strings of one H5Dread, which HDF5 allocated and must free.
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

void Hdf5Dataset::read(hid_t memory_type, const Part& part, void* out) const {
  if (H5Dread(set_.get(), memory_type, part.to, part.from, H5P_DEFAULT, out) >= 0) return;
  const std::string what = "cannot be read (HDF5: " + hdf5_reason() + ")";
  if (part.row < 0) fail(what);
  throw InputError(file(), at(part.row), what);
}

void Hdf5Dataset::refuse_value(const Part& part, std::size_t index, const std::string& what,
                               const std::string& value) const {
  std::int64_t row_values = 1;
  for (std::size_t axis = 1; axis < shape().size(); ++axis) row_values *= shape()[axis];
  const std::int64_t row = std::max<std::int64_t>(part.row, 0);
  throw InputError(file(), at(row + static_cast<std::int64_t>(index) / row_values),
                   what + ": " + value);
}

std::string Hdf5Dataset::float_type() const {
  if (kind_ == Kind::kHalf) return "float16";
  if (kind_ == Kind::kBfloat16) return "bfloat16";
  if (kind_ != Kind::kFloat) return "";
  return H5Tget_size(type_.get()) == sizeof(float) ? "float32" : "float64";
}

bool Hdf5Dataset::is_untyped() const { return H5Tget_class(type_.get()) == H5T_OPAQUE; }

std::vector<float> Hdf5Dataset::two_byte_floats(const Part& part) const {
  const Hdf5Handle memory(H5Tcopy(type_.get()), H5Tclose);
  if (H5Tget_class(type_.get()) == H5T_FLOAT) H5Tset_order(memory.get(), H5T_ORDER_LE);
  std::vector<std::uint16_t> bits(part.values);
  read(memory.get(), part, bits.data());
  std::vector<float> out(bits.size());
  std::transform(bits.begin(), bits.end(), out.begin(),
                 kind_ == Kind::kHalf ? half_to_float : bfloat16_to_float);
  return out;
}

std::vector<std::int64_t> Hdf5Dataset::integers(const Part& part) const {
  std::vector<std::int64_t> out(part.values);
  const bool may_be_larger = H5Tget_class(type_.get()) == H5T_INTEGER &&
                             H5Tget_sign(type_.get()) == H5T_SGN_NONE &&
                             H5Tget_size(type_.get()) == sizeof(std::uint64_t);
  if (!may_be_larger) {
    read(H5T_NATIVE_INT64, part, out.data());
    return out;
  }
  std::vector<std::uint64_t> wide(part.values);
  read(H5T_NATIVE_UINT64, part, wide.data());
  for (std::size_t i = 0; i < wide.size(); ++i) {
    if (wide[i] > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      refuse_value(part, i, "is larger than a signed 64-bit integer", std::to_string(wide[i]));
    }
    out[i] = static_cast<std::int64_t>(wide[i]);
  }
  return out;
}

/// Throws InputError where a finite float64 became infinite.
void Hdf5Dataset::refuse_overflow(const Part& part, const float* out) const {
  const auto infinite = [](float value) { return std::isinf(value); };
  if (H5Tget_size(type_.get()) < sizeof(double) || std::none_of(out, out + part.values, infinite)) {
    return;
  }
  std::vector<double> wide(part.values);
  read(H5T_NATIVE_DOUBLE, part, wide.data());
  for (std::size_t i = 0; i < wide.size(); ++i) {
    if (std::isinf(out[i]) && !std::isinf(wide[i])) {
      refuse_value(part, i, "is too large for float32", format_number(wide[i]));
    }
  }
}

void Hdf5Dataset::floats(const Part& part, float* out) const {
  if (kind_ == Kind::kFloat) {
    read(H5T_NATIVE_FLOAT, part, out);
    refuse_overflow(part, out);
  } else if (kind_ == Kind::kHalf || kind_ == Kind::kBfloat16) {
    const std::vector<float> values = two_byte_floats(part);
    std::copy(values.begin(), values.end(), out);
  } else if (kind_ == Kind::kInteger) {
    const std::vector<std::int64_t> values = integers(part);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!is_exact(values[i])) {
        refuse_value(part, i, "cannot be kept as a float32", std::to_string(values[i]));
      }
      out[i] = static_cast<float>(values[i]);
    }
  } else {
    fail("holds strings, not numbers");
  }
}

std::vector<float> Hdf5Dataset::read_floats() const {
  std::vector<float> values(whole_values(sizeof(float)));
  floats(whole(values.size()), values.data());
  return values;
}

std::vector<std::int64_t> Hdf5Dataset::read_integers() const {
  const Part part = whole(whole_values(sizeof(double)));
  if (kind_ == Kind::kInteger) return integers(part);
  std::vector<double> reals(part.values);
  if (kind_ == Kind::kFloat) {
    read(H5T_NATIVE_DOUBLE, part, reals.data());
  } else if (kind_ == Kind::kHalf || kind_ == Kind::kBfloat16) {
    const std::vector<float> values = two_byte_floats(part);
    std::copy(values.begin(), values.end(), reals.begin());
  } else {
    fail("holds strings, not integers");
  }
  std::vector<std::int64_t> out(reals.size());
  for (std::size_t i = 0; i < reals.size(); ++i) {
    if (!is_exact_whole(reals[i])) {
      refuse_value(part, i, "is not a whole number", format_number(reals[i]));
    }
    out[i] = static_cast<std::int64_t>(reals[i]);
  }
  return out;
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
  read(type_.get(), whole(count), bytes.data());
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
  VariableStrings held(whole_values(sizeof(std::string)), memory.get(), space.get());
  read(memory.get(), whole(held.pointers().size()), held.pointers().data());
  std::vector<std::string> strings;
  strings.reserve(held.pointers().size());
  for (const char* text : held.pointers()) strings.emplace_back(text == nullptr ? "" : text);
  return strings;
}

void Hdf5Dataset::read_row(std::int64_t row, float* out) const {
  CDT_CHECK(!shape().empty() && row >= 0 && row < shape()[0], "row outside the data set");
  std::vector<hsize_t> start(shape().size(), 0);
  std::vector<hsize_t> count(shape().begin(), shape().end());
  start[0] = static_cast<hsize_t>(row);
  count[0] = 1;
  std::size_t values = 1;
  for (const hsize_t size : count) values *= size;
  const int rank = static_cast<int>(shape().size());
  const Hdf5Handle from(H5Dget_space(set_.get()), H5Sclose);
  const Hdf5Handle to(H5Screate_simple(rank, count.data(), nullptr), H5Sclose);
  if (H5Sselect_hyperslab(from.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(),
                          nullptr) < 0) {
    throw InputError(file(), at(row), "cannot be read (HDF5: " + hdf5_reason() + ")");
  }
  floats({to.get(), from.get(), values, row}, out);
}

}  // namespace cdt
