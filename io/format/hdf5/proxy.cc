#include "io/format/hdf5/proxy.h"

#include <optional>
#include <utility>

#include "engine/error.h"
#include "io/format/hdf5/hdf5.h"
#include "io/format/hdf5/protocol.h"
#include "io/format/hdf5/server.h"
#include "io/format/hdf5/signature.h"
#include "io/format/text_file.h"

namespace cdt {
namespace {

constexpr int kRowAllowance = 6;  // one row may need kChunkCacheBytes of compressed chunks
constexpr std::size_t kShownMessage = 2000;

/// Opens the file; refuses one that is not HDF5, saying what it is, before the library sees any of
/// it.
std::shared_ptr<const InputFile> open_signed(const std::filesystem::path& path) {
  auto file = std::make_shared<const InputFile>(path);
  if (has_hdf5_signature(*file)) return file;
  refuse_foreign(path, file->head(kHeadBytes));
  throw InputError(path.string(), "file", "is not an HDF5 file");
}

}  // namespace

class Hdf5Reader {
 public:
  Hdf5Reader(const std::shared_ptr<const InputFile>& file,
             const std::function<void(const SandboxEnds&)>& serve, const SandboxLimits& limits)
      : name_(file->path().string()), process_(*file, harden_hdf5, serve, limits) {
    ask({.request = Request::kOpenFile});
    text(0);
  }

  const std::string& name() const { return name_; }
  /// Sends a request; the answer follows.
  void ask(RequestHead head, const std::string& name = "") {
    head.name_bytes = name.size();
    process_.begin_step(head.request == Request::kRow ? kRowAllowance : 1);
    process_.send(&head, sizeof(head));
    process_.send(name.data(), name.size());
  }
  /// The answer: exactly `bytes` bytes.
  void take(void* out, std::size_t bytes) {
    if (size_of_answer(bytes) != bytes) process_.refuse_answer();
    process_.receive(out, bytes);
  }
  /// The answer: at most `limit` bytes.
  std::string text(std::uint64_t limit) {
    std::string body(size_of_answer(limit), '\0');
    process_.receive(body.data(), body.size());
    return body;
  }
  /// The answer: at most `count` strings of `limit` bytes in all.
  std::vector<std::string> strings(std::size_t count, std::uint64_t limit) {
    std::optional<std::vector<std::string>> out = strings_of(text(limit), count);
    if (!out) process_.refuse_answer();
    return *std::move(out);
  }
  [[noreturn]] void refuse_answer() { process_.refuse_answer(); }
  std::uint32_t next_number() { return opened_++; }

 private:
  std::uint64_t size_of_answer(std::uint64_t limit) {
    AnswerHead head;
    process_.receive(&head, sizeof(head));
    const bool refused = head.refused != 0;
    if (head.bytes > (refused ? kMaxMessageBytes : limit)) process_.refuse_answer();
    if (!refused) return head.bytes;
    std::string message(head.bytes, '\0');
    process_.receive(message.data(), message.size());
    throw InputError(printable(name_, kShownMessage) + ": " + printable(message, kShownMessage));
  }

  std::string name_;
  SandboxedProcess process_;
  std::uint32_t opened_ = 0;
};

Hdf5DatasetProxy::Hdf5DatasetProxy(std::shared_ptr<Hdf5Reader> reader, const std::string& name,
                                   bool void_is_bfloat16)
    : Hdf5Description(reader->name(), name), reader_(std::move(reader)) {
  reader_->ask({.request = void_is_bfloat16 ? Request::kOpenBfloat16 : Request::kOpen}, name);
  const std::optional<DatasetAnswer> answer = description_of(reader_->text(kMaxDescriptionBytes));
  if (!answer || answer->axes.size() > kMaxRank) reader_->refuse_answer();
  float_type_ = kFloatTypes[answer->float_type];
  untyped_ = answer->untyped;
  for (const std::uint64_t size : answer->axes) add_axis(size);
  number_ = reader_->next_number();
}

std::vector<float> Hdf5DatasetProxy::read_floats() const {
  std::vector<float> out(whole_values(sizeof(float)));
  reader_->ask({.request = Request::kFloats, .dataset = number_});
  reader_->take(out.data(), out.size() * sizeof(float));
  return out;
}

std::vector<std::int64_t> Hdf5DatasetProxy::read_integers() const {
  std::vector<std::int64_t> out(whole_values(sizeof(std::int64_t)));
  reader_->ask({.request = Request::kIntegers, .dataset = number_});
  reader_->take(out.data(), out.size() * sizeof(std::int64_t));
  return out;
}

std::vector<std::string> Hdf5DatasetProxy::read_strings() const {
  const std::size_t count = whole_values(sizeof(std::string));
  reader_->ask({.request = Request::kStrings, .dataset = number_});
  std::vector<std::string> out = reader_->strings(count, kMaxStringsBytes);
  if (out.size() != count) reader_->refuse_answer();
  return out;
}

void Hdf5DatasetProxy::read_row(std::int64_t row, float* out) const {
  CDT_CHECK(!shape().empty() && row >= 0 && row < shape()[0], "row outside the data set");
  const std::size_t bytes = row_values() * sizeof(float);
  reader_->ask({.request = Request::kRow, .dataset = number_, .row = row});
  reader_->take(out, bytes);
}

Hdf5FileProxy::Hdf5FileProxy(const std::filesystem::path& path, const SandboxLimits& limits) {
  const std::shared_ptr<const InputFile> file = open_signed(path);
  const auto serve = [&file](const SandboxEnds& ends) { serve_hdf5(file, ends); };
  reader_ = std::make_shared<Hdf5Reader>(file, serve, limits);
}

Hdf5FileProxy::Hdf5FileProxy(const std::shared_ptr<const InputFile>& file,
                             const std::function<void(const SandboxEnds&)>& serve,
                             const SandboxLimits& limits)
    : reader_(std::make_shared<Hdf5Reader>(file, serve, limits)) {}

const std::string& Hdf5FileProxy::name() const { return reader_->name(); }

bool Hdf5FileProxy::has(const std::string& dataset) const {
  reader_->ask({.request = Request::kHas}, dataset);
  std::uint8_t answer = 0;
  reader_->take(&answer, sizeof(answer));
  return answer != 0;
}

Hdf5DatasetProxy Hdf5FileProxy::dataset(const std::string& name,
                                        const std::vector<std::int64_t>& shape) const {
  Hdf5DatasetProxy out = dataset(name);
  out.require_shape(shape);
  return out;
}

std::vector<std::string> Hdf5FileProxy::dataset_names() const {
  reader_->ask({.request = Request::kNames});
  return reader_->strings(Hdf5File::kMaxNames, kMaxNamesBytes);
}

}  // namespace cdt
