#include <cstdint>
#include <cstring>

#include "engine/forwarding_backend.h"

namespace cdt {
namespace {

class ShapeBackend final : public ForwardingBackend {
 public:
  ShapeBackend(Backend& device, std::size_t* host_bytes)
      : ForwardingBackend(device), host_bytes_(host_bytes) {}

  float* reserve(std::size_t bytes) override {
    const std::uintptr_t base = next_;
    next_ += (bytes + kAlign - 1) / kAlign * kAlign;
    return reinterpret_cast<float*>(base);  // NOLINT(performance-no-int-to-ptr): never read
  }
  void commit(float*, std::size_t, std::size_t) override {}
  void release(float*, std::size_t) override {}
  void upload(const Tensor&, const void*) override {}
  void download(void* host, const Tensor& src) override {
    std::memset(host, 0, static_cast<std::size_t>(src.bytes()));
  }

  void* reserve_host(std::size_t bytes) override {
    if (host_bytes_ != nullptr) *host_bytes_ += bytes;
    return reserve(bytes);
  }
  void release_host(void*) override {}
  void download_later(void*, const Tensor&, int) override {}
  void wait(int) override {}
  void synchronize() override {}
  bool asynchronous() const override { return false; }
  bool holds_values() const override { return false; }
  std::size_t free_bytes() const override { return device().free_bytes() > 0 ? 1 : 0; }
  std::size_t used_bytes() const override { return 0; }
  void upload_later(const Tensor&, const void*, int) override {}
  void wait_upload(int) override {}
  void begin_step(std::uint32_t) override {}
  void run_recorded(const std::string&, const std::vector<Tensor>&,
                    const std::function<void()>& work) override {
    work();
  }
  std::vector<std::string> notes() const override { return {}; }
  void mark(std::int64_t) override {}
  double seconds_between(std::int64_t, std::int64_t) override { return 0; }

#define CALL(type, name, parameters, arguments)
#define KERNEL(name, parameters, arguments, work) \
  void name parameters override { ignore arguments; }
#define SCRATCH_KERNEL(name, parameters, arguments, work) \
  void name parameters override { name##_scratch arguments; }
#include "engine/backend_functions.inc"

 private:
  static constexpr std::size_t kAlign = std::size_t{1} << 21U;

  template <class... Arguments>
  static void ignore(const Arguments&...) {}

  std::size_t* host_bytes_;
  std::uintptr_t next_ = kAlign;
};

}  // namespace

std::unique_ptr<Backend> make_shape_backend(Backend& device, std::size_t* host_bytes) {
  return std::make_unique<ShapeBackend>(device, host_bytes);
}

}  // namespace cdt
