#include "io/byte_stream.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/error.h"
#include "io/file.h"
#include "io/poll.h"
#include "io/text.h"

namespace cdt {
namespace {

class PlainStream : public ByteStream {
 public:
  PlainStream(std::filesystem::path path, std::size_t limit)
      : path_(std::move(path)), file_(open_for_reading(path_)), left_(file_size(file_, path_)) {
    check_size(path_, left_, limit);
    std::string head(std::min<std::size_t>(left_, 256), '\0');
    read_exactly(file_, path_, 0, head.data(), head.size());
    refuse_foreign(path_, head);
  }

  std::size_t read(char* out, std::size_t size) override {
    poll();
    const std::size_t piece = std::min(size, left_);
    read_exactly(file_, path_, at_, out, piece);
    at_ += piece;
    left_ -= piece;
    return piece;
  }

 private:
  std::filesystem::path path_;
  FileDescriptor file_;
  std::size_t at_ = 0;
  std::size_t left_;
};

}  // namespace

std::unique_ptr<ByteStream> open_plain(const std::filesystem::path& path, std::size_t limit) {
  return std::make_unique<PlainStream>(path, limit);
}

}  // namespace cdt
