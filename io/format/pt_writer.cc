#include "io/format/pt_writer.h"

#include <bit>
#include <limits>
#include <utility>

#include "io/format/output.h"
#include "io/format/zip_writer.h"

namespace cdt {
namespace {

std::size_t count_of(const TensorToWrite& tensor) {
  std::size_t count = 1;
  for (const std::int64_t dim : tensor.shape) count *= static_cast<std::size_t>(dim);
  return count;
}

}  // namespace

PtWriter::PtWriter() : pickle_("\x80\x02") {}

/// Writes an instruction and a little-endian number.
void PtWriter::add(char op, std::uint64_t value, int bytes) {
  pickle_ += op;
  for (int i = 0; i < bytes; ++i, value >>= 8U) pickle_ += static_cast<char>(value & 0xFFU);
}

void PtWriter::global(std::string_view module, std::string_view name) {
  add('c');
  pickle_ += module;
  add('\n');
  pickle_ += name;
  add('\n');
}

void PtWriter::begin_dict() { pickle_ += "}("; }

void PtWriter::begin_list() { pickle_ += "]("; }

void PtWriter::begin_ordered_dict() {
  global("collections", "OrderedDict");
  pickle_ += ")R(";
}

void PtWriter::end_ordered_dict(const std::map<std::string, std::string>& attributes) {
  add('u');
  if (attributes.empty()) return;
  begin_dict();
  key("cdt_metadata");
  begin_dict();
  for (const auto& [name, value] : attributes) {
    key(name);
    text(value);
  }
  end_dict();
  end_dict();
  add('b');
}

void PtWriter::text(std::string_view value) {
  add('X', value.size(), 4);
  pickle_ += value;
}

void PtWriter::integer(std::int64_t value) {
  if (value >= 0 && value <= 0xFFFF) {
    add('M', static_cast<std::uint64_t>(value), 2);
  } else if (value >= 0 && value <= std::numeric_limits<std::int32_t>::max()) {
    add('J', static_cast<std::uint64_t>(value), 4);
  } else {
    add('\x8a', 8, 1);
    for (std::uint64_t bits = std::bit_cast<std::uint64_t>(value), i = 0; i < 8; ++i, bits >>= 8U) {
      pickle_ += static_cast<char>(bits & 0xFFU);
    }
  }
}

void PtWriter::real(double value) {
  add('G', __builtin_bswap64(std::bit_cast<std::uint64_t>(value)), 8);
}

void PtWriter::tensor(TensorToWrite tensor) {
  const std::size_t count = count_of(tensor);
  global("torch._utils", "_rebuild_tensor_v2");
  begin_tuple();
  begin_tuple();
  text("storage");
  global("torch", "FloatStorage");
  text(std::to_string(tensors_.size()));
  text("cpu");
  integer(static_cast<std::int64_t>(count));
  end_tuple();
  add('Q');
  integer(0);  // offset
  begin_tuple();
  for (const std::int64_t dim : tensor.shape) integer(dim);
  end_tuple();
  begin_tuple();
  auto stride = static_cast<std::int64_t>(count);
  for (const std::int64_t dim : tensor.shape) integer(dim == 0 ? 1 : stride /= dim);
  end_tuple();
  boolean(false);  // requires_grad
  begin_ordered_dict();
  end_ordered_dict();  // backward hooks
  end_tuple();
  add('R');
  tensors_.push_back(std::move(tensor));
}

void PtWriter::write(const std::filesystem::path& path) {
  const std::string prefix = "archive/";
  AtomicFile file(path);
  ZipWriter zip(file);
  zip.member(prefix + "data.pkl", pickle_ + '.');
  zip.member(prefix + "byteorder", "little");
  std::vector<float> values;
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    const TensorToWrite& tensor = tensors_[i];
    const std::size_t count = count_of(tensor);
    const float* data = tensor.data;
    if (tensor.fill) {
      values.resize(count);
      tensor.fill(values.data());
      data = values.data();
    }
    zip.begin(prefix + "data/" + std::to_string(i), count * sizeof(float));
    zip.append(data, count * sizeof(float));
  }
  zip.member(prefix + "version", "3\n");
  zip.finish();
  file.commit();
}

}  // namespace cdt
