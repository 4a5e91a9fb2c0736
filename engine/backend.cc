#include "engine/backend.h"

#include <algorithm>

#include "engine/bfloat16.h"
#include "engine/error.h"
#include "engine/ranks/communicator.h"

namespace cdt {

std::unique_ptr<Communicator> Backend::device_ranks(Communicator& /*hosts*/) { return nullptr; }

std::vector<float> to_host(Backend& backend, const Tensor& t) {
  CDT_CHECK(t.dtype != Dtype::kInt32, "indices are not values");
  std::vector<float> host(static_cast<std::size_t>(t.count()));
  if (t.dtype == Dtype::kFloat32) {
    backend.download(host.data(), t);
    return host;
  }
  std::vector<BFloat16> narrow(host.size());
  backend.download(narrow.data(), t);
  std::transform(narrow.begin(), narrow.end(), host.begin(),
                 [](BFloat16 x) { return to_float(x); });
  return host;
}

}  // namespace cdt
