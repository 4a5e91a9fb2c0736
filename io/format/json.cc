#include "io/format/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/error.h"
#include "engine/poll.h"
#include "io/format/text.h"
#include "io/format/text_file.h"

namespace cdt {
namespace {

using nlohmann::json;

constexpr std::size_t kDepthLimit = 64;

constexpr std::int64_t kValueLimit = std::int64_t{1} << 23U;  // about 1.5 GB in the worst case
constexpr std::size_t kStringLimit = std::size_t{1} << 24U;
constexpr std::int64_t kValuesBetweenPolls = 4096;
constexpr int kOutOfRange = 406;  // nlohmann's error number for it

/// "line 3, column 7" of a byte offset.
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

/// Builds the value of a text in time linear in its length (nlohmann's parser with a callback walks
/// over the elements of each container again and again), and refuses duplicate keys, of which that
/// parser keeps the last.
class Builder : public nlohmann::json_sax<json> {
 public:
  Builder(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  json result() && { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(std::int64_t value) override { return add(value); }
  bool number_unsigned(std::uint64_t value) override { return add(value); }
  bool number_float(double value, const std::string& /*text*/) override { return add(value); }
  bool string(std::string& value) override {
    check_length(value);
    return add(std::move(value));
  }
  bool binary(json::binary_t& /*value*/) override { return false; }  // not in JSON
  bool start_object(std::size_t /*size*/) override { return open(json::object()); }
  bool start_array(std::size_t /*size*/) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    check_length(name);
    const auto [at, fresh] = open_.back()->get_ref<json::object_t&>().emplace(name, nullptr);
    if (!fresh) {
      throw InputError(source_, name.empty() ? "\"\"" : name, "key appears twice in one object");
    }
    named_ = &at->second;
    return true;
  }
  bool parse_error(std::size_t byte, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) override {
    throw InputError(source_, position(text_, byte),
                     error.id == kOutOfRange ? "the number is too large" : "not valid JSON");
  }

 private:
  json* place(json value) {
    if (++values_ > kValueLimit) {
      throw InputError(source_, "JSON",
                       "holds more than " + std::to_string(kValueLimit) + " values");
    }
    if (values_ % kValuesBetweenPolls == 0) poll();
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_object()) {
      *named_ = std::move(value);
      return named_;
    }
    open_.back()->push_back(std::move(value));
    return &open_.back()->back();
  }
  bool add(json value) {
    place(std::move(value));
    return true;
  }
  bool open(json container) {
    json* at = place(std::move(container));
    open_.push_back(at);
    if (open_.size() > kDepthLimit) {
      throw InputError(source_, "JSON", "nested deeper than 64 levels");
    }
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }
  void check_length(const std::string& text) const {
    if (text.size() > kStringLimit) {
      throw InputError(source_, "JSON",
                       "holds a string of more than " + std::to_string(kStringLimit) + " bytes");
    }
  }

  std::string_view text_;
  const std::string& source_;
  json root_;
  std::vector<json*> open_;  // pointers stay valid while a nested container is open
  json* named_ = nullptr;    // where the value of the last key is stored
  std::int64_t values_ = 0;
};

using Json = nlohmann::ordered_json;

void append_value(std::string* out, const Json& value, std::size_t indent);

void append_items(std::string* out, const Json& value, std::size_t indent) {
  const std::string line = "\n" + std::string(indent + 2, ' ');
  const bool one_line =
      value.is_array() && std::all_of(value.begin(), value.end(),
                                      [](const Json& v) { return v.is_number() || v.is_null(); });
  *out += value.is_array() ? '[' : '{';
  bool first = true;
  for (const auto& [key, item] : value.items()) {
    if (!first) *out += one_line ? ", " : ",";
    if (!one_line) *out += line;
    if (value.is_object()) *out += dumped(Json(key)) + ": ";
    append_value(out, item, indent + 2);
    first = false;
  }
  if (!first && !one_line) *out += "\n" + std::string(indent, ' ');
  *out += value.is_array() ? ']' : '}';
}

void append_value(std::string* out, const Json& value, std::size_t indent) {
  if (value.is_structured()) {
    append_items(out, value, indent);
  } else if (value.is_number_float()) {
    *out += json_number(value.get<double>());
  } else {
    *out += dumped(value);
  }
}

}  // namespace

std::string dumped(const json& value, int indent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

std::string dumped(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

json parse_json(std::string_view text, const std::string& source) {
  Builder builder(text, source);
  json::sax_parse(text.begin(), text.end(), &builder);
  return std::move(builder).result();
}

json parse_json_file(const std::filesystem::path& path) {
  return parse_json(read_text_file(path), path.string());
}

JsonReader::JsonReader(const json& object, std::string source, std::string field_prefix)
    : object_(object), source_(std::move(source)), prefix_(std::move(field_prefix)) {
  if (object_.is_object()) return;
  const std::string field = prefix_.empty() ? "JSON" : prefix_.substr(0, prefix_.size() - 1);
  throw InputError(source_, field, expected_got("wrong type", "an object", dumped(object_)));
}

void JsonReader::fail(const std::string& key, const std::string& what) const {
  throw InputError(source_, prefix_ + key, what);
}

void JsonReader::wrong_type(const std::string& key, const std::string& expected) const {
  fail(key, expected_got("wrong type", expected, dumped(object_.at(key))));
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
                           dumped(v)));
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

std::vector<std::string> JsonReader::strings(const std::string& key) {
  const json& v = value(key);
  const auto is_text = [](const json& item) { return item.is_string(); };
  if (!v.is_array() || !std::all_of(v.begin(), v.end(), is_text)) {
    wrong_type(key, "a list of strings");
  }
  return v.get<std::vector<std::string>>();
}

void JsonReader::no_other_keys() const {
  for (const auto& item : object_.items()) {
    if (asked_.count(item.key()) == 0) fail(item.key(), "unknown key");
  }
}

std::string json_line(const Json& object) {
  std::string out;
  for (const auto& [key, value] : object.items()) {
    out += (out.empty() ? '{' : ',') + dumped(Json(key)) + ':';
    out += value.is_number_float() ? json_number(value.get<double>()) : dumped(value);
  }
  return out + '}';
}

std::string json_text(const Json& value) {
  std::string out;
  append_value(&out, value, 0);
  return out + "\n";
}

}  // namespace cdt
