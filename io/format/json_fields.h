// Maps JSON objects to structs that list their keys (io/format/json_types.h): fields_json() writes
// and read_fields() reads what they list. Values are bool, integers, double (null is NaN),
// std::string, Nullable, std::vector, ByName, structs with fields() or, for an array of fixed
// length, elements(), and nlohmann::json, which is read as it is. A reader ignores keys that no
// field names.
#pragma once

#include <concepts>
#include <cstddef>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "io/format/json_types.h"

namespace cdt {

namespace json_fields {

struct AnyVisitor {};
template <class T>
concept Object = requires(T& value, AnyVisitor& v) {
  value.fields(v);
};
template <class T>
concept FixedArray = requires(T& value, AnyVisitor& v) {
  value.elements(v);
};

/// Whether a type is an instance of a template.
template <class T, template <class...> class Of>
inline constexpr bool kIs = false;
template <class... T, template <class...> class Of>
inline constexpr bool kIs<Of<T...>, Of> = true;
template <class T>
inline constexpr bool kIsByName = false;
template <class T>
inline constexpr bool kIsByName<ByName<T>> = true;

/// group() of a Visitor: a nested object that has no struct of its own, only the keys that `list`
/// names.
template <class Visitor>
struct Groups {
  template <class List>
  struct Group {
    const List& list;
    template <class V>
    void fields(V& v) {
      list(v);
    }
  };
  template <class List>
  void group(std::string_view key, const List& list) {
    Group<List> inner{list};
    static_cast<Visitor&> (*this)(key, inner);
  }
};

class Writer : public Groups<Writer> {
 public:
  using Json = nlohmann::ordered_json;

  template <class T>
  void operator()(std::string_view key, T& value) {
    if constexpr (kIs<T, std::optional>) {
      if (value) (*this)(key, *value);
    } else {
      out_[std::string(key)] = json_of(value);
    }
  }
  /// Further keys, whose values are all of one type.
  template <class T>
  void rest(ByName<T>& values) {
    for (auto& [name, value] : values) (*this)(name, value);
  }

  template <class T>
  static Json json_of(T& value) {
    if constexpr (Object<T>) {
      Writer inner;
      value.fields(inner);
      return std::move(inner.out_);
    } else if constexpr (FixedArray<T>) {
      Json out = Json::array();
      const auto add = [&](auto& element) { out.push_back(json_of(element)); };
      value.elements(add);
      return out;
    } else if constexpr (kIsByName<T>) {
      Writer inner;
      inner.rest(value);
      return std::move(inner.out_);
    } else if constexpr (kIs<T, Nullable>) {
      return value ? json_of(*value) : Json();
    } else if constexpr (kIs<T, std::vector>) {
      Json out = Json::array();
      for (auto& element : value) out.push_back(json_of(element));
      return out;
    } else {
      return Json(value);
    }
  }

 private:
  Json out_ = Json::object();
};

class Reader : public Groups<Reader> {
 public:
  using Json = nlohmann::json;

  /// path: of the object in the file; "" or ending with a dot.
  Reader(const Json& object, std::string source, std::string path)
      : object_(object), source_(std::move(source)), path_(std::move(path)) {}

  template <class T>
  void operator()(std::string_view key, T& value) {
    const auto found = object_.find(std::string(key));
    named_.emplace(key);
    if constexpr (kIs<T, std::optional>) {
      if (found != object_.end()) read(*found, path_ + std::string(key), &value.emplace());
    } else {
      if (found == object_.end()) fail(path_ + std::string(key), "is missing");
      read(*found, path_ + std::string(key), &value);
    }
  }
  template <class T>
  void rest(ByName<T>& values) {
    for (const auto& [key, value] : object_.items()) {
      if (named_.count(key) > 0) continue;
      read(value, path_ + key, &values.emplace_back(key, T{}).second);
    }
  }

  template <class T>
  void read(const Json& json, const std::string& path, T* value) const {
    if constexpr (std::same_as<T, Json>) {
      *value = json;
    } else if constexpr (Object<T>) {
      expect(json.is_object(), json, path, "an object");
      Reader inner(json, source_, path.empty() ? path : path + ".");
      value->fields(inner);
    } else if constexpr (FixedArray<T>) {
      expect(json.is_array(), json, path, "an array");
      std::size_t count = 0;
      const auto next = [&](auto& element) {
        if (count < json.size()) read(json[count], at(path, count), &element);
        ++count;
      };
      value->elements(next);
      if (count == json.size()) return;
      fail(path,
           expected_got("has another length", std::to_string(count), std::to_string(json.size())));
    } else if constexpr (kIsByName<T>) {
      expect(json.is_object(), json, path, "an object");
      value->clear();
      Reader(json, source_, path + ".").rest(*value);
    } else if constexpr (kIs<T, Nullable>) {
      value->reset();
      if (!json.is_null()) read(json, path, &value->emplace());
    } else if constexpr (kIs<T, std::vector>) {
      expect(json.is_array(), json, path, "an array");
      value->clear();
      for (const Json& element : json) {
        const std::string place = at(path, value->size());
        read(element, place, &value->emplace_back());
      }
    } else if constexpr (std::same_as<T, bool>) {
      expect(json.is_boolean(), json, path, "true or false");
      *value = json.get<bool>();
    } else if constexpr (std::integral<T>) {
      expect(std::is_signed_v<T> ? json.is_number_integer() : json.is_number_unsigned(), json, path,
             "an integer");
      *value = json.get<T>();
    } else if constexpr (std::same_as<T, double>) {
      expect(json.is_number() || json.is_null(), json, path, "a number");
      *value = json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
    } else {
      static_assert(std::same_as<T, std::string>, "no JSON is read into this type");
      expect(json.is_string(), json, path, "a string");
      *value = json.get<std::string>();
    }
  }

  [[noreturn]] void fail(const std::string& path, const std::string& what) const {
    throw InputError(source_, path, what);
  }

 private:
  static std::string at(const std::string& path, std::size_t index) {
    return path + "[" + std::to_string(index) + "]";
  }
  void expect(bool is, const Json& json, const std::string& path, const char* expected) const {
    if (is) return;
    fail(path, expected_got("wrong type", expected,
                            json.is_null() ? "null" : std::string("a JSON ") + json.type_name()));
  }

  const Json& object_;
  std::string source_, path_;
  std::set<std::string> named_;
};

}  // namespace json_fields

/// Writes the fields of a struct as a JSON object, in their order.
template <class T>
nlohmann::ordered_json fields_json(T value) {
  return json_fields::Writer::json_of(value);
}

/// Reads the fields from the JSON at `path` of the file `source`. Throws InputError(source, key
/// path, ...) if a key is missing or has another type.
template <class T>
T read_fields(const nlohmann::json& json, const std::string& source, const std::string& path = "") {
  T out{};
  json_fields::Reader(json, source, "").read(json, path, &out);
  return out;
}

}  // namespace cdt
