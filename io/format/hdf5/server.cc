#include "io/format/hdf5/server.h"

#include <algorithm>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/error.h"
#include "io/format/hdf5/hdf5.h"
#include "io/format/hdf5/protocol.h"
#include "io/format/hdf5/sandbox_child.h"

namespace cdt {
namespace {

class Server {
 public:
  Server(const std::shared_ptr<const InputFile>& source, const SandboxEnds& ends)
      : source_(source), ends_(ends), prefix_(printable(source->path().string(), 2000) + ": ") {}

  void answer_next() {
    RequestHead head;
    read_request(ends_.requests, &head, sizeof(head));
    std::string name(head.name_bytes, '\0');
    read_request(ends_.requests, name.data(), name.size());
    try {
      answer(head, name);
    } catch (const std::bad_alloc&) {
      refuse("HDF5: damaged or hostile file (reading it takes more memory than is allowed)");
    } catch (const std::exception& error) {
      const std::string_view message = error.what();
      refuse(message.substr(message.starts_with(prefix_) ? prefix_.size() : 0));
    }
  }

 private:
  void answer(const RequestHead& head, const std::string& name) {
    switch (head.request) {
      case Request::kOpenFile:
        file_.emplace(source_);
        return send(std::string());
      case Request::kHas:
        return send(std::string(1, file_->has(name) ? '\1' : '\0'));
      case Request::kNames:
        return send(strings(file_->dataset_names(), "HDF5", kMaxNamesBytes));
      case Request::kOpen:
        return open(file_->dataset(name));
      case Request::kOpenBfloat16:
        return open(file_->dataset_of_bfloat16(name));
      case Request::kFloats:
        return send(set(head).read_floats());
      case Request::kIntegers:
        return send(set(head).read_integers());
      case Request::kStrings:
        return send(strings(set(head).read_strings(), set(head).name(), kMaxStringsBytes));
      case Request::kRow:
        row_.resize(set(head).row_values());
        set(head).read_row(head.row, row_.data());
        return send(row_);
    }
  }

  const Hdf5Dataset& set(const RequestHead& head) const { return sets_.at(head.dataset); }

  void open(Hdf5Dataset set) {
    DatasetAnswer answer;
    const auto* type = std::find(kFloatTypes.begin(), kFloatTypes.end(), set.float_type());
    answer.float_type = static_cast<std::uint8_t>(type - kFloatTypes.begin());
    answer.untyped = set.is_untyped();
    answer.axes.assign(set.shape().begin(), set.shape().end());
    sets_.push_back(std::move(set));
    send(description_body(answer));
  }

  std::string strings(const std::vector<std::string>& texts, const std::string& field,
                      std::uint64_t limit) const {
    std::string body;
    for (const std::string& text : texts) {
      if (text.size() > limit || body.size() + sizeof(std::uint32_t) > limit - text.size()) {
        throw InputError(source_->path().string(), field,
                         "its texts take more than " + std::to_string(limit) + " bytes");
      }
      append_string(text, &body);
    }
    return body;
  }

  /// Sends the elements of a string or a vector of numbers.
  template <typename Values>
  void send(const Values& values, bool refused = false) const {
    const std::uint64_t bytes = values.size() * sizeof(*values.data());
    const AnswerHead head{static_cast<std::uint8_t>(refused ? 1 : 0), bytes};
    write_answer(ends_.answers, &head, sizeof(head));
    write_answer(ends_.answers, values.data(), bytes);
  }
  void refuse(std::string_view message) const { send(message.substr(0, kMaxMessageBytes), true); }

  std::shared_ptr<const InputFile> source_;
  SandboxEnds ends_;
  std::string prefix_;  // of the messages: the name of the file, which the parent knows
  std::optional<Hdf5File> file_;
  std::vector<Hdf5Dataset> sets_;
  std::vector<float> row_;
};

}  // namespace

void serve_hdf5(const std::shared_ptr<const InputFile>& file, const SandboxEnds& ends) {
  Server server(file, ends);
  while (true) server.answer_next();
}

}  // namespace cdt
