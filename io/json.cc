#include "io/json.h"

#include <functional>
#include <utility>

#include "engine/error.h"
#include "io/text.h"

namespace cdt {
namespace {

using nlohmann::json;

constexpr int kDepthLimit = 64;

/// nlohmann keeps the last of duplicate keys; this callback refuses them.
class KeyGuard {
 public:
  explicit KeyGuard(const std::string& source) : source_(source) {}

  bool operator()(int depth, json::parse_event_t event, const json& parsed) {
    if (depth > kDepthLimit) throw InputError(source_, "JSON", "nested deeper than 64 levels");
    if (event == json::parse_event_t::object_start) {
      keys_.emplace_back();
    } else if (event == json::parse_event_t::object_end) {
      keys_.pop_back();
    } else if (event == json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!keys_.back().insert(key).second) {
        throw InputError(source_, key.empty() ? "\"\"" : key, "key stands twice in one object");
      }
    }
    return true;
  }

 private:
  const std::string& source_;
  std::vector<std::set<std::string>> keys_;
};

/// "line 3, column 7" of a byte position.
std::string position(std::string_view text, std::size_t byte) {
  std::size_t line = 1;
  std::size_t column = 1;
  for (std::size_t i = 0; i + 1 < byte && i < text.size(); ++i) {
    ++column;
    if (text[i] == '\n') {
      ++line;
      column = 1;
    }
  }
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

std::string shown(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

json parse_json(std::string_view text, const std::string& source) {
  KeyGuard guard(source);
  try {
    return json::parse(text.begin(), text.end(), std::ref(guard));
  } catch (const json::parse_error& error) {
    throw InputError(source, position(text, error.byte), "not valid JSON");
  } catch (const json::exception&) {
    throw InputError(source, "JSON", "holds a number out of range");
  }
}

json parse_json_file(const std::filesystem::path& path) {
  return parse_json(read_text_file(path), path.string());
}

JsonReader::JsonReader(const json& object, std::string source, std::string field_prefix)
    : object_(object), source_(std::move(source)), prefix_(std::move(field_prefix)) {
  if (object_.is_object()) return;
  const std::string field = prefix_.empty() ? "JSON" : prefix_.substr(0, prefix_.size() - 1);
  throw InputError(source_, field, expected_got("wrong type", "an object", shown(object_)));
}

void JsonReader::fail(const std::string& key, const std::string& what) const {
  throw InputError(source_, prefix_ + key, what);
}

void JsonReader::wrong_type(const std::string& key, const std::string& expected) const {
  fail(key, expected_got("wrong type", expected, shown(object_.at(key))));
}

bool JsonReader::has(const std::string& key) const { return object_.contains(key); }

const json& JsonReader::value(const std::string& key) {
  asked_.insert(key);
  const auto at = object_.find(key);
  if (at == object_.end()) fail(key, "missing");
  return *at;
}

std::string JsonReader::string(const std::string& key) {
  const json& v = value(key);
  if (!v.is_string()) wrong_type(key, "a string");
  return v.get<std::string>();
}

std::int64_t JsonReader::integer(const std::string& key, std::int64_t min, std::int64_t max) {
  const json& v = value(key);
  if (!v.is_number_integer()) wrong_type(key, "an integer");
  const bool too_large =
      v.is_number_unsigned() &&
      v.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const auto number = too_large ? max : v.get<std::int64_t>();
  if (too_large || number < min || number > max) {
    fail(key, expected_got("out of range", std::to_string(min) + " to " + std::to_string(max),
                           shown(v)));
  }
  return number;
}

double JsonReader::number(const std::string& key) {
  const json& v = value(key);
  if (!v.is_number()) wrong_type(key, "a number");
  return v.get<double>();
}

bool JsonReader::boolean(const std::string& key) {
  const json& v = value(key);
  if (!v.is_boolean()) wrong_type(key, "true or false");
  return v.get<bool>();
}

JsonReader JsonReader::object(const std::string& key) {
  return {value(key), source_, prefix_ + key + "."};
}

std::vector<std::int64_t> JsonReader::integers(const std::string& key) {
  const json& v = value(key);
  if (!v.is_array()) wrong_type(key, "a list of integers");
  std::vector<std::int64_t> out;
  out.reserve(v.size());
  for (const json& item : v) {
    if (!item.is_number_integer() ||
        (item.is_number_unsigned() && item.get<std::uint64_t>() > (std::uint64_t{1} << 62U))) {
      wrong_type(key, "a list of integers");
    }
    out.push_back(item.get<std::int64_t>());
  }
  return out;
}

void JsonReader::no_other_keys() const {
  for (const auto& item : object_.items()) {
    if (asked_.count(item.key()) == 0) fail(item.key(), "unknown key");
  }
}

}  // namespace cdt
