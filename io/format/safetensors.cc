#include "io/format/safetensors.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>

#include "engine/error.h"
#include "io/format/json.h"
#include "io/format/output.h"
#include "io/format/text.h"
#include "io/format/text_file.h"

namespace cdt {
namespace {

using nlohmann::json;

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kHeaderLimit = 100'000'000;
constexpr const char* kMetadata = "__metadata__";

struct Entry {
  TensorInfo info;
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// Text of the JSON header, checked against the size of the file.
std::string safetensors_header(const InputFile& file) {
  const std::filesystem::path& path = file.path();
  const std::string first = file.head(kHeadBytes);
  std::uint64_t length = 0;
  const bool has_length = file.size() >= kLengthBytes;
  if (has_length) std::memcpy(&length, first.data(), kLengthBytes);
  const std::uint64_t room =
      has_length ? std::min<std::uint64_t>(kHeaderLimit, file.size() - kLengthBytes) : 0;
  const bool fits = has_length && length <= room;
  if (!fits || length == 0 || first[kLengthBytes] != '{') refuse_foreign(path, first);
  if (!has_length) {
    throw InputError(path.string(), "header", "file is too short for a safetensors file");
  }
  if (!fits) {
    throw InputError(path.string(), "header",
                     expected_got("header length", "at most " + std::to_string(room) + " bytes",
                                  std::to_string(length)));
  }
  std::string text(length, '\0');
  file.read(kLengthBytes, text.data(), text.size());
  if (text.empty() || text[0] != '{') {
    throw InputError(path.string(), "header", "does not start with '{'");
  }
  return text;
}

std::map<std::string, std::string> read_metadata(const json& value, const std::string& file) {
  JsonReader reader(value, file, std::string(kMetadata) + ".");
  std::map<std::string, std::string> out;
  for (const auto& item : value.items()) out[item.key()] = reader.string(item.key());
  return out;
}

Entry tensor_entry(const std::string& name, const json& value, const std::string& file) {
  JsonReader reader(value, file, name + ".");
  Entry entry{{name, reader.integers("shape"), reader.string("dtype")}, 0, 0};
  const std::int64_t element = element_bytes(entry.info.dtype);
  if (element == 0) reader.fail("dtype", "unknown dtype " + entry.info.dtype);
  std::int64_t bytes = element;
  for (const std::int64_t dim : entry.info.shape) {
    if (dim < 0) reader.fail("shape", "negative dimension " + std::to_string(dim));
    if (__builtin_mul_overflow(bytes, dim, &bytes)) {
      reader.fail("shape", "size overflows: " + shape_text(entry.info.shape));
    }
  }
  const std::vector<std::int64_t> offsets = reader.integers("data_offsets");
  reader.no_other_keys();
  if (offsets.size() != 2 || offsets[0] < 0 || offsets[1] < offsets[0]) {
    reader.fail("data_offsets",
                expected_got("bad range", "[begin, end]", value.at("data_offsets").dump()));
  }
  if (offsets[1] - offsets[0] != bytes) {
    reader.fail(
        "data_offsets",
        expected_got("size of shape " + shape_text(entry.info.shape) + " " + entry.info.dtype,
                     std::to_string(bytes), std::to_string(offsets[1] - offsets[0])));
  }
  entry.begin = offsets[0];
  entry.end = offsets[1];
  return entry;
}

/// Checks that each tensor begins where the one before it ends and that the last ends with the
/// file.
void check_layout(const std::vector<Entry>& entries, std::size_t buffer, const std::string& file) {
  std::int64_t at = 0;
  for (const Entry& e : entries) {
    if (e.begin != at) {
      throw InputError(
          file, e.info.name + ".data_offsets",
          expected_got("hole or overlap", "begin " + std::to_string(at), std::to_string(e.begin)));
    }
    at = e.end;
  }
  if (static_cast<std::size_t>(at) != buffer) {
    throw InputError(
        file, "size",
        expected_got("bytes after the header", std::to_string(at), std::to_string(buffer)));
  }
}

}  // namespace

SafetensorsReader::SafetensorsReader(const std::filesystem::path& path)
    : TensorFile(path), file_(path) {
  const std::string text = safetensors_header(file_);
  const json header = parse_json(text, path.string());
  std::vector<Entry> entries;
  for (const auto& item : header.items()) {
    if (item.key() == kMetadata) {
      set_metadata(read_metadata(item.value(), path.string()));
    } else {
      entries.push_back(tensor_entry(item.key(), item.value(), path.string()));
    }
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  const std::size_t start = kLengthBytes + text.size();
  check_layout(entries, file_.size() - start, path.string());
  for (Entry& e : entries) {
    begin_.push_back(start + static_cast<std::size_t>(e.begin));
    bytes_.push_back(static_cast<std::size_t>(e.end - e.begin));
    add(std::move(e.info));
  }
}

void SafetensorsReader::read_bytes(std::size_t i, void* out) const {
  file_.read(begin_[i], out, bytes_[i]);
}

void write_safetensors(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  AtomicFile file(path);
  write_safetensors(file, tensors, metadata);
  file.commit();
}

void write_safetensors(AtomicFile& file, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  // Written entry by entry: ordered_json looks up a key by a linear search.
  std::string text;
  const auto add = [&](const std::string& name, const nlohmann::ordered_json& entry) {
    text += (text.empty() ? '{' : ',') + dumped(json(name)) + ':' + dumped(entry);
  };
  if (!metadata.empty()) add(kMetadata, metadata);
  std::unordered_set<std::string> names;
  std::vector<std::size_t> bytes;
  std::size_t at = 0;
  for (const TensorToWrite& t : tensors) {
    std::size_t size = sizeof(float);
    for (const std::int64_t dim : t.shape) size *= static_cast<std::size_t>(dim);
    CDT_CHECK(names.insert(t.name).second, "two tensors of one name: " + t.name);
    add(t.name, {{"dtype", "F32"}, {"shape", t.shape}, {"data_offsets", {at, at + size}}});
    at += size;
    bytes.push_back(size);
  }
  text += text.empty() ? "{}" : "}";
  text.resize((text.size() + kLengthBytes - 1) / kLengthBytes * kLengthBytes, ' ');
  const std::uint64_t length = text.size();
  file.write(&length, kLengthBytes);
  file.write(text);
  std::vector<float> values;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const float* data = tensors[i].data;
    if (tensors[i].fill) {
      values.resize(bytes[i] / sizeof(float));
      tensors[i].fill(values.data());
      data = values.data();
    }
    file.write(data, bytes[i]);
  }
}

}  // namespace cdt
