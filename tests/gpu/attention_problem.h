// An attention problem of one shape in bfloat16: operands, gradients, and results.
#pragma once

#include <cmath>
#include <deque>
#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "engine/backend.h"
#include "tests/gpu/cuda_timing.h"

namespace cdt::measure {

struct AttentionSizes {
  std::int64_t batch = 8, heads = 8, head_dim = 96, queries = 0, keys = 0;
};

/// --batch, --heads, --head-dim; --queries and --keys select one shape instead of the model's
/// three.
void add_size_options(Cli* cli, AttentionSizes* sizes);

/// A tensor by name, in float32.
struct NamedValues {
  const char* name;
  std::vector<float> values;
};

class AttentionProblem {
 public:
  explicit AttentionProblem(const AttentionSizes& sizes) : s_(sizes) {}

  const AttentionSizes& sizes() const { return s_; }
  /// Multiply-adds of one product of all scores.
  double products() const {
    return static_cast<double>(s_.batch * s_.queries * s_.keys * s_.heads * s_.head_dim);
  }
  /// Runs both passes; shared: one q, k and v for the batch.
  AttentionBackward call(float dropout, bool shared) const;
  /// Fills everything that an attention writes with NaN.
  void spoil_results() const;
  /// out, log_sum_exp, dq, dk and dv; if q, k and v are shared, for one sample except out.
  std::vector<NamedValues> results(bool shared) const;

 private:
  // Of unit variance, and so are the scores. Each has its own random numbers: if queries equalled
  // keys, each would attend to its own key alone, and its gradient would be a difference lost in
  // rounding.
  static DeviceArray operand(std::int64_t count, std::size_t number) {
    constexpr std::size_t kApart = 1'000'003;
    return {count, Element::kBFloat16, std::sqrt(12.0F), number * kApart};
  }
  std::int64_t rows(std::int64_t tokens) const {
    return s_.batch * tokens * s_.heads * s_.head_dim;
  }

  AttentionSizes s_;
  DeviceArray q_ = operand(rows(s_.queries), 0), k_ = operand(rows(s_.keys), 1);
  DeviceArray v_ = operand(rows(s_.keys), 2), dout_ = operand(rows(s_.queries), 3);
  DeviceArray out_ = operand(rows(s_.queries), 0), dq_ = operand(rows(s_.queries), 0);
  DeviceArray dk_ = operand(rows(s_.keys), 0), dv_ = operand(rows(s_.keys), 0);
  DeviceArray sums_{s_.batch * s_.heads * s_.queries, Element::kFloat32};
};

/// The requested shape, or the model's. InputError if only half a shape was given, or for heads
/// without a tiled kernel.
std::deque<AttentionProblem> make_problems(const AttentionSizes& sizes);

}  // namespace cdt::measure
