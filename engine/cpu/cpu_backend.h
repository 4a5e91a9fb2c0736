// The CPU backend. Each kernel stands in the file of its name; all cut their work into tiles that
// depend on shapes only.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <vector>

#include "engine/backend.h"

namespace cdt {

/// Memory of one thread inside kernels.
struct WorkArea {
  struct Free {
    void operator()(float* floats) const;
  };
  std::unique_ptr<float[], Free> floats;
  std::int64_t count = 0;
};

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(int threads);
  const char* name() const override { return "cpu"; }
  Dtype activations() const override { return Dtype::kFloat32; }
  double product_unit() const override { return 0x1.0p-23; }

  float* reserve(std::size_t bytes) override;
  void release(float* base, std::size_t bytes) override;
  void commit(float* base, std::size_t from, std::size_t to) override;
  void upload(const Tensor& dst, const void* host) override;
  void download(void* host, const Tensor& src) override;
  void copy(const Tensor& dst, const Tensor& src) override;
  void cast(const Tensor& dst, const Tensor& src) override;
  void fill(const Tensor& dst, float value) override;

  void* reserve_host(std::size_t bytes) override;
  void release_host(void* base) override;
  void download_later(void* host, const Tensor& src, int slot) override;
  void wait(int slot) override;
  void synchronize() override;
  bool asynchronous() const override { return false; }
  std::size_t free_bytes() const override { return 0; }
  std::size_t used_bytes() const override { return 0; }
  void upload_later(const Tensor& dst, const void* host, int slot) override;
  void wait_upload(int slot) override;
  void take_upload(const Tensor& dst, const Tensor& src, int slot) override;
  void begin_step(std::uint32_t step) override;
  void run_recorded(const std::string& name, const std::vector<Tensor>& operands,
                    const std::function<void()>& work) override;
  void mark(std::int64_t number) override;
  double seconds_between(std::int64_t from, std::int64_t to) override;

  void attention_scratch(const Attention& a, Arena& scratch) override;
  void attention_backward_scratch(const AttentionBackward& a, Arena& scratch) override;
  void pool_mix_scratch(const Tensor& p, const Tensor& x, const Tensor& mixed, const Tensor& mass,
                        Arena& scratch) override;
  std::size_t work_bytes() const override;

  void gemm(const Gemm& g) override;
  void column_sum(const Tensor& x, const Tensor& out, bool accumulate) override;

  void add_to(const Tensor& out, const Tensor& a) override;
  void dropout(const Tensor& x, const DropoutKey& key, const Tensor& y) override;
  void dropout_backward(const Tensor& dy, const DropoutKey& key, const Tensor& dx,
                        bool accumulate) override;
  void gelu_dropout(const Tensor& x, const DropoutKey& key, std::int64_t first_row,
                    const Tensor& y) override;
  void gelu_dropout_backward(const Tensor& x, const Tensor& dy, const DropoutKey& key,
                             std::int64_t first_row, const Tensor& dx) override;

  void layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, const Tensor& y,
                  const Tensor& stats) override;
  void layer_norm_backward(const Tensor& x, const Tensor& gamma, const Tensor& stats,
                           const Tensor& dy, const Tensor& dx, const Tensor& dgamma,
                           const Tensor& dbeta) override;
  void scale_and_centre(const Tensor& r, const Tensor& gamma, const Tensor& v) override;
  void residual_dropout(const Tensor& x, const DropoutKey& key, const Tensor& a) override;
  void residual_dropout_norm(const Tensor& x, const DropoutKey& key, const Tensor& a,
                             const Tensor& gamma, const Tensor& beta, const Tensor& y,
                             const Tensor& stats) override;

  void attention(const Attention& a, Arena& scratch) override;
  void attention_backward(const AttentionBackward& a, Arena& scratch) override;
  void softmax_dropout(const Tensor& x, const DropoutKey& key, const Tensor& dropped) override;
  void softmax_dropout_backward(const Tensor& p, const Tensor& dp, const DropoutKey& key,
                                const Tensor& ds) override;

  void pool_scores(const Tensor& u, const Tensor& x, const Tensor& shift, float scale,
                   const Tensor& out) override;
  void pool_mix(const Tensor& p, const Tensor& x, const Tensor& mixed, const Tensor& mass,
                Arena& scratch) override;
  void pool_outer(const Tensor& ds, const Tensor& u, const Tensor& p, const Tensor& dmixed,
                  const Tensor& scale, const Tensor& base, const Tensor& out) override;
  void norm_factors(const Tensor& ds, const Tensor& p, const Tensor& slope, const Tensor& stats,
                    const Tensor& b, const Tensor& own) override;

  void select(const Tensor& x, const Tensor& index, const Tensor& out) override;
  void select_backward(const Tensor& dout, const Tensor& index, const Tensor& dx) override;
  void huber(const Tensor& prediction, const Tensor& target, float delta,
             const Tensor& out) override;
  void huber_backward(const Tensor& prediction, const Tensor& target, float delta,
                      const Tensor& dloss, const Tensor& dprediction) override;

  void clip(std::span<const AdamWTensors> parameters, double max_norm, const Tensor& clip) override;
  void adamw(std::span<const AdamWTensors> parameters, const Tensor& rates,
             const Tensor& clip) override;
  void row_dot_sqrt(const Tensor& a, const Tensor& b, const Tensor& out) override;

  /// In float64.
  double sum_of_squares(const Tensor& x);

 private:
  /// Room for `count` floats of partial sums; valid until the next call.
  float* partial_sums(std::int64_t count);
  /// From here on a work area has room for `count` floats or more.
  void need_work_areas(std::int64_t count) { work_floats_ = std::max(work_floats_, count); }
  /// The memory of one thread of parallel_for(), 128-byte aligned, made when the thread first asks:
  /// threads that do not work take none.
  float* work_area(int thread);
  /// out(C) = (or +=) the sum over c < chunks of the C floats at partial + c * stride.
  void add_partial_sums(const float* partial, std::int64_t chunks, std::int64_t stride,
                        const Tensor& out, bool accumulate);

  int threads_;
  std::map<float*, std::size_t> committed_;  // bytes of each reservation
  std::vector<float> partial_sums_;
  std::vector<WorkArea> work_areas_;  // by thread
  std::int64_t work_floats_ = 0;      // of each
  std::vector<std::chrono::steady_clock::time_point> marks_;
};

}  // namespace cdt
