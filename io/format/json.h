// Reads and writes JSON. Reading is strict: duplicate keys, trailing text, depth over 64, more than
// 2^23 values, strings over 16 MiB, wrong types and unknown keys are InputErrors that name file and
// field.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cdt {

nlohmann::json parse_json_file(const std::filesystem::path& path);
/// Parses a text; `source` names it in messages.
nlohmann::json parse_json(std::string_view text, const std::string& source);

/// Reads one object key by key. A getter throws InputError(source, prefix + key, ...) if the key is
/// missing or has another type. The object must outlive the reader.
class JsonReader {
 public:
  JsonReader(const nlohmann::json& object, std::string source, std::string field_prefix = "");

  bool has(const std::string& key) const;
  std::string string(const std::string& key);
  /// An integer, written without fraction or exponent, in [min, max].
  std::int64_t integer(const std::string& key,
                       std::int64_t min = std::numeric_limits<std::int64_t>::min(),
                       std::int64_t max = std::numeric_limits<std::int64_t>::max());
  double number(const std::string& key);
  bool boolean(const std::string& key);
  /// Reader of a nested object; its fields are named "key.inner".
  JsonReader object(const std::string& key);
  std::vector<std::int64_t> integers(const std::string& key);
  std::vector<std::string> strings(const std::string& key);
  /// A value of any type.
  const nlohmann::json& value(const std::string& key);
  /// Throws InputError naming a key that no getter asked for.
  void no_other_keys() const;

  /// Throws InputError(source, prefix + key, what).
  [[noreturn]] void fail(const std::string& key, const std::string& what) const;

 private:
  [[noreturn]] void wrong_type(const std::string& key, const std::string& expected) const;

  const nlohmann::json& object_;
  std::string source_;
  std::string prefix_;
  std::set<std::string> asked_;
};

/// JSON text as nlohmann writes it, on one line unless `indent` is given; invalid UTF-8 is
/// replaced.
std::string dumped(const nlohmann::json& value, int indent = -1);
std::string dumped(const nlohmann::ordered_json& value, int indent = -1);

/// An object on one line: its own numbers as json_text() writes them, nested values dumped().
std::string json_line(const nlohmann::ordered_json& object);

/// JSON text: keys in the order they were set, numbers in shortest round-trip form, indent of two
/// spaces, arrays of numbers on one line, a newline at the end. A number that is not finite becomes
/// null.
std::string json_text(const nlohmann::ordered_json& value);

}  // namespace cdt
