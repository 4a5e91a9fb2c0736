// Sums over ranks whose tensors are on GPUs: NCCL moves the data, on a stream of its own, and a
// kernel adds. Everything after the first sum of a size can be captured in a graph.
#pragma once

#include <cuda_runtime.h>
#include <nccl.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/cuda/nccl_library.h"
#include "engine/ranks/communicator.h"

namespace cdt {

class NcclCommunicator final : public Communicator {
 public:
  /// hosts: carries the ranks' messages. kernels: their stream, on GPU `device`. All ranks must
  /// construct this at the same point. Throws InputError if NCCL is missing or too old, RankEnded
  /// if it is on another rank, and Error if it cannot connect the ranks.
  NcclCommunicator(Communicator& hosts, int device, cudaStream_t kernels);
  ~NcclCommunicator() override;
  NcclCommunicator(const NcclCommunicator&) = delete;
  NcclCommunicator& operator=(const NcclCommunicator&) = delete;

  int rank() const override { return hosts_.rank(); }
  int size() const override { return hosts_.size(); }
  int host_rank() const override { return hosts_.host_rank(); }
  std::vector<std::string> gather(const std::string& mine) override { return hosts_.gather(mine); }
  void when_lost(std::function<void()> act) override { hosts_.when_lost(std::move(act)); }
  void leave() override { hosts_.leave(); }

  void start_sum(const Tensor& data) override;
  void wait_sums() override;

 private:
  ncclUniqueId shared_id();
  void abort();
  void make_room(std::int64_t count);
  /// Sends the ranks their shares of data(n) and receives theirs of this rank's share into room_.
  void scatter(const Tensor& data, ncclComm_t ranks);
  /// Sends this rank's share of data(n) to all ranks and receives theirs.
  void spread(const Tensor& data, ncclComm_t ranks);

  Communicator& hosts_;
  int device_;
  cudaStream_t kernels_;
  int exceptions_;  // passing when this was made
  Nccl nccl_;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t written_ = nullptr, summed_ = nullptr;
  std::atomic<ncclComm_t> ranks_ = nullptr;  // null once a rank is lost
  float* room_ = nullptr;                    // (ranks, share): one share from each rank
  std::int64_t room_floats_ = 0;
};

}  // namespace cdt
