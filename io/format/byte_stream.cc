#include "io/format/byte_stream.h"

#include <algorithm>
#include <utility>

#include "engine/poll.h"
#include "io/format/file.h"
#include "io/format/text.h"

namespace cdt {
namespace {

class PlainStream : public ByteStream {
 public:
  PlainStream(std::filesystem::path path, std::size_t limit)
      : file_(std::move(path)), left_(file_.size()) {
    check_size(file_.path(), left_, limit);
    refuse_foreign(file_.path(), file_.head(kHeadBytes));
  }

  std::size_t read(char* out, std::size_t size) override {
    poll();
    const std::size_t piece = std::min(size, left_);
    file_.read(at_, out, piece);
    at_ += piece;
    left_ -= piece;
    return piece;
  }

 private:
  InputFile file_;
  std::size_t at_ = 0;
  std::size_t left_;
};

}  // namespace

std::unique_ptr<ByteStream> open_plain(const std::filesystem::path& path, std::size_t limit) {
  return std::make_unique<PlainStream>(path, limit);
}

}  // namespace cdt
