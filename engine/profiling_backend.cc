#include <utility>

#include "engine/backend.h"
#include "engine/profiler.h"

namespace cdt {
namespace {

class ProfilingBackend final : public Backend {
 public:
  explicit ProfilingBackend(std::unique_ptr<Backend> device)
      : device_(std::move(device)), profiler_(*device_) {}

  Profiler* profiler() override { return &profiler_; }
  const char* name() const override { return device_->name(); }
  std::vector<std::string> notes() const override { return device_->notes(); }
  Dtype activations() const override { return device_->activations(); }
  bool recomputes() const override { return device_->recomputes(); }
  double product_unit() const override { return device_->product_unit(); }
  bool asynchronous() const override { return device_->asynchronous(); }
  bool holds_values() const override { return device_->holds_values(); }
  std::size_t free_bytes() const override { return device_->free_bytes(); }
  std::size_t used_bytes() const override { return device_->used_bytes(); }
  std::size_t work_bytes() const override { return device_->work_bytes(); }
  void run_recorded(const std::string& name, const std::vector<Tensor>& operands,
                    const std::function<void()>& work) override {
    profiler_.run_recorded(name, work, [&](const std::function<void()>& profiled) {
      device_->run_recorded(name, operands, profiled);
    });
  }

  // Within an op a kernel counts as the op's, else as a row of its own.
#define CALL(type, name, parameters, arguments) \
  type name parameters override { return device_->name arguments; }
#define KERNEL(name, parameters, arguments, work)                             \
  void name parameters override {                                             \
    const ProfileScope scope(&profiler_, ProfilePass::kOutside, #name, work); \
    device_->name arguments;                                                  \
  }
#include "engine/backend_functions.inc"

 private:
  std::unique_ptr<Backend> device_;
  Profiler profiler_;
};

}  // namespace

std::unique_ptr<Backend> make_profiling_backend(std::unique_ptr<Backend> device) {
  return std::make_unique<ProfilingBackend>(std::move(device));
}

}  // namespace cdt
