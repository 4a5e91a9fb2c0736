// Values as bytes, for the records of a journal: numbers as in memory (little-endian), vectors with
// their length before them. A struct lists its parts once, for both directions, in a function
// template that is found by its arguments:
//
//   template <class Archive, Either<Completeness> T>
//   void list_parts(Archive& archive, T& c) { archive(c.steps, c.change); }
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/error.h"

namespace cdt {

/// T is Value or const Value.
template <class T, class Value>
concept Either = std::same_as<std::remove_const_t<T>, Value>;

namespace record_types {
template <class T>
inline constexpr bool kIsVector = false;
template <class T>
inline constexpr bool kIsVector<std::vector<T>> = true;
template <class T>
inline constexpr bool kIsArray = false;
template <class T, std::size_t kSize>
inline constexpr bool kIsArray<std::array<T, kSize>> = true;
/// Copied as bytes.
template <class T>
inline constexpr bool kIsPlain = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;
}  // namespace record_types

/// Writes values into a record.
class RecordWriter {
 public:
  template <class... T>
  void operator()(const T&... values) {
    (write(values), ...);
  }
  std::string take() { return std::move(bytes_); }

 private:
  void write_bytes(const void* data, std::size_t size) {
    bytes_.append(static_cast<const char*>(data), size);
  }
  template <class Value>
  void write(const Value& value) {
    if constexpr (std::is_same_v<Value, bool>) {
      const auto byte = static_cast<std::uint8_t>(value);
      write_bytes(&byte, 1);
    } else if constexpr (record_types::kIsPlain<Value>) {
      write_bytes(&value, sizeof value);
    } else if constexpr (record_types::kIsVector<Value>) {
      const auto count = static_cast<std::uint64_t>(value.size());
      write_bytes(&count, sizeof count);
      if constexpr (record_types::kIsPlain<typename Value::value_type>) {
        write_bytes(value.data(), value.size() * sizeof(typename Value::value_type));
      } else {
        for (const auto& element : value) write(element);
      }
    } else if constexpr (record_types::kIsArray<Value>) {
      for (const auto& element : value) write(element);
    } else {
      list_parts(*this, value);
    }
  }

  std::string bytes_;
};

/// Reads the values that a RecordWriter wrote, in their order.
class RecordReader {
 public:
  /// `bytes` must outlive this; `source` names the file in messages.
  RecordReader(std::string_view bytes, std::string source)
      : left_(bytes), source_(std::move(source)) {}

  /// Throws InputError if the record is too short.
  template <class... T>
  void operator()(T&... values) {
    (read(values), ...);
  }
  /// Throws InputError if something is left.
  void expect_end() const {
    if (!left_.empty()) refuse();
  }

 private:
  [[noreturn]] void refuse() const {
    throw InputError(source_, "record", "is not of the length that its content needs");
  }
  void read_bytes(void* out, std::size_t size) {
    if (size > left_.size()) refuse();
    if (size > 0) std::memcpy(out, left_.data(), size);
    left_.remove_prefix(size);
  }
  template <class T>
  void read(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      std::uint8_t byte = 0;
      read_bytes(&byte, 1);
      value = byte != 0;
    } else if constexpr (record_types::kIsPlain<T>) {
      read_bytes(&value, sizeof value);
    } else if constexpr (record_types::kIsVector<T>) {
      std::uint64_t count = 0;
      read_bytes(&count, sizeof count);
      if constexpr (record_types::kIsPlain<typename T::value_type>) {
        if (count > left_.size() / sizeof(typename T::value_type)) refuse();
        value.resize(count);
        read_bytes(value.data(), value.size() * sizeof(typename T::value_type));
      } else {
        if (count > left_.size()) refuse();  // no element takes less than a byte
        value.resize(count);
        for (auto& element : value) read(element);
      }
    } else if constexpr (record_types::kIsArray<T>) {
      for (auto& element : value) read(element);
    } else {
      list_parts(*this, value);
    }
  }

  std::string_view left_;
  std::string source_;
};

}  // namespace cdt
