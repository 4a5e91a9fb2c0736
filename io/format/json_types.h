// What a struct needs to be written to JSON and read from it (io/format/json_fields.h), without the
// JSON library. A struct lists its keys once:
//
//   template <class V>
//   void fields(V& v) {
//     v("n", n);
//     v("baseline", baseline);  // std::optional: the key may be absent
//     v.group("steps", [&](auto& in) { in("mean", mean_steps); });  // a nested object
//   }
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cdt {

/// A value that is null in JSON if it is empty.
template <class T>
struct Nullable : std::optional<T> {
  using std::optional<T>::optional;
};

/// An object whose values are of one type, sorted by key.
template <class T>
using ByName = std::vector<std::pair<std::string, T>>;

/// Value of a name, or null if there is none.
template <class T>
const T* find_name(const ByName<T>& values, std::string_view name) {
  for (const auto& [key, value] : values) {
    if (key == name) return &value;
  }
  return nullptr;
}

}  // namespace cdt
