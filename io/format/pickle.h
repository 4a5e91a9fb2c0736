// Python's pickle as data (pickletools, protocols 2 to 5): a stack machine over an allow-list of
// instructions that build numbers, text, tuples, lists, dicts, and calls, which are recorded but
// never made. Nothing is imported or run; a name outside the caller's list is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cdt {

/// One object. Objects belong to their Pickle; they may be shared and may contain themselves.
struct PickleValue {
  enum class Kind : std::uint8_t {
    kNone,
    kBool,     // integer: 0 or 1
    kInteger,  // 64 bits
    kHuge,     // a longer integer; its value is not kept
    kReal,
    kText,        // UTF-8
    kBytes,       // in text
    kTuple,       // items
    kList,        // items
    kDict,        // items: key, value, key, value, ...; OrderedDict too, in its order
    kGlobal,      // text: "torch._utils._rebuild_tensor_v2"
    kCall,        // items: a kGlobal and the kTuple of its arguments
    kPersistent,  // items: the identifier of something kept elsewhere
  };
  Kind kind = Kind::kNone;
  std::int64_t integer = 0;
  double real = 0.0;
  std::string text;
  std::vector<const PickleValue*> items;
  const PickleValue* state = nullptr;  // set by BUILD: the attributes of an object

  bool is(Kind other) const { return kind == other; }
  /// Whether this is a call of that global.
  bool calls(std::string_view global) const {
    return kind == Kind::kCall && items[0]->text == global;
  }
  /// Arguments of a call.
  const std::vector<const PickleValue*>& arguments() const { return items[1]->items; }
  /// Value of a text key of a dict, or null; if the key is repeated the last one counts, as in
  /// Python.
  const PickleValue* find(std::string_view key) const;
};

class Pickle {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{16} << 20U;
  static constexpr std::size_t kMostObjects = std::size_t{1} << 20U;

  /// Reads `bytes`, member `field` of `file`. Throws InputError(file, field, ...) for an
  /// instruction that is not on the list, a name that is not in `allowed`, text that is not UTF-8,
  /// damage, bytes after the end, and more than kMostBytes or kMostObjects.
  Pickle(std::string_view bytes, std::span<const std::string_view> allowed, const std::string& file,
         const std::string& field);

  const PickleValue& root() const { return *root_; }
  /// All objects, in the order they are created.
  const std::deque<PickleValue>& objects() const { return objects_; }

 private:
  friend class PickleMachine;
  std::deque<PickleValue> objects_;
  const PickleValue* root_ = nullptr;
};

}  // namespace cdt
