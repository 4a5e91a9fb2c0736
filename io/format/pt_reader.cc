// Reads the state_dict in a file written by torch.save, and the numbers beside it.
#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <string>
#include <utility>

#include "engine/error.h"
#include "io/format/pt.h"
#include "io/format/text.h"

namespace cdt {
namespace {

using Kind = PickleValue::Kind;

constexpr std::array<const char*, 3> kModelKeys = {"model_state_dict", "state_dict", "model"};
constexpr const char* kMetadata = "cdt_metadata";

/// The keys of a dict, for messages.
std::string keys_of(const PickleValue& dict) {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < dict.items.size(); i += 2) {
    const PickleValue& key = *dict.items[i];
    keys.push_back(key.is(Kind::kText) ? printable(key.text, 40) : "one that is no text");
  }
  return keys.empty() ? "an empty dict" : named(keys, "key");
}

bool holds_tensors(const PickleValue& dict) {
  for (std::size_t i = 1; i < dict.items.size(); i += 2) {
    if (PtArchive::is_tensor(*dict.items[i])) return true;
  }
  return false;
}

/// Finds the dict of the model's tensors.
const PickleValue& find_state_dict(const PtArchive& archive) {
  const PickleValue& root = archive.root();
  const std::string file = archive.path().string();
  if (!root.is(Kind::kDict)) {
    throw InputError(file, "content",
                     expected_got("is no state_dict", "a dict of tensors", "something else"));
  }
  for (const char* key : kModelKeys) {
    const PickleValue* found = root.find(key);
    if (found == nullptr || !found->is(Kind::kDict) || !holds_tensors(*found)) continue;
    note(file + ": the model is its " + key);
    return *found;
  }
  // Tried last: a checkpoint often holds its loss beside the model, possibly as a tensor.
  if (holds_tensors(root)) return root;
  throw InputError(
      file, "content",
      expected_got("holds no state_dict",
                   "tensors by name, or model_state_dict, state_dict or model", keys_of(root)));
}

/// The metadata that write_pt() stored beside the tensors, as an attribute of the dict.
std::map<std::string, std::string> metadata_of(const PickleValue& dict, const std::string& file) {
  std::map<std::string, std::string> out;
  const PickleValue* entries = dict.state == nullptr ? nullptr : dict.state->find(kMetadata);
  if (entries == nullptr) return out;
  if (!entries->is(Kind::kDict)) throw InputError(file, kMetadata, "damaged: it is no dict");
  for (std::size_t i = 0; i + 1 < entries->items.size(); i += 2) {
    const PickleValue &key = *entries->items[i], &value = *entries->items[i + 1];
    if (!key.is(Kind::kText) || !value.is(Kind::kText)) {
      throw InputError(file, kMetadata, "damaged: it holds something that is no text");
    }
    out[key.text] = value.text;
  }
  return out;
}

/// Bytes, stored as such or in the form of protocol 2: text with one character per byte.
std::optional<std::string> bytes_of(const PickleValue& value) {
  if (value.is(Kind::kBytes)) return value.text;
  if (!value.calls("_codecs.encode") || value.arguments().empty()) return std::nullopt;
  const std::string& text = value.arguments()[0]->text;
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x80U) {
      if (byte > 0xC3U || i + 1 == text.size()) return std::nullopt;
      byte = static_cast<unsigned char>(byte << 6U | (text[++i] & 0x3FU));
    }
    out += static_cast<char>(byte);
  }
  return out;
}

template <typename T>
std::optional<double> value_of(const std::string& bytes) {
  T value{};
  if (bytes.size() != sizeof value) return std::nullopt;
  std::memcpy(&value, bytes.data(), sizeof value);
  return static_cast<double>(value);
}

/// A NumPy scalar: scalar(dtype, bytes).
std::optional<double> numpy_number(const PickleValue& value) {
  const auto& arguments = value.arguments();
  if (arguments.size() != 2 || !arguments[0]->calls("numpy.dtype") ||
      arguments[0]->arguments().empty()) {
    return std::nullopt;
  }
  const std::string& type = arguments[0]->arguments()[0]->text;
  const std::string bytes = bytes_of(*arguments[1]).value_or("");
  if (type == "f8") return value_of<double>(bytes);
  if (type == "f4") return value_of<float>(bytes);
  if (type == "i8") return value_of<std::int64_t>(bytes);
  if (type == "i4") return value_of<std::int32_t>(bytes);
  return std::nullopt;
}

}  // namespace

std::optional<double> pickled_number(const PickleValue& value) {
  if (value.is(Kind::kReal)) return value.real;
  if (value.is(Kind::kInteger) || value.is(Kind::kBool)) return static_cast<double>(value.integer);
  const bool numpy =
      value.calls("numpy.core.multiarray.scalar") || value.calls("numpy._core.multiarray.scalar");
  return numpy ? numpy_number(value) : std::nullopt;
}

PtReader::PtReader(const std::filesystem::path& path) : TensorFile(path), archive_(path) {
  const PickleValue& dict = find_state_dict(archive_);
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    if (!dict.items[i]->is(Kind::kText)) {
      throw InputError(path.string(), "content", "a name in its state_dict is no text");
    }
    views_.push_back(archive_.tensor(*dict.items[i + 1], dict.items[i]->text));
    add(views_.back().info);
  }
  set_metadata(metadata_of(dict, path.string()));
}

}  // namespace cdt
