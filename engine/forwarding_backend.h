// A backend that wraps another, `device`, which must outlive it. It forwards every call that is not
// a kernel; derived classes implement the kernels and override the calls they answer themselves.
#pragma once

#include "engine/backend.h"
#include "engine/ranks/communicator.h"

namespace cdt {

class ForwardingBackend : public Backend {
 public:
  explicit ForwardingBackend(Backend& device) : device_(device) {}

  const char* name() const override { return device_.name(); }
  std::vector<std::string> notes() const override { return device_.notes(); }
  DeviceFacts facts() const override { return device_.facts(); }
  Dtype activations() const override { return device_.activations(); }
  bool recomputes() const override { return device_.recomputes(); }
  double product_unit() const override { return device_.product_unit(); }
  bool asynchronous() const override { return device_.asynchronous(); }
  bool holds_values() const override { return device_.holds_values(); }
  std::size_t free_bytes() const override { return device_.free_bytes(); }
  std::size_t used_bytes() const override { return device_.used_bytes(); }
  std::size_t work_bytes() const override { return device_.work_bytes(); }
  std::unique_ptr<Communicator> device_ranks(Communicator& hosts) override {
    return device_.device_ranks(hosts);
  }
  void run_recorded(const std::string& name, const std::vector<Tensor>& operands,
                    const std::function<void()>& work) override {
    device_.run_recorded(name, operands, work);
  }

#define CALL(type, name, parameters, arguments) \
  type name parameters override { return device_.name arguments; }
#define KERNEL(name, parameters, arguments, work)
#include "engine/backend_functions.inc"

 protected:
  Backend& device() const { return device_; }

 private:
  Backend& device_;
};

}  // namespace cdt
