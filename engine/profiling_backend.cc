#include <utility>

#include "engine/backend.h"
#include "engine/kernel_work.h"

namespace cdt {
namespace {

class ProfilingBackend final : public Backend {
 public:
  explicit ProfilingBackend(std::unique_ptr<Backend> device)
      : device_(std::move(device)), profiler_(*device_) {}

  Profiler* profiler() override { return &profiler_; }
  const char* name() const override { return device_->name(); }
  Dtype activations() const override { return device_->activations(); }
  double product_unit() const override { return device_->product_unit(); }

  float* reserve(std::size_t bytes) override { return device_->reserve(bytes); }
  void commit(float* base, std::size_t from, std::size_t to) override {
    device_->commit(base, from, to);
  }
  void release(float* base, std::size_t bytes) override { device_->release(base, bytes); }
  void upload(const Tensor& dst, const void* host) override { device_->upload(dst, host); }
  void download(void* host, const Tensor& src) override { device_->download(host, src); }
  void* reserve_host(std::size_t bytes) override { return device_->reserve_host(bytes); }
  void release_host(void* base) override { device_->release_host(base); }
  void download_later(void* host, const Tensor& src, int slot) override {
    device_->download_later(host, src, slot);
  }
  void wait(int slot) override { device_->wait(slot); }
  void synchronize() override { device_->synchronize(); }
  bool asynchronous() const override { return device_->asynchronous(); }
  bool holds_values() const override { return device_->holds_values(); }
  std::size_t free_bytes() const override { return device_->free_bytes(); }
  std::size_t used_bytes() const override { return device_->used_bytes(); }
  void upload_later(const Tensor& dst, const void* host, int slot) override {
    device_->upload_later(dst, host, slot);
  }
  void wait_upload(int slot) override { device_->wait_upload(slot); }
  void begin_step(std::uint32_t step) override { device_->begin_step(step); }
  void mark(std::int64_t number) override { device_->mark(number); }
  double seconds_between(std::int64_t from, std::int64_t to) override {
    return device_->seconds_between(from, to);
  }
  void run_recorded(const std::string& name, const std::vector<Tensor>& operands,
                    const std::function<void()>& work) override {
    profiler_.run_recorded(name, work, [&](const std::function<void()>& profiled) {
      device_->run_recorded(name, operands, profiled);
    });
  }

  void attention_scratch(const Attention& a, Arena& scratch) override {
    device_->attention_scratch(a, scratch);
  }
  void attention_backward_scratch(const AttentionBackward& a, Arena& scratch) override {
    device_->attention_backward_scratch(a, scratch);
  }
  void pool_mix_scratch(const Tensor& p, const Tensor& x, const Tensor& mixed, const Tensor& mass,
                        Arena& scratch) override {
    device_->pool_mix_scratch(p, x, mixed, mass, scratch);
  }
  std::size_t work_bytes() const override { return device_->work_bytes(); }

  void copy(const Tensor& dst, const Tensor& src) override {
    const auto scope = kernel("copy", traffic({dst, src}));
    device_->copy(dst, src);
  }
  void cast(const Tensor& dst, const Tensor& src) override {
    const auto scope = kernel("cast", traffic({dst, src}));
    device_->cast(dst, src);
  }
  void fill(const Tensor& dst, float value) override {
    const auto scope = kernel("fill", traffic({dst}));
    device_->fill(dst, value);
  }
  void take_upload(const Tensor& dst, const Tensor& src, int slot) override {
    const auto scope = kernel("take_upload", traffic({dst, src}));
    device_->take_upload(dst, src, slot);
  }

  void gemm(const Gemm& g) override {
    const auto scope = kernel("gemm", product_work(g));
    device_->gemm(g);
  }
  void column_sum(const Tensor& x, const Tensor& out, bool accumulate) override {
    const auto scope = kernel("column_sum", traffic({x, out}));
    device_->column_sum(x, out, accumulate);
  }

  void add_to(const Tensor& out, const Tensor& a) override {
    const auto scope = kernel("add_to", traffic({a, out, out}));
    device_->add_to(out, a);
  }
  void dropout(const Tensor& x, const DropoutKey& key, const Tensor& y) override {
    const auto scope = kernel("dropout", traffic({x, y}));
    device_->dropout(x, key, y);
  }
  void dropout_backward(const Tensor& dy, const DropoutKey& key, const Tensor& dx,
                        bool accumulate) override {
    const auto scope = kernel("dropout_backward", traffic({dy, dx, accumulate ? dx : Tensor{}}));
    device_->dropout_backward(dy, key, dx, accumulate);
  }
  void gelu_dropout(const Tensor& x, const DropoutKey& key, std::int64_t first_row,
                    const Tensor& y) override {
    const auto scope = kernel("gelu_dropout", traffic({x, y}));
    device_->gelu_dropout(x, key, first_row, y);
  }
  void gelu_dropout_backward(const Tensor& x, const Tensor& dy, const DropoutKey& key,
                             std::int64_t first_row, const Tensor& dx) override {
    const auto scope = kernel("gelu_dropout_backward", traffic({x, dy, dx}));
    device_->gelu_dropout_backward(x, dy, key, first_row, dx);
  }

  void layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, const Tensor& y,
                  const Tensor& stats) override {
    const auto scope = kernel("layer_norm", traffic({x, gamma, beta, y, stats}));
    device_->layer_norm(x, gamma, beta, y, stats);
  }
  void layer_norm_backward(const Tensor& x, const Tensor& gamma, const Tensor& stats,
                           const Tensor& dy, const Tensor& dx, const Tensor& dgamma,
                           const Tensor& dbeta) override {
    const auto scope =
        kernel("layer_norm_backward", traffic({x, gamma, stats, dy, dx, dgamma, dbeta}));
    device_->layer_norm_backward(x, gamma, stats, dy, dx, dgamma, dbeta);
  }
  void scale_and_centre(const Tensor& r, const Tensor& gamma, const Tensor& v) override {
    const auto scope = kernel("scale_and_centre", traffic({r, gamma, v}));
    device_->scale_and_centre(r, gamma, v);
  }
  void residual_dropout(const Tensor& x, const DropoutKey& key, const Tensor& a) override {
    const auto scope = kernel("residual_dropout", traffic({x, a, a}));
    device_->residual_dropout(x, key, a);
  }
  void residual_dropout_norm(const Tensor& x, const DropoutKey& key, const Tensor& a,
                             const Tensor& gamma, const Tensor& beta, const Tensor& y,
                             const Tensor& stats) override {
    const auto scope = kernel("residual_dropout_norm", traffic({x, a, a, gamma, beta, y, stats}));
    device_->residual_dropout_norm(x, key, a, gamma, beta, y, stats);
  }

  void attention(const Attention& a, Arena& scratch) override {
    const auto scope = kernel("attention", attention_work(a));
    device_->attention(a, scratch);
  }
  void attention_backward(const AttentionBackward& a, Arena& scratch) override {
    const auto scope = kernel("attention_backward", attention_backward_work(a));
    device_->attention_backward(a, scratch);
  }
  void softmax_dropout(const Tensor& x, const DropoutKey& key, const Tensor& dropped) override {
    const auto scope =
        kernel("softmax_dropout", traffic({x, x, dropped.data == x.data ? Tensor{} : dropped}));
    device_->softmax_dropout(x, key, dropped);
  }
  void softmax_dropout_backward(const Tensor& p, const Tensor& dp, const DropoutKey& key,
                                const Tensor& ds) override {
    const auto scope = kernel("softmax_dropout_backward", traffic({p, dp, ds}));
    device_->softmax_dropout_backward(p, dp, key, ds);
  }

  void pool_scores(const Tensor& u, const Tensor& x, const Tensor& shift, float scale,
                   const Tensor& out) override {
    const auto scope = kernel("pool_scores", pool_work(out, x, 1, {u, shift}));
    device_->pool_scores(u, x, shift, scale, out);
  }
  void pool_mix(const Tensor& p, const Tensor& x, const Tensor& mixed, const Tensor& mass,
                Arena& scratch) override {
    const auto scope = kernel("pool_mix", pool_work(p, x, 1, {mixed, mass}));
    device_->pool_mix(p, x, mixed, mass, scratch);
  }
  void pool_outer(const Tensor& ds, const Tensor& u, const Tensor& p, const Tensor& dmixed,
                  const Tensor& scale, const Tensor& base, const Tensor& out) override {
    const auto scope = kernel("pool_outer", pool_work(p, out, 2, {ds, u, dmixed, scale, base}));
    device_->pool_outer(ds, u, p, dmixed, scale, base, out);
  }
  void norm_factors(const Tensor& ds, const Tensor& p, const Tensor& slope, const Tensor& stats,
                    const Tensor& b, const Tensor& own) override {
    const auto scope = kernel("norm_factors", traffic({ds, p, slope, stats, b, own}));
    device_->norm_factors(ds, p, slope, stats, b, own);
  }

  void select(const Tensor& x, const Tensor& index, const Tensor& out) override {
    const auto scope = kernel("select", traffic({index, out, out}));
    device_->select(x, index, out);
  }
  void select_backward(const Tensor& dout, const Tensor& index, const Tensor& dx) override {
    const auto scope = kernel("select_backward", traffic({dout, index, dx}));
    device_->select_backward(dout, index, dx);
  }
  void huber(const Tensor& prediction, const Tensor& target, float delta,
             const Tensor& out) override {
    const auto scope = kernel("huber", traffic({prediction, target, out}));
    device_->huber(prediction, target, delta, out);
  }
  void huber_backward(const Tensor& prediction, const Tensor& target, float delta,
                      const Tensor& dloss, const Tensor& dprediction) override {
    const auto scope = kernel("huber_backward", traffic({prediction, target, dloss, dprediction}));
    device_->huber_backward(prediction, target, delta, dloss, dprediction);
  }

  void clip(std::span<const AdamWTensors> parameters, double max_norm,
            const Tensor& clip) override {
    Work work = traffic({clip});
    for (const AdamWTensors& p : parameters) work += traffic({p.grad});
    const auto scope = kernel("clip", work);
    device_->clip(parameters, max_norm, clip);
  }
  void adamw(std::span<const AdamWTensors> parameters, const Tensor& rates,
             const Tensor& clip) override {
    Work work;
    for (const AdamWTensors& p : parameters) {
      work += traffic({p.w, p.w, p.grad, p.first, p.first, p.second, p.second, p.rounded});
    }
    const auto scope = kernel("adamw", work);
    device_->adamw(parameters, rates, clip);
  }
  void row_dot_sqrt(const Tensor& a, const Tensor& b, const Tensor& out) override {
    const auto scope = kernel("row_dot_sqrt", traffic({a, b.data == a.data ? Tensor{} : b, out}));
    device_->row_dot_sqrt(a, b, out);
  }

 private:
  /// Within an op the kernel counts as the op's, else as a row of its own.
  ProfileScope kernel(const char* name, const Work& work) {
    return {&profiler_, ProfilePass::kOutside, name, work};
  }

  std::unique_ptr<Backend> device_;
  Profiler profiler_;
};

}  // namespace

std::unique_ptr<Backend> make_profiling_backend(std::unique_ptr<Backend> device) {
  return std::make_unique<ProfilingBackend>(std::move(device));
}

}  // namespace cdt
