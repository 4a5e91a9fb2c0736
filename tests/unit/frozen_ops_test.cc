// Ops with inputs that need no gradient: the gradients of the others have the same bits as if all
// needed one, for every choice of inputs.
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "engine/ops.h"
#include "tests/support/small_model.h"

namespace cdt {
namespace {

constexpr std::int64_t kBatch = 2, kRows = 5, kWidth = 12, kInner = 17, kHeads = 3;
constexpr float kP = 0.3F;

struct Case {
  const char* name;
  std::vector<Shape> activations, parameters;
  std::function<Var(Tape&, const std::vector<Var>&)> op;  // of activations, then parameters
};

const Shape kTokens{kBatch, kRows, kWidth};

Case linear_case() {
  return {
      "linear", {kTokens}, {{kInner, kWidth}, {kInner}}, [](Tape& t, const std::vector<Var>& v) {
        return linear(t, v[0], v[1], v[2]);
      }};
}

Case layer_norm_case() {
  return {"layer_norm", {kTokens}, {{kWidth}, {kWidth}}, [](Tape& t, const std::vector<Var>& v) {
            return layer_norm(t, v[0], v[1], v[2]);
          }};
}

Case attention_case() {
  return {"attention",
          {kTokens, {kBatch, kRows + 2, 2 * kWidth}},
          {},
          [](Tape& t, const std::vector<Var>& v) {
            return attention(t, v[0], v[1], kHeads, kP, kBatch);
          }};
}

// With heads for which a GPU has tiled kernels.
Case wide_attention_case() {
  return {
      "attention_of_wide_heads",
      {{kBatch, kRows, 64}, {kBatch, kRows + 2, 128}},
      {},
      [](Tape& t, const std::vector<Var>& v) { return attention(t, v[0], v[1], 2, kP, kBatch); }};
}

Case shared_queries_case() {
  return {"attention_of_shared_queries",
          {{1, kRows, kWidth}, {kBatch, kRows + 2, 2 * kWidth}},
          {},
          [](Tape& t, const std::vector<Var>& v) {
            return attention(t, v[0], v[1], kHeads, kP, kBatch);
          }};
}

Case pool_case() {
  return {"attention_pool",
          {kTokens},
          {{1, 1, kWidth}, {3 * kWidth, kWidth}, {3 * kWidth}},
          [](Tape& t, const std::vector<Var>& v) {
            return attention_pool(t, v[0], {v[1], v[2], v[3]}, kHeads, kP, kBatch);
          }};
}

Case plain_pool_case() {
  return {
      "plain_attention_pool", {kTokens}, {{1, 1, kWidth}}, [](Tape& t, const std::vector<Var>& v) {
        return attention_pool(t, v[0], {v[1], nullptr, nullptr}, 1, 0.0F, kBatch);
      }};
}

// Followed by a layer norm, which may compute the sums for the last bias.
Case feed_forward_case() {
  return {"feed_forward",
          {kTokens},
          {{kInner, kWidth}, {kInner}, {kWidth, kInner}, {kWidth}, {kWidth}, {kWidth}},
          [](Tape& t, const std::vector<Var>& v) {
            const Var f = feed_forward(t, v[0], {v[1], v[2], v[3], v[4]}, kP);
            return add_norm(t, v[0], f, v[5], v[6], kP);
          }};
}

Case add_norm_case() {
  return {"add_norm",
          {{1, kRows, kWidth}, kTokens},
          {{kWidth, kWidth}, {kWidth}, {kWidth}, {kWidth}},
          [](Tape& t, const std::vector<Var>& v) {
            return add_norm(t, v[0], linear(t, v[1], v[2], v[3]), v[4], v[5], kP);
          }};
}

// The cell's vector goes through a linear op, whose output is float32 like the pooled vectors.
Case gene_head_case() {
  return {"gene_head",
          {kTokens, kTokens},
          {{kBatch, kWidth}, {kWidth, 3 * kWidth}, {kWidth}, {1, kWidth}, {1}},
          [](Tape& t, const std::vector<Var>& v) {
            return gene_head(t, v[2], v[0], v[1], {v[3], v[4], v[5], v[6]}, kP);
          }};
}

/// An op on inputs of which any may need a gradient.
class Graph {
 public:
  explicit Graph(const Case& c) : case_(c) {
    for (const Shape& shape : c.activations) {
      values_.push_back(test::as_activation(*backend_, lasting_, random(shape)));
    }
    for (const Shape& shape : c.parameters) {
      Variable& v = parameters_.emplace_back();
      v.value = random(shape);
      v.lasting = true;
      if (backend_->activations() != Dtype::kFloat32) {
        v.rounded = test::as_activation(*backend_, lasting_, v.value);
      }
      gradients_.push_back(lasting_.tensor(shape));
    }
  }

  std::size_t inputs() const { return values_.size() + parameters_.size(); }

  /// The gradients of the inputs in the bit set `wanted`; the others are empty.
  std::vector<std::vector<float>> gradients(unsigned wanted) {
    tape_.clear();
    tape_.train(7, 1);
    std::vector<Var> inputs;
    const auto wants = [&] { return (wanted >> inputs.size() & 1U) != 0; };
    for (const Tensor& value : values_) {
      inputs.push_back(wants() ? tape_.input(value) : tape_.constant(value));
    }
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      Variable& v = parameters_[i];
      v.needs_grad = wants();
      v.grad = v.needs_grad ? gradients_[i] : Tensor{};
      backend_->fill(gradients_[i], 0.0F);
      inputs.push_back(&v);
    }
    const Var y = case_.op(tape_, inputs);
    const Tensor dy = test::as_activation(*backend_, lasting_, random(y->value.shape));
    tape_.backward(y, y->value.dtype == dy.dtype ? dy : random(y->value.shape));
    std::vector<std::vector<float>> out;
    for (const Var v : inputs) {
      out.push_back(v->grad.empty() ? std::vector<float>{} : to_host(*backend_, v->grad));
    }
    return out;
  }

 private:
  Tensor random(const Shape& shape) {
    return test::random_tensor(*backend_, lasting_, shape,
                               static_cast<std::uint32_t>(shape.rank()));
  }

  const Case& case_;
  std::unique_ptr<Backend> backend_ = test::make_test_backend();
  Arena lasting_{*backend_, "lasting"};
  Arena step_{*backend_, "step"};
  Arena scratch_{*backend_, "scratch"};
  Tape tape_{*backend_, step_, scratch_};
  std::vector<Tensor> values_, gradients_;
  std::deque<Variable> parameters_;
};

class FrozenOps : public ::testing::TestWithParam<Case> {};

TEST_P(FrozenOps, GradientsOfTheOthersAreTheSameBits) {
  Graph graph(GetParam());
  const unsigned all = (1U << graph.inputs()) - 1;
  const auto want = graph.gradients(all);
  for (unsigned wanted = 1; wanted <= all; ++wanted) {
    const auto got = graph.gradients(wanted);
    for (std::size_t i = 0; i < graph.inputs(); ++i) {
      if ((wanted >> i & 1U) == 0) {
        EXPECT_TRUE(got[i].empty());
      } else {
        EXPECT_EQ(got[i], want[i]) << "input " << i << " of those in " << wanted;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, FrozenOps,
                         ::testing::Values(linear_case(), layer_norm_case(), attention_case(),
                                           wide_attention_case(), shared_queries_case(),
                                           pool_case(), plain_pool_case(), feed_forward_case(),
                                           add_norm_case(), gene_head_case()),
                         [](const auto& c) { return c.param.name; });

}  // namespace
}  // namespace cdt
