#include "model/dna_feed.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>
#include <unordered_map>
#include <utility>

#include "engine/error.h"

namespace cdt {
namespace {

constexpr std::size_t kReaders = 8;  // threads that read a request beside a GPU

Shape rows_shape(std::int64_t rows, const Dataset& data) { return {rows, data.bins, data.dna_dim}; }

/// The number in a file, e.g. of a control group; `none` where there is none.
std::int64_t number_in(const char* file, std::int64_t none) {
  std::ifstream stream(file);
  std::int64_t number = 0;
  return stream >> number ? number : none;
}

/// Memory of the host that this program can still have, in bytes; 0 if the system does not say.
std::int64_t free_host_bytes() {
  constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();
  const std::int64_t group = number_in("/sys/fs/cgroup/memory.max", kNoLimit) -
                             number_in("/sys/fs/cgroup/memory.current", 0);
  std::ifstream file("/proc/meminfo");
  std::string name, unit;
  std::int64_t kilobytes = 0;
  while (file >> name >> kilobytes) {
    if (name == "MemAvailable:") return std::min(kilobytes * 1024, group);
    std::getline(file, unit);
  }
  return 0;
}

}  // namespace

DnaFeed::DnaFeed(const Dataset& data, Backend& backend, Arena& lasting, std::int64_t batch,
                 std::int64_t distinct, std::size_t reserve_bytes)
    : data_(data),
      backend_(backend),
      row_(data.bins * data.dna_dim),
      batch_(lasting.tensor(rows_shape(batch, data), backend.activations())) {
  kept_at_.assign(data.enhancers.size(), -1);
  locked_at_ = kept_at_;
  const std::size_t free = backend.free_bytes();
  const bool apart = free > 0;  // a device with memory of its own
  const auto bytes = static_cast<std::size_t>(row_ * bytes_of(backend.activations()));
  if (free > reserve_bytes) {
    kept_rows_ = std::min(distinct, static_cast<std::int64_t>((free - reserve_bytes) / bytes));
  }
  if (kept_rows_ > 0) {
    keep_ = std::make_unique<Arena>(backend, "dna");
    kept_ = keep_->tensor(rows_shape(kept_rows_, data), backend.activations());
  }
  if (apart) lock_host_memory(distinct - kept_rows_);
  const auto request = static_cast<std::size_t>(batch * row_) * sizeof(float);
  for (Buffer& buffer : buffers_) {
    buffer.host = static_cast<float*>(backend.reserve_host(request));
    if (apart) buffer.device = lasting.tensor(rows_shape(batch, data));
  }
}

DnaFeed::~DnaFeed() {
  if (done_.valid()) done_.wait();
  for (const Buffer& buffer : buffers_) backend_.release_host(buffer.host);
  if (locked_ != nullptr) backend_.release_host(locked_);
}

void DnaFeed::lock_host_memory(std::int64_t rows) {
  const auto bytes = row_ * static_cast<std::int64_t>(sizeof(float));
  rows = std::min(rows, free_host_bytes() / 2 / bytes);
  if (rows <= 0) return;
  try {
    locked_ = static_cast<float*>(backend_.reserve_host(static_cast<std::size_t>(rows * bytes)));
    locked_rows_ = rows;
  } catch (const Error&) {
    locked_ = nullptr;  // the system allows less: rows are read each time
  }
}

DnaFeed::Source DnaFeed::source_of(std::size_t position, float* in_buffer) {
  const std::int64_t at = locked_at_[static_cast<std::size_t>(rows_[position])];
  if (at >= 0) return {position, locked_ + at * row_, false, at};
  // The device takes the first rows it sees.
  const bool stays = kept_count_ == kept_rows_ && locked_count_ < locked_rows_;
  if (!stays) return {position, in_buffer, true, -1};
  const std::int64_t place = locked_count_++;
  return {position, locked_ + place * row_, true, place};
}

void DnaFeed::read_into(Buffer& buffer, int slot) {
  const bool apart = !buffer.device.empty();
  if (apart) backend_.wait_upload(slot);
  const auto read = [this, &buffer](std::size_t first, std::size_t step) {
    for (std::size_t i = first; i < buffer.sources.size(); i += step) {
      const Source& source = buffer.sources[i];
      if (source.read) data_.read_dna(rows_[source.position], source.host);
    }
  };
  // The CPU computes with all its cores; beside a GPU they are idle.
  const std::size_t readers = apart ? std::min(kReaders, buffer.sources.size()) : 1;
  std::vector<std::future<void>> others;
  for (std::size_t i = 1; i < readers; ++i) {
    others.push_back(std::async(std::launch::async, read, i, readers));
  }
  read(0, std::max<std::size_t>(readers, 1));
  for (std::future<void>& other : others) other.get();
  if (!apart) return;
  std::int64_t at = 0;
  for (const Source& source : buffer.sources) {
    backend_.upload_later(buffer.device.slice(at, at + 1), source.host, slot);
    ++at;
  }
}

void DnaFeed::start(std::vector<std::int32_t> rows) {
  CDT_CHECK(static_cast<std::int64_t>(rows.size()) <= batch(), "more rows than a request has");
  current_ = (current_ + 1) % kBuffers;
  Buffer& buffer = buffers_[static_cast<std::size_t>(current_)];
  rows_ = std::move(rows);
  buffer.sources.clear();
  first_.clear();
  std::unordered_map<std::int32_t, std::size_t> seen;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    first_.push_back(seen.emplace(rows_[i], i).first->second);
    if (kept_at(rows_[i]) >= 0 || first_[i] < i) continue;
    const auto at = static_cast<std::int64_t>(buffer.sources.size());
    buffer.sources.push_back(source_of(i, buffer.host + at * row_));
  }
  done_ =
      std::async(std::launch::async, [this, &buffer, slot = current_] { read_into(buffer, slot); });
}

void DnaFeed::keep(std::int32_t row, const Tensor& window) {
  if (kept_count_ == kept_rows_) return;
  backend_.copy(kept_.slice(kept_count_, kept_count_ + 1), window);
  kept_at_[static_cast<std::size_t>(row)] = kept_count_++;
}

Tensor DnaFeed::take() {
  done_.get();
  const Buffer& buffer = buffers_[static_cast<std::size_t>(current_)];
  for (const Source& source : buffer.sources) {
    locked_at_[static_cast<std::size_t>(rows_[source.position])] = source.locked;
  }
  const Tensor out = batch_.slice(0, static_cast<std::int64_t>(rows_.size()));
  const auto window = [](const Tensor& rows, auto i) {
    return rows.slice(static_cast<std::int64_t>(i), static_cast<std::int64_t>(i) + 1);
  };
  std::size_t at = 0;  // in the buffer
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Tensor to = window(out, i);
    const std::int64_t from = kept_at(rows_[i]);
    if (first_[i] < i) {
      backend_.copy(to, window(out, first_[i]));
    } else if (at == buffer.sources.size() || buffer.sources[at].position != i) {
      backend_.copy(to, window(kept_, from));
    } else if (buffer.device.empty()) {
      backend_.upload(to, buffer.sources[at++].host);
    } else {
      backend_.take_upload(to, window(buffer.device, at++), current_);
      keep(rows_[i], to);
    }
  }
  return out;
}

}  // namespace cdt
