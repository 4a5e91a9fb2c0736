#include "apps/common/json_text.h"

#include <algorithm>

#include "io/format/text.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

void append(std::string* out, const Json& value, std::size_t indent);

std::string string_text(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

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
    if (value.is_object()) *out += string_text(key) + ": ";
    append(out, item, indent + 2);
    first = false;
  }
  if (!first && !one_line) *out += "\n" + std::string(indent, ' ');
  *out += value.is_array() ? ']' : '}';
}

void append(std::string* out, const Json& value, std::size_t indent) {
  if (value.is_structured()) {
    append_items(out, value, indent);
  } else if (value.is_number_float()) {
    *out += json_number(value.get<double>());
  } else if (value.is_string()) {
    *out += string_text(value.get<std::string>());
  } else {
    *out += value.dump();
  }
}

}  // namespace

std::string json_text(const Json& value) {
  std::string out;
  append(&out, value, 0);
  return out + "\n";
}

}  // namespace cdt
