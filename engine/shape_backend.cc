#include <cstdint>
#include <cstring>

#include "engine/backend.h"

namespace cdt {
namespace {

class ShapeBackend final : public Backend {
 public:
  ShapeBackend(Backend& device, std::size_t* host_bytes)
      : device_(device), host_bytes_(host_bytes) {}

  const char* name() const override { return device_.name(); }
  Dtype activations() const override { return device_.activations(); }
  double product_unit() const override { return device_.product_unit(); }

  float* reserve(std::size_t bytes) override {
    const std::uintptr_t base = next_;
    next_ += (bytes + kAlign - 1) / kAlign * kAlign;
    return reinterpret_cast<float*>(base);  // NOLINT(performance-no-int-to-ptr): nobody follows it
  }
  void commit(float*, std::size_t, std::size_t) override {}
  void release(float*, std::size_t) override {}
  void upload(const Tensor&, const void*) override {}
  void download(void* host, const Tensor& src) override {
    std::memset(host, 0, static_cast<std::size_t>(src.bytes()));
  }
  void copy(const Tensor&, const Tensor&) override {}
  void cast(const Tensor&, const Tensor&) override {}
  void fill(const Tensor&, float) override {}

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
  std::size_t free_bytes() const override { return device_.free_bytes() > 0 ? 1 : 0; }
  std::size_t used_bytes() const override { return 0; }
  void upload_later(const Tensor&, const void*, int) override {}
  void wait_upload(int) override {}
  void take_upload(const Tensor&, const Tensor&, int) override {}
  void begin_step(std::uint32_t) override {}
  void run_recorded(const std::string&, const std::vector<Tensor>&,
                    const std::function<void()>& work) override {
    work();
  }
  void mark(std::int64_t) override {}
  double seconds_between(std::int64_t, std::int64_t) override { return 0; }

  void attention_scratch(const Attention& a, Arena& scratch) override {
    device_.attention_scratch(a, scratch);
  }
  void attention_backward_scratch(const AttentionBackward& a, Arena& scratch) override {
    device_.attention_backward_scratch(a, scratch);
  }
  void pool_mix_scratch(const Tensor& p, const Tensor& x, const Tensor& mixed, const Tensor& mass,
                        Arena& scratch) override {
    device_.pool_mix_scratch(p, x, mixed, mass, scratch);
  }
  std::size_t work_bytes() const override { return device_.work_bytes(); }

  void attention(const Attention& a, Arena& scratch) override { attention_scratch(a, scratch); }
  void attention_backward(const AttentionBackward& a, Arena& scratch) override {
    attention_backward_scratch(a, scratch);
  }
  void pool_mix(const Tensor& p, const Tensor& x, const Tensor& mixed, const Tensor& mass,
                Arena& scratch) override {
    pool_mix_scratch(p, x, mixed, mass, scratch);
  }

  void gemm(const Gemm&) override {}
  void column_sum(const Tensor&, const Tensor&, bool) override {}
  void add_to(const Tensor&, const Tensor&) override {}
  void dropout(const Tensor&, const DropoutKey&, const Tensor&) override {}
  void dropout_backward(const Tensor&, const DropoutKey&, const Tensor&, bool) override {}
  void gelu_dropout(const Tensor&, const DropoutKey&, std::int64_t, const Tensor&) override {}
  void gelu_dropout_backward(const Tensor&, const Tensor&, const DropoutKey&, std::int64_t,
                             const Tensor&) override {}
  void layer_norm(const Tensor&, const Tensor&, const Tensor&, const Tensor&,
                  const Tensor&) override {}
  void layer_norm_backward(const Tensor&, const Tensor&, const Tensor&, const Tensor&,
                           const Tensor&, const Tensor&, const Tensor&) override {}
  void scale_and_centre(const Tensor&, const Tensor&, const Tensor&) override {}
  void residual_dropout(const Tensor&, const DropoutKey&, const Tensor&) override {}
  void residual_dropout_norm(const Tensor&, const DropoutKey&, const Tensor&, const Tensor&,
                             const Tensor&, const Tensor&, const Tensor&) override {}
  void softmax_dropout(const Tensor&, const DropoutKey&, const Tensor&) override {}
  void softmax_dropout_backward(const Tensor&, const Tensor&, const DropoutKey&,
                                const Tensor&) override {}
  void pool_scores(const Tensor&, const Tensor&, const Tensor&, float, const Tensor&) override {}
  void pool_outer(const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&,
                  const Tensor&, const Tensor&) override {}
  void norm_factors(const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&,
                    const Tensor&) override {}
  void select(const Tensor&, const Tensor&, const Tensor&) override {}
  void select_backward(const Tensor&, const Tensor&, const Tensor&) override {}
  void huber(const Tensor&, const Tensor&, float, const Tensor&) override {}
  void huber_backward(const Tensor&, const Tensor&, float, const Tensor&, const Tensor&) override {}
  void clip(std::span<const AdamWTensors>, double, const Tensor&) override {}
  void adamw(std::span<const AdamWTensors>, const Tensor&, const Tensor&) override {}
  void row_dot_sqrt(const Tensor&, const Tensor&, const Tensor&) override {}

 private:
  static constexpr std::size_t kAlign = std::size_t{1} << 21U;

  Backend& device_;
  std::size_t* host_bytes_;
  std::uintptr_t next_ = kAlign;
};

}  // namespace

std::unique_ptr<Backend> make_shape_backend(Backend& device, std::size_t* host_bytes) {
  return std::make_unique<ShapeBackend>(device, host_bytes);
}

}  // namespace cdt
