#include "apps/common/session.h"

#include <utility>

#include "engine/backend.h"
#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr const char* kWhere = "command line";
constexpr int kCpu = -1;
constexpr std::int64_t kMaxGpu = 1023;

/// kCpu, or the number of a GPU.
int device_number(const std::string& device) {
  if (device == "cpu") return kCpu;
  if (device == "auto") return cuda_available() ? 0 : kCpu;
  std::int64_t number = 0;
  const bool numbered = device.rfind("cuda:", 0) == 0 && parse_int64(device.substr(5), &number) &&
                        number >= 0 && number <= kMaxGpu;
  if (device != "cuda" && !numbered) {
    throw InputError(kWhere, "--device",
                     expected_got("no such device", "auto, cpu, cuda or cuda:N", device));
  }
  if (number == 0 && !cuda_available()) {
    throw InputError(kWhere, "--device", expected_got(cuda_problem(), "auto or cpu", device));
  }
  return static_cast<int>(number);
}

/// One of the words the command line lets through.
Precision precision_named(const std::string& name) {
  if (name == "tf32") return Precision::kTf32;
  if (name == "bf16") return Precision::kBFloat16;
  return Precision::kFloat32;
}

std::unique_ptr<Backend> open_device(const CommonOptions& options) {
  const int device = device_number(options.device);
  if (device != kCpu) {
    return make_cuda_backend({.device = device,
                              .precision = precision_named(options.precision),
                              .graphs = !options.no_graph});
  }
  if (options.precision != "fp32") {
    throw InputError(kWhere, "--precision",
                     expected_got("the CPU computes in fp32 only", "fp32", options.precision));
  }
  return make_cpu_backend(static_cast<int>(options.threads));
}

}  // namespace

std::unique_ptr<Backend> open_backend(const CommonOptions& options) {
  std::unique_ptr<Backend> device = open_device(options);
  return options.profile ? make_profiling_backend(std::move(device)) : std::move(device);
}

}  // namespace cdt
