#include "io/format/hdf5/protocol.h"

#include <cstring>

namespace cdt {
namespace {

template <typename T>
void append(T value, std::string* body) {
  body->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

/// Takes a value off the front of the body; false if it is too short.
template <typename T>
bool take(std::string_view* body, T* value) {
  if (body->size() < sizeof(T)) return false;
  std::memcpy(value, body->data(), sizeof(T));
  body->remove_prefix(sizeof(T));
  return true;
}

}  // namespace

void append_string(std::string_view text, std::string* body) {
  append(static_cast<std::uint32_t>(text.size()), body);
  body->append(text);
}

std::optional<std::vector<std::string>> strings_of(std::string_view body, std::size_t limit) {
  std::vector<std::string> out;
  while (!body.empty()) {
    std::uint32_t size = 0;
    if (!take(&body, &size) || size > body.size() || out.size() == limit) return std::nullopt;
    out.emplace_back(body.substr(0, size));
    body.remove_prefix(size);
  }
  return out;
}

std::string description_body(const DatasetAnswer& answer) {
  std::string body;
  append(answer.float_type, &body);
  append(static_cast<std::uint8_t>(answer.untyped ? 1 : 0), &body);
  for (const std::uint64_t size : answer.axes) append(size, &body);
  return body;
}

std::optional<DatasetAnswer> description_of(std::string_view body) {
  DatasetAnswer out;
  std::uint8_t untyped = 0;
  if (!take(&body, &out.float_type) || !take(&body, &untyped)) return std::nullopt;
  if (out.float_type >= kFloatTypes.size() || untyped > 1) return std::nullopt;
  out.untyped = untyped == 1;
  while (!body.empty()) {
    std::uint64_t size = 0;
    if (!take(&body, &size)) return std::nullopt;
    out.axes.push_back(size);
  }
  return out;
}

}  // namespace cdt
