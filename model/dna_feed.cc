#include "model/dna_feed.h"

#include <algorithm>
#include <unordered_map>

#include "engine/error.h"

namespace cdt {
namespace {

constexpr std::size_t kReaders = 8;  // threads that read a request for a GPU

Tensor row_at(const Tensor& rows, std::int64_t row) { return rows.slice(row, row + 1); }

}  // namespace

DnaFeed::DnaFeed(const Dataset& data, Backend& backend, Arena& lasting, std::int64_t batch,
                 std::int64_t distinct, std::size_t reserve_bytes, Windows windows)
    : data_(data),
      read_(windows == Windows::kOfGenes ? &Dataset::read_dna_gene : &Dataset::read_dna),
      backend_(backend),
      row_(data.bins * data.dna_dim),
      batch_(lasting.tensor({batch, data.bins, data.dna_dim}, backend.activations())),
      device_memory_(backend.free_bytes() > 0),
      cache_(data, windows == Windows::kOfGenes ? data.genes_count() : data.enhancers_count(),
             backend, distinct, reserve_bytes) {
  const auto request = static_cast<std::size_t>(batch * row_) * sizeof(float);
  for (Buffer& buffer : buffers_) {
    buffer.host = static_cast<float*>(backend.reserve_host(request));
    if (device_memory_) buffer.device = lasting.tensor({batch, data.bins, data.dna_dim});
  }
}

DnaFeed::~DnaFeed() {
  if (done_.valid()) done_.wait();
  for (const Buffer& buffer : buffers_) backend_.release_host(buffer.host);
}

DnaFeed::Source DnaFeed::source_of(std::int32_t row, float* in_buffer) {
  if (float* held = cache_.on_host(row)) return {row, held, false, false};
  float* const stays = cache_.next_on_host();
  return {row, stays != nullptr ? stays : in_buffer, true, stays != nullptr};
}

void DnaFeed::read_into(Buffer& buffer, int slot) {
  if (device_memory_) backend_.wait_upload(slot);
  const auto read = [this, &buffer](std::size_t first, std::size_t step) {
    for (std::size_t i = first; i < buffer.sources.size(); i += step) {
      const Source& source = buffer.sources[i];
      if (source.read) (data_.*read_)(source.row, source.host);
    }
  };
  // On the CPU backend all cores are computing; with a GPU they are idle.
  const std::size_t readers = device_memory_ ? std::min(kReaders, buffer.sources.size()) : 1;
  std::vector<std::future<void>> others;
  for (std::size_t i = 1; i < readers; ++i) {
    others.push_back(std::async(std::launch::async, read, i, readers));
  }
  read(0, std::max<std::size_t>(readers, 1));
  for (std::future<void>& other : others) other.get();
  if (!device_memory_) return;
  std::int64_t at = 0;
  for (const Source& source : buffer.sources) {
    backend_.upload_later(row_at(buffer.device, at++), source.host, slot);
  }
}

void DnaFeed::start(const std::vector<std::int32_t>& rows) {
  CDT_CHECK(static_cast<std::int64_t>(rows.size()) <= batch(), "more rows than a request has");
  current_ = (current_ + 1) % kBuffers;
  Buffer& buffer = buffers_[static_cast<std::size_t>(current_)];
  buffer.sources.clear();
  request_.clear();
  std::unordered_map<std::int32_t, std::size_t> seen;
  for (const std::int32_t row : rows) {
    Place place{row, seen.emplace(row, request_.size()).first->second, -1};
    if (place.first == request_.size() && cache_.on_device(row).empty()) {
      place.source = static_cast<std::int64_t>(buffer.sources.size());
      buffer.sources.push_back(source_of(row, buffer.host + place.source * row_));
    }
    request_.push_back(place);
  }
  done_ =
      std::async(std::launch::async, [this, &buffer, slot = current_] { read_into(buffer, slot); });
}

Tensor DnaFeed::take() {
  done_.get();
  const Buffer& buffer = buffers_[static_cast<std::size_t>(current_)];
  for (const Source& source : buffer.sources) {
    if (source.stays) cache_.keep_on_host(source.row, source.host);
  }
  const Tensor out = batch_.slice(0, static_cast<std::int64_t>(request_.size()));
  for (std::size_t i = 0; i < request_.size(); ++i) {
    const Place& place = request_[i];
    const Tensor to = row_at(out, static_cast<std::int64_t>(i));
    if (place.first < i) {
      backend_.copy(to, row_at(out, static_cast<std::int64_t>(place.first)));
    } else if (place.source < 0) {
      backend_.copy(to, cache_.on_device(place.row));
    } else if (!device_memory_) {
      backend_.upload(to, buffer.sources[static_cast<std::size_t>(place.source)].host);
    } else {
      backend_.take_upload(to, row_at(buffer.device, place.source), current_);
      cache_.keep_on_device(place.row, to);
    }
  }
  return out;
}

}  // namespace cdt
