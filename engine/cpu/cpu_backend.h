// The CPU backend. Each kernel is in the file of its name or family. All kernels cut their work
// into tiles that depend on shapes only.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <vector>

#include "engine/backend.h"

namespace cdt {

/// Computes one sequential product with oneDNN, for use inside parallel_for():
/// C = alpha * op(A) op(B) + beta * C, row-major, op(A) (m, k), op(B) (k, n).
void sgemm(bool trans_a, bool trans_b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
           const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c,
           std::int64_t ldc);

/// One thread's workspace for kernels.
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
  DeviceFacts facts() const override { return cpu_facts(threads_); }
  bool asynchronous() const override { return false; }
  std::size_t free_bytes() const override { return 0; }
  std::size_t used_bytes() const override { return 0; }
  std::size_t work_bytes() const override;
  void run_recorded(const std::string& name, const std::vector<Tensor>& operands,
                    const std::function<void()>& work) override;

#define CALL(type, name, parameters, arguments) type name parameters override;
#define KERNEL(name, parameters, arguments, work) void name parameters override;
#include "engine/backend_functions.inc"

  /// Sum of squares in float64.
  double sum_of_squares(const Tensor& x);

 private:
  /// Returns memory for `count` floats of partial sums, valid until the next call.
  float* partial_sums(std::int64_t count);
  /// Ensures that work areas handed out from now on hold at least `count` floats.
  void need_work_areas(std::int64_t count) { work_floats_ = std::max(work_floats_, count); }
  /// Returns the workspace of one thread of parallel_for(), 128-byte aligned, allocated when the
  /// thread first asks, so that idle threads take none.
  float* work_area(int thread);
  /// out(C) = (or +=) the sum over c < chunks of the C floats at partial + c * stride.
  void add_partial_sums(const float* partial, std::int64_t chunks, std::int64_t stride,
                        const Tensor& out, bool accumulate);

  int threads_;
  std::map<float*, std::size_t> committed_;  // committed bytes of each reservation
  std::vector<float> partial_sums_;
  std::vector<WorkArea> work_areas_;  // one per thread
  std::int64_t work_floats_ = 0;      // size of each
  std::vector<std::chrono::steady_clock::time_point> marks_;
};

}  // namespace cdt
