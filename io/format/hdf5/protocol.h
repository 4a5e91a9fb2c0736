// What the process that reads HDF5 is asked, and how it answers. A request is a RequestHead and the
// name that it announces; an answer is an AnswerHead and its body. Requests are trusted, answers
// are not: their reader checks every size against what it expects.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cdt {

enum class Request : std::uint8_t {
  kOpenFile,      // answer: nothing
  kHas,           // name; answer: a byte, 0 or 1
  kNames,         // answer: names
  kOpen,          // name; answer: the description of a data set, numbered from 0 as they are opened
  kOpenBfloat16,  // as kOpen, but takes opaque two-byte values for bfloat16
  kFloats,        // data set; answer: all values as float32
  kIntegers,      // data set; answer: all values as int64
  kStrings,       // data set; answer: all strings
  kRow            // data set, row; answer: its values as float32
};

struct RequestHead {
  Request request = Request::kOpenFile;
  std::uint32_t dataset = 0;
  std::int64_t row = 0;
  std::uint64_t name_bytes = 0;
};

struct AnswerHead {
  /// Whether the body is an error message, without the name of the file.
  std::uint8_t refused = 0;
  std::uint64_t bytes = 0;  // of the body
};

inline constexpr std::uint64_t kMaxMessageBytes = 8192;
inline constexpr std::uint64_t kMaxNamesBytes = std::uint64_t{1} << 20U;
inline constexpr std::uint64_t kMaxDescriptionBytes = 1024;
/// Most bytes of all strings of a data set, with their lengths.
inline constexpr std::uint64_t kMaxStringsBytes = std::uint64_t{1} << 30U;

/// Types of floats by number; number 0, "", is no float.
inline constexpr std::array<const char*, 5> kFloatTypes = {"", "float16", "bfloat16", "float32",
                                                           "float64"};

/// Strings as one body: the length and the bytes of each.
void append_string(std::string_view text, std::string* body);
/// The strings of such a body; nothing if it is not well formed or has more than `limit`.
std::optional<std::vector<std::string>> strings_of(std::string_view body, std::size_t limit);

/// A description as a body: type, whether it is untyped, and the axes.
struct DatasetAnswer {
  std::uint8_t float_type = 0;  // of kFloatTypes
  bool untyped = false;
  std::vector<std::uint64_t> axes;
};
std::string description_body(const DatasetAnswer& answer);
std::optional<DatasetAnswer> description_of(std::string_view body);

}  // namespace cdt
