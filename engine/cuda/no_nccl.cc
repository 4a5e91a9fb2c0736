// Replaces sums over ranks in builds without NCCL's header.
#include "engine/cuda/cuda_backend.h"
#include "engine/error.h"
#include "engine/ranks/communicator.h"

namespace cdt {

std::unique_ptr<Communicator> CudaBackend::device_ranks(Communicator& /*hosts*/) {
  throw InputError(
      "command line", "--device",
      expected_got("this build has no NCCL, which several processes on GPUs need", "cpu", "cuda"));
}

}  // namespace cdt
