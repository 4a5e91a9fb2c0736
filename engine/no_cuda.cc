// Stands in for the CUDA backend where it is not built.
#include "engine/backend.h"
#include "engine/error.h"

namespace cdt {

bool cuda_built() { return false; }

bool cuda_available() { return false; }

std::unique_ptr<Backend> make_cuda_backend(int /*device*/) {
  throw InputError("command line", "--device", "this build has no CUDA backend");
}

}  // namespace cdt
