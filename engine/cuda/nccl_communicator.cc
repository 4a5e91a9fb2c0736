#include "engine/cuda/nccl_communicator.h"

#include <cstring>
#include <exception>
#include <memory>
#include <utility>

#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/launch.h"
#include "engine/cuda/rank_sums.h"
#include "engine/error.h"

namespace cdt {
namespace {

/// A group of sends and receives that NCCL starts together.
class NcclGroup {
 public:
  explicit NcclGroup(const Nccl& nccl) : nccl_(nccl) { CDT_NCCL(nccl_, group_start()); }
  void end() {
    open_ = false;
    CDT_NCCL(nccl_, group_end());
  }
  ~NcclGroup() {
    if (open_) nccl_.group_end();
  }
  NcclGroup(const NcclGroup&) = delete;
  NcclGroup& operator=(const NcclGroup&) = delete;

 private:
  const Nccl& nccl_;
  bool open_ = true;
};

std::size_t floats(const Slice& share) { return static_cast<std::size_t>(share.count()); }

}  // namespace

NcclCommunicator::NcclCommunicator(Communicator& hosts, int device, cudaStream_t kernels)
    : hosts_(hosts), device_(device), kernels_(kernels), exceptions_(std::uncaught_exceptions()) {
  const ncclUniqueId id = shared_id();
  CDT_CUDA(cudaSetDevice(device));
  CDT_CUDA(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
  for (cudaEvent_t* event : {&written_, &summed_}) {
    CDT_CUDA(cudaEventCreateWithFlags(event, cudaEventDisableTiming));
  }
  ncclComm_t ranks = nullptr;
  CDT_NCCL(nccl_, init_rank(&ranks, hosts_.size(), id, hosts_.rank()));
  ranks_ = ranks;
  hosts_.when_lost([this] { abort(); });
}

NcclCommunicator::~NcclCommunicator() {
  hosts_.when_lost({});
  if (std::uncaught_exceptions() > exceptions_) abort();  // the other ranks may never answer
  cudaStreamSynchronize(stream_);
  if (ncclComm_t ranks = ranks_.exchange(nullptr)) nccl_.destroy(ranks);
  cudaFree(room_);
  for (cudaEvent_t event : {written_, summed_}) cudaEventDestroy(event);
  cudaStreamDestroy(stream_);
}

// Called by all ranks, also by those without the library, so that none waits for another.
ncclUniqueId NcclCommunicator::shared_id() {
  ncclUniqueId id{};
  std::string mine;
  std::exception_ptr failure;
  try {
    nccl_.open();
    if (hosts_.rank() == 0) CDT_NCCL(nccl_, get_unique_id(&id));
    mine.assign(id.internal, sizeof id.internal);
  } catch (...) {
    failure = std::current_exception();
  }
  const std::vector<std::string> ids = hosts_.gather(mine);
  if (failure) std::rethrow_exception(failure);
  for (const std::string& of_rank : ids) {
    if (of_rank.empty()) throw RankEnded();
  }
  std::memcpy(id.internal, ids.front().data(), sizeof id.internal);
  return id;
}

// Ends the kernels that wait for other ranks.
void NcclCommunicator::abort() {
  ncclComm_t ranks = ranks_.exchange(nullptr);
  if (ranks == nullptr) return;
  cudaSetDevice(device_);
  nccl_.abort(ranks);
}

void NcclCommunicator::make_room(std::int64_t count) {
  if (count <= room_floats_) return;
  CDT_CUDA(cudaStreamSynchronize(stream_));
  CDT_CUDA(cudaFree(std::exchange(room_, nullptr)));
  room_floats_ = 0;
  CDT_CUDA(cudaMalloc(reinterpret_cast<void**>(&room_),
                      static_cast<std::size_t>(count) * sizeof(float)));
  room_floats_ = count;
}

void NcclCommunicator::scatter(const Tensor& data, ncclComm_t ranks) {
  const Slice mine = slice_of(data.count(), rank(), size());
  NcclGroup group(nccl_);
  for (int r = 0; r < size(); ++r) {
    const Slice share = slice_of(data.count(), r, size());
    float* const place = room_ + r * mine.count();
    if (r == rank()) {
      CDT_CUDA(cudaMemcpyAsync(place, data.at(mine.begin), floats(mine) * sizeof(float),
                               cudaMemcpyDeviceToDevice, stream_));
      continue;
    }
    if (share.count() > 0) {
      CDT_NCCL(nccl_, send(data.at(share.begin), floats(share), ncclFloat, r, ranks, stream_));
    }
    if (mine.count() > 0) {
      CDT_NCCL(nccl_, receive(place, floats(mine), ncclFloat, r, ranks, stream_));
    }
  }
  group.end();
}

void NcclCommunicator::spread(const Tensor& data, ncclComm_t ranks) {
  const Slice mine = slice_of(data.count(), rank(), size());
  NcclGroup group(nccl_);
  for (int r = 0; r < size(); ++r) {
    if (r == rank()) continue;
    const Slice share = slice_of(data.count(), r, size());
    if (mine.count() > 0) {
      CDT_NCCL(nccl_, send(data.at(mine.begin), floats(mine), ncclFloat, r, ranks, stream_));
    }
    if (share.count() > 0) {
      CDT_NCCL(nccl_, receive(data.at(share.begin), floats(share), ncclFloat, r, ranks, stream_));
    }
  }
  group.end();
}

void NcclCommunicator::start_sum(const Tensor& data) {
  CDT_CHECK(data.dtype == Dtype::kFloat32, "sums over ranks are of float32");
  ncclComm_t ranks = ranks_;
  if (ranks == nullptr) gather({});  // throws the reason
  const Slice mine = slice_of(data.count(), rank(), size());
  make_room(mine.count() * size());
  CDT_CUDA(cudaEventRecord(written_, kernels_));
  CDT_CUDA(cudaStreamWaitEvent(stream_, written_));
  scatter(data, ranks);
  if (mine.count() > 0) add_ranks(stream_, room_, size(), mine.count(), data.at(mine.begin));
  spread(data, ranks);
}

void NcclCommunicator::wait_sums() {
  CDT_CUDA(cudaEventRecord(summed_, stream_));
  CDT_CUDA(cudaStreamWaitEvent(kernels_, summed_));
}

std::unique_ptr<Communicator> CudaBackend::device_ranks(Communicator& hosts) {
  return std::make_unique<NcclCommunicator>(hosts, options_.device, stream_);
}

}  // namespace cdt
