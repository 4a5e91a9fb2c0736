#include <utility>

#include "engine/forwarding_backend.h"
#include "engine/profiler.h"

namespace cdt {
namespace {

class ProfilingBackend final : public ForwardingBackend {
 public:
  explicit ProfilingBackend(std::unique_ptr<Backend> device)
      : ForwardingBackend(*device), owned_(std::move(device)), profiler_(*owned_) {}

  Profiler* profiler() override { return &profiler_; }
  void run_recorded(const std::string& name, const std::vector<Tensor>& operands,
                    const std::function<void()>& work) override {
    profiler_.run_recorded(name, work, [&](const std::function<void()>& profiled) {
      device().run_recorded(name, operands, profiled);
    });
  }

  // Within an op a kernel counts as part of the op, otherwise as a row of its own.
#define CALL(type, name, parameters, arguments)
#define KERNEL(name, parameters, arguments, work)                             \
  void name parameters override {                                             \
    const ProfileScope scope(&profiler_, ProfilePass::kOutside, #name, work); \
    device().name arguments;                                                  \
  }
#include "engine/backend_functions.inc"

 private:
  std::unique_ptr<Backend> owned_;
  Profiler profiler_;
};

}  // namespace

std::unique_ptr<Backend> make_profiling_backend(std::unique_ptr<Backend> device) {
  return std::make_unique<ProfilingBackend>(std::move(device));
}

}  // namespace cdt
