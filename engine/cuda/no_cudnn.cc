// Replaces cuDNN's attention in builds without the library's headers.
#include "engine/backend.h"
#include "engine/cuda/cudnn_attention.h"
#include "engine/error.h"

namespace cdt {

bool cudnn_built() { return false; }

std::unique_ptr<CudnnAttention> make_cudnn_attention(cudaStream_t /*stream*/) {
  throw Error("this build has no cuDNN");
}

}  // namespace cdt
