// Stands in for cuDNN's attention where the library's headers were not found.
#include "engine/backend.h"
#include "engine/cuda/cudnn_attention.h"
#include "engine/error.h"

namespace cdt {

bool cudnn_built() { return false; }

std::unique_ptr<CudnnAttention> make_cudnn_attention(cudaStream_t /*stream*/) {
  throw Error("this build has no cuDNN");
}

}  // namespace cdt
