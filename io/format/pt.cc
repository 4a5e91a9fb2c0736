#include "io/format/pt.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "engine/error.h"
#include "io/format/file.h"
#include "io/format/text.h"

namespace cdt {
namespace {

using Kind = PickleValue::Kind;

constexpr std::size_t kMostDimensions = 64;

/// A name of the allow-list and the dtype it stands for, that of a storage or tensor, or "" for
/// other names.
struct AllowedName {
  std::string_view name, dtype;
};
constexpr std::array<AllowedName, 33> kAllowed{{
    {"collections.OrderedDict", ""},
    {"torch._utils._rebuild_tensor_v2", ""},
    {"torch._utils._rebuild_tensor_v3", ""},
    {"torch._utils._rebuild_parameter", ""},
    {"torch.Size", ""},
    {"torch.FloatStorage", "F32"},
    {"torch.DoubleStorage", "F64"},
    {"torch.HalfStorage", "F16"},
    {"torch.BFloat16Storage", "BF16"},
    {"torch.LongStorage", "I64"},
    {"torch.IntStorage", "I32"},
    {"torch.ShortStorage", "I16"},
    {"torch.CharStorage", "I8"},
    {"torch.ByteStorage", "U8"},
    {"torch.BoolStorage", "BOOL"},
    {"torch.storage.UntypedStorage", "U8"},
    {"torch.float32", "F32"},
    {"torch.float64", "F64"},
    {"torch.float16", "F16"},
    {"torch.bfloat16", "BF16"},
    {"torch.int64", "I64"},
    {"torch.int32", "I32"},
    {"torch.int16", "I16"},
    {"torch.int8", "I8"},
    {"torch.uint64", "U64"},
    {"torch.uint32", "U32"},
    {"torch.uint16", "U16"},
    {"torch.uint8", "U8"},
    {"torch.bool", "BOOL"},
    // A number made by NumPy, such as a correlation stored beside the model.
    {"numpy.core.multiarray.scalar", ""},
    {"numpy._core.multiarray.scalar", ""},
    {"numpy.dtype", ""},
    {"_codecs.encode", ""},
}};

std::string_view dtype_named(std::string_view name) {
  const auto* found = std::find_if(kAllowed.begin(), kAllowed.end(),
                                   [&](const AllowedName& a) { return a.name == name; });
  return found == kAllowed.end() ? "" : found->dtype;
}

std::vector<std::string_view> allowed_names() {
  std::vector<std::string_view> out;
  for (const AllowedName& a : kAllowed) out.push_back(a.name);
  return out;
}

/// Prefix of the member names: "model/" of "model/data.pkl".
std::string find_prefix(const ZipArchive& zip) {
  constexpr std::string_view kPickle = "data.pkl";
  std::vector<std::string> found;
  for (const auto& [name, member] : zip.members()) {
    const std::size_t slash = name.find('/');
    if (slash != std::string::npos && name.substr(slash + 1) == kPickle) {
      found.push_back(name.substr(0, slash + 1));
    }
  }
  if (found.size() != 1) {
    zip.fail("archive", expected_got("is no file of torch.save", "one NAME/data.pkl",
                                     found.empty() ? "none" : std::to_string(found.size())));
  }
  return found.front();
}

/// Refuses archives made by torch.jit.save or on big-endian machines.
void check_kind(const ZipArchive& zip, const std::string& prefix) {
  const auto is_code = [&](const auto& entry) { return entry.first.starts_with(prefix + "code/"); };
  if (zip.has(prefix + "constants.pkl") ||
      std::any_of(zip.members().begin(), zip.members().end(), is_code)) {
    zip.fail("format",
             "is a TorchScript program, which is code and not data; in Python, save the tensors "
             "alone: torch.save(torch.jit.load(\"old.pt\").state_dict(), \"model.pt\")");
  }
  const std::string order = prefix + "byteorder";
  const std::string text = zip.has(order) ? zip.read(order, 16) : "little";
  if (text != "little") zip.fail(order, expected_got("byte order", "little", printable(text)));
}

ZipArchive open_archive(const std::filesystem::path& path) {
  if (InputFile(path).head(2).starts_with('\x80')) {
    throw InputError(path.string(), "format",
                     "is in PyTorch's old form, which is no zip archive; in Python, save it again: "
                     "torch.save(torch.load(\"old.pt\", weights_only=True), \"model.pt\")");
  }
  return ZipArchive(path, ZipArchive::Checksums::kMayBeMissing);
}

Pickle read_pickle(const ZipArchive& zip, const std::string& prefix) {
  const std::string field = "data.pkl";
  const std::string bytes = zip.read(prefix + field, Pickle::kMostBytes);
  return Pickle(bytes, allowed_names(), zip.path().string(), field);
}

/// Whether the tuple is ("storage", type, key, device, number of elements).
bool is_storage(const PickleValue& id) {
  return id.is(Kind::kTuple) && id.items.size() == 5 && id.items[1]->is(Kind::kGlobal) &&
         id.items[2]->is(Kind::kText) && id.items[4]->is(Kind::kInteger);
}

/// Reads the sizes or strides of a tensor: a tuple of integers, or a torch.Size of one.
bool read_dimensions(const PickleValue& value, std::vector<std::int64_t>* out) {
  const PickleValue* tuple = &value;
  if (value.calls("torch.Size") && value.arguments().size() == 1) tuple = value.arguments()[0];
  if (!tuple->is(Kind::kTuple) || tuple->items.size() > kMostDimensions) return false;
  for (const PickleValue* item : tuple->items) {
    if (!item->is(Kind::kInteger) || item->integer < 0) return false;
    out->push_back(item->integer);
  }
  return true;
}

/// Finds the call that rebuilds a tensor, inside a Parameter or not; null if there is none.
const PickleValue* rebuild_call(const PickleValue& value) {
  const PickleValue* call = &value;
  if (value.calls("torch._utils._rebuild_parameter") && !value.arguments().empty()) {
    call = value.arguments()[0];
  }
  const bool rebuilds = call->calls("torch._utils._rebuild_tensor_v2") ||
                        call->calls("torch._utils._rebuild_tensor_v3");
  return rebuilds ? call : nullptr;
}

/// Whether the value is None or an empty dict.
bool is_nothing(const PickleValue& value) {
  return value.is(Kind::kNone) || (value.is(Kind::kDict) && value.items.empty());
}

}  // namespace

bool is_pt_file(const std::filesystem::path& path) {
  const std::string head = InputFile(path).head(9);
  if (head.starts_with("PK\x03\x04")) return true;
  // A safetensors header length may begin with these bytes too, but then '{' follows it.
  const bool old_form = head.size() == 9 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5;
  return old_form && head[8] != '{';
}

PtArchive::PtArchive(const std::filesystem::path& path) : PtArchive(open_archive(path)) {}

PtArchive::PtArchive(ZipArchive zip)
    : zip_(std::move(zip)), prefix_(find_prefix(zip_)), pickle_([this] {
        zip_.expect_all_listed();
        check_kind(zip_, prefix_);
        return read_pickle(zip_, prefix_);
      }()) {
  check_names();
  check_storage_types();
  if (!zip_.has_checksums()) {
    note(path().string() + ": was saved without checksums, so damage can go unnoticed");
  }
}

bool PtArchive::is_tensor(const PickleValue& value) { return rebuild_call(value) != nullptr; }

void PtArchive::refuse(const std::string& name, const std::string& what) const {
  throw InputError(path().string(), name, what);
}

/// Refuses names that differ only in case: PyTorch ignores the case of member names, so it might
/// read either member.
void PtArchive::check_names() const {
  std::set<std::string> lower;
  for (const auto& [name, member] : zip_.members()) {
    std::string plain = name;
    for (char& c : plain) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    if (!lower.insert(plain).second)
      refuse(name, "another member has this name except for its case");
  }
}

/// Refuses a storage with two types: PyTorch applies the first to all tensors of the storage.
void PtArchive::check_storage_types() const {
  std::map<std::string_view, std::string_view> types;  // by key
  for (const PickleValue& value : pickle_.objects()) {
    if (!value.is(Kind::kPersistent) || !is_storage(*value.items[0])) continue;
    const std::vector<const PickleValue*>& id = value.items[0]->items;
    const auto first = types.emplace(id[2]->text, id[1]->text).first;
    if (first->second == id[1]->text) continue;
    refuse("data/" + id[2]->text,
           expected_got("a storage of two types", std::string(first->second), id[1]->text));
  }
}

PtTensor PtArchive::tensor(const PickleValue& value, const std::string& name) const {
  const PickleValue* call = rebuild_call(value);
  if (call == nullptr) refuse(name, "is no tensor");
  if (value.state != nullptr || call->state != nullptr) {
    refuse(name, "damaged: a tensor that is changed after it was made");
  }
  const std::vector<const PickleValue*>& arguments = call->arguments();
  const bool has_dtype = call->calls("torch._utils._rebuild_tensor_v3");
  if (arguments.size() < (has_dtype ? 7U : 4U)) refuse(name, "damaged: a tensor without its shape");
  const std::size_t metadata = has_dtype ? 7 : 6;  // {"neg": True}, if there is any
  if (arguments.size() > metadata && !is_nothing(*arguments[metadata])) {
    refuse(name,
           "is a view that negates its storage; in Python, save what tensor.resolve_neg() gives");
  }
  PtTensor out;
  out.info.name = name;
  read_storage(*arguments[0], &out);
  if (has_dtype) out.info.dtype = dtype_named(arguments[6]->text);
  if (out.element_size() == 0) refuse(name, "damaged: a tensor without a dtype");
  if (!arguments[1]->is(Kind::kInteger) || arguments[1]->integer < 0 ||
      !read_dimensions(*arguments[2], &out.info.shape) ||
      !read_dimensions(*arguments[3], &out.strides) ||
      out.info.shape.size() != out.strides.size()) {
    refuse(name, "damaged: a shape or a stride is no list of sizes");
  }
  out.offset = static_cast<std::uint64_t>(arguments[1]->integer);
  check_view(&out);
  return out;
}

/// Reads the member and the dtype of a storage.
void PtArchive::read_storage(const PickleValue& value, PtTensor* out) const {
  const std::string& name = out->info.name;
  if (!value.is(Kind::kPersistent) || !is_storage(*value.items[0])) {
    refuse(name, "damaged: a tensor without its storage");
  }
  const PickleValue& id = *value.items[0];
  out->info.dtype = dtype_named(id.items[1]->text);
  out->storage = prefix_ + "data/" + id.items[2]->text;
  if (!zip_.has(out->storage)) refuse(name, "its storage " + out->storage + " is missing");
  const std::uint64_t bytes = zip_.member(out->storage).unpacked;
  const std::int64_t values = id.items[4]->integer;
  if (values < 0 || static_cast<std::uint64_t>(values) > bytes ||
      static_cast<std::uint64_t>(values) * out->element_size() != bytes) {
    refuse(name,
           expected_got("its storage " + out->storage + " has another size",
                        std::to_string(values) + " values", std::to_string(bytes) + " bytes"));
  }
}

/// Counts the elements and checks that the view is within its storage.
void PtArchive::check_view(PtTensor* t) const {
  t->count = 1;
  for (const std::int64_t dim : t->info.shape) {
    if (__builtin_mul_overflow(t->count, dim, &t->count) || t->count > kMostValues) {
      refuse(t->info.name,
             expected_got("is too large", "at most " + std::to_string(kMostValues) + " values",
                          "shape " + shape_text(t->info.shape)));
    }
  }
  const std::uint64_t room = zip_.member(t->storage).unpacked / t->element_size();
  std::int64_t extent = 0;
  if (!t->extent(&extent) || t->offset > room ||
      static_cast<std::uint64_t>(extent) > room - t->offset) {
    refuse(t->info.name, "damaged: it reaches past the end of its storage " + t->storage);
  }
}

}  // namespace cdt
