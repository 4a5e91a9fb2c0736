#include "io/format/pickle.h"

#include <algorithm>
#include <bit>
#include <unordered_map>
#include <utility>

#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {

using Kind = PickleValue::Kind;

const PickleValue* PickleValue::find(std::string_view key) const {
  const PickleValue* found = nullptr;
  for (std::size_t i = 0; kind == Kind::kDict && i + 1 < items.size(); i += 2) {
    if (items[i]->is(Kind::kText) && items[i]->text == key) found = items[i + 1];
  }
  return found;
}

/// Executes the instructions once, in order. MARKs are kept as positions in the stack.
class PickleMachine {
 public:
  PickleMachine(Pickle& pickle, std::string_view bytes, std::span<const std::string_view> allowed,
                const std::string& file, const std::string& field)
      : pickle_(pickle),
        left_(bytes),
        size_(bytes.size()),
        allowed_(allowed),
        file_(file),
        field_(field) {}

  void run() {
    if (size_ > Pickle::kMostBytes) {
      fail(expected_got("is too large", "at most 16 MiB", std::to_string(size_)));
    }
    if (number(1) != 0x80) fail("is no pickle of protocol 2 or later");
    check_protocol();
    while (true) {
      const auto op = static_cast<unsigned char>(take(1)[0]);
      if (op == '.') break;
      if (!simple(op) && !containers(op) && !text(op) && !memo(op)) objects(op);
    }
    const PickleValue* root = pop();
    if (!stack_.empty() || !marks_.empty()) fail("damaged: objects are left over at its end");
    if (!left_.empty()) fail("damaged: it goes on after its end");
    pickle_.root_ = root;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw InputError(file_, field_, what); }

  // --- bytes ---
  std::string_view take(std::uint64_t size) {
    if (size > left_.size()) fail("damaged or cut short at byte " + std::to_string(size_));
    const std::string_view out = left_.substr(0, size);
    left_.remove_prefix(size);
    return out;
  }
  /// Reads a little-endian number.
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    const std::string_view bytes = take(size);
    for (std::size_t i = size; i-- > 0;) {
      value = value << 8U | static_cast<unsigned char>(bytes[i]);
    }
    return value;
  }
  void check_protocol() {
    const std::uint64_t protocol = number(1);
    if (protocol < 2 || protocol > 5) {
      fail(expected_got("pickle protocol", "2 to 5", std::to_string(protocol)));
    }
  }
  std::string_view line() {
    const std::size_t end = left_.find('\n');
    if (end == std::string_view::npos) fail("damaged: a name without an end");
    const std::string_view out = take(end);
    take(1);
    return out;
  }

  // --- the stack ---
  void expect_room(std::size_t used) const {
    if (used < Pickle::kMostObjects) return;
    fail("holds more than " + std::to_string(Pickle::kMostObjects) + " objects");
  }
  PickleValue& make(Kind kind) {
    expect_room(pickle_.objects_.size());
    PickleValue& value = pickle_.objects_.emplace_back();
    value.kind = kind;
    stack_.push_back(&value);
    return value;
  }
  void make_integer(Kind kind, std::int64_t value) { make(kind).integer = value; }
  void make_text(Kind kind, std::string_view value) { make(kind).text = value; }
  void make_unicode(std::string_view value) {
    for (std::size_t at = 0; at < value.size();) {
      const std::size_t length = utf8_length(value, at);
      if (length == 0) fail("damaged: a text is no UTF-8");
      at += length;
    }
    make_text(Kind::kText, value);
  }
  /// Number of objects below the last MARK, or 0 without one.
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  PickleValue* top() {
    if (stack_.size() <= floor()) fail("damaged: an instruction lacks its object");
    return stack_.back();
  }
  PickleValue* pop() {
    PickleValue* value = top();
    stack_.pop_back();
    return value;
  }
  /// Pops the last `count` objects.
  std::vector<const PickleValue*> pop_many(std::size_t count) {
    if (stack_.size() - floor() < count) fail("damaged: an instruction lacks its objects");
    std::vector<const PickleValue*> out(stack_.end() - static_cast<std::ptrdiff_t>(count),
                                        stack_.end());
    stack_.resize(stack_.size() - count);
    return out;
  }
  std::vector<const PickleValue*> pop_marked() {
    if (marks_.empty()) fail("damaged: an instruction lacks its mark");
    std::vector<const PickleValue*> out = pop_many(stack_.size() - marks_.back());
    marks_.pop_back();
    return out;
  }
  void make_tuple(std::vector<const PickleValue*> items) {
    make(Kind::kTuple).items = std::move(items);
  }

  // --- instructions; false: another kind ---
  bool simple(unsigned op) {
    switch (op) {
      case 0x80:
        check_protocol();
        return true;
      case 0x95:  // FRAME: the length of what follows
        if (number(8) > left_.size()) fail("damaged or cut short: a frame is not whole");
        return true;
      case '(':
        expect_room(marks_.size());
        marks_.push_back(stack_.size());
        return true;
      case 'N':
        make(Kind::kNone);
        return true;
      case 0x88:
      case 0x89:
        make_integer(Kind::kBool, op == 0x88 ? 1 : 0);
        return true;
      case 'K':
        make_integer(Kind::kInteger, static_cast<std::int64_t>(number(1)));
        return true;
      case 'M':
        make_integer(Kind::kInteger, static_cast<std::int64_t>(number(2)));
        return true;
      case 'J':
        make_integer(Kind::kInteger, static_cast<std::int32_t>(number(4)));
        return true;
      case 0x8a:
        long_integer();
        return true;
      case 'G':
        make(Kind::kReal).real = std::bit_cast<double>(__builtin_bswap64(number(8)));
        return true;
      default:
        return false;
    }
  }

  /// LONG1: an integer of any length in two's complement.
  void long_integer() {
    const std::uint64_t size = number(1);
    if (size > 8) {
      take(size);
      make(Kind::kHuge);
      return;
    }
    const std::uint64_t bits = number(size);
    const unsigned unused = 64U - 8U * static_cast<unsigned>(size);
    const bool none = size == 0;
    make_integer(Kind::kInteger, none ? 0 : static_cast<std::int64_t>(bits << unused) >> unused);
  }

  bool text(unsigned op) {
    switch (op) {
      case 'X':
        make_unicode(take(number(4)));
        return true;
      case 0x8c:
        make_unicode(take(number(1)));
        return true;
      case 0x8d:
        make_unicode(take(number(8)));
        return true;
      case 'B':
        make_text(Kind::kBytes, take(number(4)));
        return true;
      case 'C':
        make_text(Kind::kBytes, take(number(1)));
        return true;
      case 0x8e:
        make_text(Kind::kBytes, take(number(8)));
        return true;
      default:
        return false;
    }
  }

  bool containers(unsigned op) {
    switch (op) {
      case ')':
        make_tuple({});
        return true;
      case 0x85:
      case 0x86:
      case 0x87:
        make_tuple(pop_many(op - 0x84));
        return true;
      case 't':
        make_tuple(pop_marked());
        return true;
      case ']':
        make(Kind::kList);
        return true;
      case '}':
        make(Kind::kDict);
        return true;
      case 'a':
        extend(Kind::kList, pop_many(1));
        return true;
      case 'e':
        extend(Kind::kList, pop_marked());
        return true;
      case 's':
        extend(Kind::kDict, pop_many(2));
        return true;
      case 'u':
        extend(Kind::kDict, pop_marked());
        return true;
      default:
        return false;
    }
  }

  void extend(Kind kind, const std::vector<const PickleValue*>& items) {
    PickleValue* target = top();
    if (!target->is(kind)) fail("damaged: items for something that takes none");
    if (kind == Kind::kDict && items.size() % 2 != 0) fail("damaged: a key without a value");
    target->items.insert(target->items.end(), items.begin(), items.end());
  }

  bool memo(unsigned op) {
    switch (op) {
      case 'q':
        remember(number(1));
        return true;
      case 'r':
        remember(number(4));
        return true;
      case 0x94:
        remember(memo_.size());
        return true;
      case 'h':
        recall(number(1));
        return true;
      case 'j':
        recall(number(4));
        return true;
      default:
        return false;
    }
  }

  void remember(std::uint64_t key) {
    expect_room(memo_.size());
    memo_[key] = top();
  }

  void recall(std::uint64_t key) {
    expect_room(stack_.size());
    const auto found = memo_.find(key);
    if (found == memo_.end()) fail("damaged: it refers to an object that is not there");
    stack_.push_back(found->second);
  }

  void objects(unsigned op) {
    switch (op) {
      case 'c': {
        const std::string module(line());
        global(module + "." + std::string(line()));
        break;
      }
      case 0x93: {
        const PickleValue* name = pop();
        const PickleValue* module = pop();
        if (!name->is(Kind::kText) || !module->is(Kind::kText)) fail("damaged: a name is no text");
        global(module->text + "." + name->text);
        break;
      }
      case 'R':
        call();
        break;
      case 'b': {
        const PickleValue* state = pop();
        top()->state = state;
        break;
      }
      case 'Q': {
        const PickleValue* id = pop();
        make(Kind::kPersistent).items = {id};
        break;
      }
      default:
        fail("uses pickle instruction " + std::to_string(op) + " at byte " +
             std::to_string(size_ - left_.size() - 1) +
             ", which tensors and plain containers do not need");
    }
  }

  void global(const std::string& name) {
    if (std::find(allowed_.begin(), allowed_.end(), name) == allowed_.end()) {
      const bool whole = stack_.empty() && marks_.empty();
      fail((whole ? "holds a whole Python object, of " : "refers to ") + name +
           ", which is code and not data; in Python, save the tensors alone: "
           "torch.save(model.state_dict(), \"model.pt\")");
    }
    make_text(Kind::kGlobal, name);
  }

  /// REDUCE: keeps a call as a kCall, except that a call of OrderedDict becomes a dict.
  void call() {
    const PickleValue* arguments = pop();
    const PickleValue* callee = pop();
    if (!callee->is(Kind::kGlobal) || !arguments->is(Kind::kTuple)) {
      fail("damaged: a call of something that is no name");
    }
    if (callee->text == "collections.OrderedDict" && arguments->items.empty()) {
      make(Kind::kDict);
    } else {
      make(Kind::kCall).items = {callee, arguments};
    }
  }

  Pickle& pickle_;
  std::string_view left_;
  std::size_t size_;
  std::span<const std::string_view> allowed_;
  const std::string& file_;
  const std::string& field_;
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, PickleValue*> memo_;
};

Pickle::Pickle(std::string_view bytes, std::span<const std::string_view> allowed,
               const std::string& file, const std::string& field) {
  PickleMachine(*this, bytes, allowed, file, field).run();
}

}  // namespace cdt
