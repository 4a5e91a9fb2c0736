#include "io/format/npy_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "engine/poll.h"
#include "io/format/file.h"
#include "io/format/floats.h"
#include "io/format/npy.h"
#include "io/format/text.h"
#include "io/format/zip.h"

namespace cdt {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20U;
constexpr std::string_view kSuffix = ".npy";  // of a member's name in an archive

/// Reads exactly `size` bytes from a stream that has them.
void take(ByteStream& from, char* out, std::size_t size) {
  while (size > 0) {
    poll();
    const std::size_t got = from.read(out, std::min(size, kPiece));
    CDT_CHECK(got > 0, "the stream ends before its array");
    out += got;
    size -= got;
  }
}

/// The rows of an array, as bytes in the file's own format.
class RowBytes {
 public:
  RowBytes() = default;
  virtual ~RowBytes() = default;
  RowBytes(const RowBytes&) = delete;
  RowBytes& operator=(const RowBytes&) = delete;

  virtual void read(std::int64_t row, char* out) = 0;
  virtual void finish() {}
};

/// Rows in a file, one after another.
class PlacedRows : public RowBytes {
 public:
  PlacedRows(const InputFile& file, std::uint64_t begin, std::size_t row_bytes)
      : file_(file), begin_(begin), row_bytes_(row_bytes) {}

  void read(std::int64_t row, char* out) override {
    const std::uint64_t at = begin_ + static_cast<std::uint64_t>(row) * row_bytes_;
    for (std::size_t done = 0; done < row_bytes_; done += kPiece) {
      poll();
      file_.read(at + done, out + done, std::min(kPiece, row_bytes_ - done));
    }
  }

 private:
  const InputFile& file_;
  std::uint64_t begin_;
  std::size_t row_bytes_;
};

/// Rows in a stream positioned at the first row.
class StreamedRows : public RowBytes {
 public:
  StreamedRows(std::unique_ptr<ByteStream> from, std::size_t row_bytes, std::int64_t rows)
      : from_(std::move(from)), row_bytes_(row_bytes), rows_(rows) {}

  void read(std::int64_t row, char* out) override {
    skip_to(row);
    take(*from_, out, row_bytes_);
    ++next_;
  }
  void finish() override { skip_to(rows_); }

 private:
  void skip_to(std::int64_t row) {
    std::vector<char> skipped(next_ < row ? std::min(kPiece, row_bytes_) : 0);
    for (; next_ < row; ++next_) {
      for (std::size_t left = row_bytes_; left > 0;) {
        const std::size_t piece = std::min(left, skipped.size());
        take(*from_, skipped.data(), piece);
        left -= piece;
      }
    }
  }

  std::unique_ptr<ByteStream> from_;
  std::size_t row_bytes_;
  std::int64_t rows_;
  std::int64_t next_ = 0;
};

/// Rows of an array in Fortran order, where the first axis varies fastest; holds the whole array.
class ScatteredRows : public RowBytes {
 public:
  ScatteredRows(std::string bytes, const NpyHeader& header)
      : bytes_(std::move(bytes)), shape_(header.shape), item_(header.item_bytes) {}

  void read(std::int64_t row, char* out) override {
    std::vector<std::size_t> index(shape_.size(), 0);  // position along each axis after the first
    const std::size_t values = bytes_.size() / item_ / static_cast<std::size_t>(shape_[0]);
    for (std::size_t i = 0; i < values; ++i, out += item_) {
      std::size_t place = 0;
      for (std::size_t axis = shape_.size(); axis-- > 1;) {
        place = (place + index[axis]) * static_cast<std::size_t>(shape_[axis - 1]);
      }
      place += static_cast<std::size_t>(row);
      std::memcpy(out, bytes_.data() + place * item_, item_);
      for (std::size_t axis = shape_.size(); axis-- > 1;) {
        if (++index[axis] < static_cast<std::size_t>(shape_[axis])) break;
        index[axis] = 0;
      }
    }
  }

 private:
  std::string bytes_;
  std::vector<std::int64_t> shape_;
  std::size_t item_;
};

template <typename Unsigned>
void swap_bytes(char* bytes, std::size_t count, Unsigned (*swapped)(Unsigned)) {
  for (std::size_t i = 0; i < count; ++i, bytes += sizeof(Unsigned)) {
    Unsigned value;
    std::memcpy(&value, bytes, sizeof value);
    value = swapped(value);
    std::memcpy(bytes, &value, sizeof value);
  }
}

/// Reverses the byte order of `count` values.
void swap_items(char* bytes, std::size_t count, std::size_t item_bytes) {
  if (item_bytes == 2) {
    swap_bytes<std::uint16_t>(bytes, count, [](std::uint16_t x) { return __builtin_bswap16(x); });
  } else if (item_bytes == 4) {
    swap_bytes<std::uint32_t>(bytes, count, [](std::uint32_t x) { return __builtin_bswap32(x); });
  } else {
    swap_bytes<std::uint64_t>(bytes, count, [](std::uint64_t x) { return __builtin_bswap64(x); });
  }
}

class NpyRows : public FloatRows {
 public:
  /// Opens a .npy file.
  NpyRows(const std::filesystem::path& path, const FloatRowsOptions& options)
      : FloatRows(path.string(), "array") {
    file_.emplace(path);
    refuse_other_file();
    describe(file_->head(kNpyHeaderRoom), file_->size(), options);
    if (header_.fortran_order) {
      std::string all(file_->size() - header_.data_begin, '\0');
      file_->read(header_.data_begin, all.data(), all.size());
      bytes_ = std::make_unique<ScatteredRows>(std::move(all), header_);
    } else {
      bytes_ = std::make_unique<PlacedRows>(*file_, header_.data_begin, row_bytes());
    }
  }

  /// Opens member `name` of an archive.
  NpyRows(std::unique_ptr<ZipArchive> zip, const std::string& name, const FloatRowsOptions& options)
      : FloatRows(zip->path().string(), name), zip_(std::move(zip)) {
    const std::string member = name + std::string(kSuffix);
    const std::uint64_t size = zip_->member(member).unpacked;
    std::string head(std::min<std::uint64_t>(size, kNpyHeaderRoom), '\0');
    take(*zip_->open(member), head.data(), head.size());
    describe(head, size, options);
    std::unique_ptr<ByteStream> stream = zip_->open(member);
    take(*stream, head.data(), header_.data_begin);
    if (header_.fortran_order) {
      std::string all(size - header_.data_begin, '\0');
      take(*stream, all.data(), all.size());
      bytes_ = std::make_unique<ScatteredRows>(std::move(all), header_);
    } else {
      bytes_ = std::make_unique<StreamedRows>(std::move(stream), row_bytes(), rows());
    }
  }

  void finish() override { bytes_->finish(); }

 private:
  std::size_t row_bytes() const {
    return static_cast<std::size_t>(row_values()) * header_.item_bytes;
  }

  void refuse_other_file() const {
    const std::string first = file_->head(kHeadBytes);
    if (!first.starts_with("\x93NUMPY")) refuse_foreign(file_->path(), first);
  }

  void describe(std::string_view head, std::uint64_t size, const FloatRowsOptions& options) {
    header_ = read_npy_header(head, size, file(), field());
    read_type(options);
    set_shape(header_.shape);
    const bool scattered = header_.fortran_order && header_.shape.size() > 1;
    header_.fortran_order = scattered;
    if (scattered && size - header_.data_begin > options.fortran_limit) {
      fail(
          "is in Fortran order and too large to be held whole; np.save(FILE, "
          "np.ascontiguousarray(array)) writes it by rows");
    }
  }

  void read_type(const FloatRowsOptions& options) {
    const std::string_view kind = std::string_view(header_.descr).substr(1);
    if (kind == "V2" && options.void_is_bfloat16) {
      set_type("bfloat16", true);
    } else if (kind == "V2") {
      fail(expected_got("dtype of two bytes without a type, as bfloat16 is saved",
                        "float16, float32, float64, or --bfloat16 to read it as that",
                        header_.descr));
    } else if (kind == "f2" || kind == "f4" || kind == "f8") {
      set_type("float" + std::to_string(8 * header_.item_bytes));
    } else {
      fail(expected_got("dtype", "float16, float32 or float64", header_.descr));
    }
  }

  void read_values(std::int64_t row, float* out) override {
    const auto count = static_cast<std::size_t>(row_values());
    const bool swapped = header_.descr[0] == '>';
    if (header_.item_bytes == sizeof(float)) {
      bytes_->read(row, reinterpret_cast<char*>(out));
      if (swapped) swap_items(reinterpret_cast<char*>(out), count, sizeof(float));
      return;
    }
    raw_.resize(row_bytes());
    bytes_->read(row, raw_.data());
    if (swapped) swap_items(raw_.data(), count, header_.item_bytes);
    if (type() == "float16") {
      convert_values<std::uint16_t>(raw_.data(), count, out, half_to_float);
    } else if (type() == "bfloat16") {
      convert_values<std::uint16_t>(raw_.data(), count, out, bfloat16_to_float);
    } else {
      narrow(row, count, out);
    }
  }

  /// Rounds float64 to float32.
  void narrow(std::int64_t row, std::size_t count, float* out) const {
    std::int64_t index = 0;
    convert_values<double>(raw_.data(), count, out, [&](double value) {
      const auto narrowed = static_cast<float>(value);
      if (std::isinf(narrowed) && !std::isinf(value)) {
        throw InputError(file(), at(row, index),
                         "is too large for float32: " + format_number(value));
      }
      ++index;
      return narrowed;
    });
  }

  std::optional<InputFile> file_;    // set for an .npy file
  std::unique_ptr<ZipArchive> zip_;  // set for an archive; bytes_ reads from it
  NpyHeader header_;
  std::unique_ptr<RowBytes> bytes_;
  std::vector<char> raw_;  // a row before its conversion
};

/// Names of the arrays in an archive, as NumPy gives them.
std::vector<std::string> array_names(const ZipArchive& zip) {
  std::vector<std::string> names;
  for (const auto& [name, member] : zip.members()) {
    if (name.ends_with(kSuffix)) names.push_back(name.substr(0, name.size() - kSuffix.size()));
  }
  if (names.empty()) {
    zip.fail("archive",
             "holds no .npy array; np.save(FILE, tensor.numpy()) writes one of a tensor");
  }
  return names;
}

}  // namespace

std::unique_ptr<FloatRows> open_npy_rows(const std::filesystem::path& path,
                                         const FloatRowsOptions& options) {
  return std::make_unique<NpyRows>(path, options);
}

std::unique_ptr<FloatRows> open_npz_rows(const std::filesystem::path& path, const std::string& name,
                                         const FloatRowsOptions& options) {
  auto zip = std::make_unique<ZipArchive>(path);
  zip->expect_all_listed();
  const std::vector<std::string> names = array_names(*zip);
  if (name.empty() && names.size() > 1) {
    throw InputError(path.string(), "arrays",
                     "name one as FILE:NAME; the file has " + named(names, "array"));
  }
  const std::string& chosen = name.empty() ? names.front() : name;
  if (std::find(names.begin(), names.end(), chosen) == names.end()) {
    throw InputError(path.string(), chosen, "is missing; the file has " + named(names, "array"));
  }
  return std::make_unique<NpyRows>(std::move(zip), chosen, options);
}

}  // namespace cdt
