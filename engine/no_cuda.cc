// Replaces the CUDA backend in builds without CUDA.
#include "engine/backend.h"
#include "engine/error.h"

namespace cdt {

bool cuda_built() { return false; }

bool cudnn_built() { return false; }

bool cuda_available() { return false; }

std::string cuda_problem() { return "this build has no CUDA backend"; }

std::unique_ptr<Backend> make_cuda_backend(const CudaOptions& /*options*/) {
  throw InputError("command line", "--device", cuda_problem());
}

}  // namespace cdt
