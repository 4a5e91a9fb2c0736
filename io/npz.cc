#include <cstring>
#include <string_view>

#include "engine/error.h"
#include "io/npy.h"
#include "io/npy_header.h"
#include "io/zip.h"

namespace cdt {
namespace {

constexpr std::string_view kSuffix = ".npy";

template <typename From, typename To>
void convert(std::string_view bytes, std::vector<To>* out) {
  out->reserve(bytes.size() / sizeof(From));
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(From)) {
    From value;
    std::memcpy(&value, bytes.data() + at, sizeof(From));
    out->push_back(static_cast<To>(value));
  }
}

NpyArray read_npy(std::string_view npy, const std::string& file, const std::string& member) {
  const NpyHeader header =
      read_npy_header(npy, npy.size(), {"<f4", "<f8", "<i4", "<i8"}, file, member);
  const std::string& descr = header.descr;
  const std::string_view data = npy.substr(header.data_begin);
  NpyArray out;
  out.shape = header.shape;
  out.is_integer = descr[1] == 'i';
  if (descr == "<i4") convert<std::int32_t>(data, &out.integers);
  if (descr == "<i8") convert<std::int64_t>(data, &out.integers);
  if (descr == "<f4") convert<float>(data, &out.reals);
  if (descr == "<f8") convert<double>(data, &out.reals);
  return out;
}

}  // namespace

std::map<std::string, NpyArray> read_npz(const std::filesystem::path& path,
                                         std::size_t limit_bytes) {
  std::map<std::string, NpyArray> out;
  for (const auto& [member, content] : read_zip(path, limit_bytes)) {
    std::string name = member;
    if (name.size() > kSuffix.size() && name.ends_with(kSuffix)) {
      name.resize(name.size() - kSuffix.size());
    }
    if (!out.emplace(name, read_npy(content, path.string(), member)).second) {
      throw InputError(path.string(), member, "stands twice");
    }
  }
  return out;
}

}  // namespace cdt
