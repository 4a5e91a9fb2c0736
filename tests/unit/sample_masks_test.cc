// Dropout masks belong to samples: a process that has some samples of a batch gets the values and
// gradients that these samples have in one process with all of them.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "engine/error.h"
#include "engine/ops.h"
#include "tests/support/precision.h"
#include "tests/support/relative_error.h"
#include "tests/support/small_model.h"

namespace cdt::test {
namespace {

using Floats = std::vector<float>;

constexpr std::int64_t kBatch = 5;
constexpr float kP = 0.4F;

enum class Kind : std::uint8_t {
  kSamples,  // an activation, samples first
  kPooled,   // likewise, in float32
  kShared,   // an activation that the batch shares
  kWeight,
};

struct Input {
  Kind kind;
  Shape shape;  // of the whole batch

  bool of_samples() const { return kind == Kind::kSamples || kind == Kind::kPooled; }
};

/// The matrix products of an op. A library may round those of fewer rows in another order; on a GPU
/// also those of fewer samples.
enum class Products : std::uint8_t { kNone, kOfASample, kOfRows };

/// An op that draws a mask.
struct MaskedOp {
  std::string name;
  std::vector<Input> inputs;
  std::function<Var(Tape&, const std::vector<Var>&, std::int64_t batch)> run;
  Products products = Products::kOfASample;
};

std::vector<MaskedOp> masked_ops() {
  using Vars = std::vector<Var>;
  constexpr Kind kSamples = Kind::kSamples, kPooled = Kind::kPooled, kWeight = Kind::kWeight;
  const auto attend = [](std::int64_t heads) {
    return [heads](Tape& t, const Vars& v, std::int64_t batch) {
      return attention(t, v[0], v[1], heads, kP, batch);
    };
  };
  const auto attend_to_self = [](std::int64_t heads) {
    return [heads](Tape& t, const Vars& v, std::int64_t batch) {
      return self_attention(t, v[0], heads, kP, batch);
    };
  };
  const auto feed = [](Tape& t, const Vars& v, std::int64_t) {
    return feed_forward(t, v[0], {v[1], v[2], v[3], v[4]}, kP);
  };
  const auto drop = [](Tape& t, const Vars& v, std::int64_t batch) {
    return dropout(t, v[0], kP, batch);
  };
  return {
      {"dropout", {{kSamples, {kBatch, 3, 67}}}, drop, Products::kNone},
      {"dropout of a shared value", {{Kind::kShared, {1, 3, 67}}}, drop, Products::kNone},
      {"gelu_dropout",
       {{kSamples, {kBatch, 70}}},
       [](Tape& t, const Vars& v, std::int64_t) { return gelu_dropout(t, v[0], kP); },
       Products::kNone},
      {"add_norm",
       {{kSamples, {kBatch, 3, 66}}, {kSamples, {kBatch, 3, 66}}, {kWeight, {66}}, {kWeight, {66}}},
       [](Tape& t, const Vars& v, std::int64_t) { return add_norm(t, v[0], v[1], v[2], v[3], kP); },
       Products::kNone},
      {"feed_forward",
       {{kSamples, {kBatch, 7, 6}},
        {kWeight, {70, 6}},
        {kWeight, {70}},
        {kWeight, {6, 70}},
        {kWeight, {6}}},
       feed,
       Products::kOfRows},
      // More rows in the whole batch than a CPU's piece of a feed-forward net, 4096.
      {"feed_forward in pieces",
       {{kSamples, {kBatch, 901, 2}},
        {kWeight, {3, 2}},
        {kWeight, {3}},
        {kWeight, {2, 3}},
        {kWeight, {2}}},
       feed,
       Products::kOfRows},
      {"attention", {{kSamples, {kBatch, 5, 12}}, {kSamples, {kBatch, 70, 24}}}, attend(3)},
      {"attention of shared queries",
       {{Kind::kShared, {1, 5, 12}}, {kSamples, {kBatch, 7, 24}}},
       attend(3)},
      // Tiled where the device has tiles: heads of 32 and 64.
      {"tiled attention", {{kSamples, {kBatch, 5, 64}}, {kSamples, {kBatch, 70, 128}}}, attend(2)},
      {"self_attention", {{kSamples, {kBatch, 9, 36}}}, attend_to_self(2)},
      {"self_attention of a shared value", {{Kind::kShared, {1, 9, 36}}}, attend_to_self(2)},
      {"tiled self_attention of a shared value",
       {{Kind::kShared, {1, 67, 192}}},
       attend_to_self(1)},
      {"attention_pool",
       {{kSamples, {kBatch, 66, 6}}, {kWeight, {1, 1, 6}}, {kWeight, {18, 6}}, {kWeight, {18}}},
       [](Tape& t, const Vars& v, std::int64_t batch) {
         return attention_pool(t, v[0], {v[1], v[2], v[3]}, 3, kP, batch);
       },
       Products::kOfRows},
      {"gene_head",
       {{kPooled, {kBatch, 6}},
        {kSamples, {kBatch, 7, 6}},
        {kSamples, {kBatch, 7, 6}},
        {kWeight, {6, 18}},
        {kWeight, {6}},
        {kWeight, {1, 6}},
        {kWeight, {1}}},
       [](Tape& t, const Vars& v, std::int64_t) {
         return gene_head(t, v[0], v[1], v[2], {v[3], v[4], v[5], v[6]}, kP);
       },
       Products::kOfRows},
  };
}

/// The rows of samples [begin, end) of `batch`.
Floats rows_of(const Floats& all, std::int64_t batch, std::int64_t begin, std::int64_t end) {
  const std::int64_t each = std::ssize(all) / batch;
  return {all.begin() + begin * each, all.begin() + end * each};
}

struct Pass {
  Floats value;
  std::vector<Floats> gradients;  // of the inputs
};

/// Runs an op on samples [begin, end), numbered from `first` on.
class OpRun {
 public:
  OpRun(const MaskedOp& op, std::int64_t begin, std::int64_t end, std::int64_t first)
      : op_(op), begin_(begin), end_(end) {
    tape_.train(11, 2, first);
    std::vector<Var> vars;
    for (const Input& input : op.inputs) vars.push_back(variable(input));
    out_ = op.run(tape_, vars, end - begin);
  }

  /// The value, and the gradients of one loss.
  Pass pass() {
    Pass out{to_host(*backend_, out_->value), {}};
    tape_.backward(out_, cotangent(90));
    for (const Variable& v : variables_) out.gradients.push_back(to_host(*backend_, v.grad));
    return out;
  }

  /// The gradients of two losses at once, as two passes.
  std::vector<Pass> two_losses() {
    const Shape& shape = out_->value.shape;
    const Tensor both = lasting_.tensor(with_first(shape, 2 * shape[0]), out_->value.dtype);
    for (const std::int64_t i : {0, 1}) {
      backend_->copy(both.slice(i * shape[0], (i + 1) * shape[0]),
                     cotangent(90 + static_cast<std::uint32_t>(i)));
    }
    tape_.backward({{out_, both}}, 2, false);
    std::vector<Pass> out(2);
    for (const Variable& v : variables_) {
      const Floats all = to_host(*backend_, v.grad);
      for (const std::int64_t i : {0, 1}) {
        out[static_cast<std::size_t>(i)].gradients.push_back(rows_of(all, 2, i, i + 1));
      }
    }
    return out;
  }

 private:
  Tensor put(const Shape& whole, std::uint32_t stream, bool of_samples, bool activation) {
    Floats values = draws(whole, stream);
    Shape shape = whole;
    if (of_samples) {
      values = rows_of(values, kBatch, begin_, end_);
      shape = with_first(whole, end_ - begin_);
    }
    const Tensor t = lasting_.tensor(shape);
    backend_->upload(t, values.data());
    return activation ? as_activation(*backend_, lasting_, t) : t;
  }

  Var variable(const Input& input) {
    const bool activation = input.kind == Kind::kSamples || input.kind == Kind::kShared;
    Variable v;
    v.value = put(input.shape, static_cast<std::uint32_t>(variables_.size()), input.of_samples(),
                  activation);
    v.needs_grad = true;
    v.keep = input.kind != Kind::kWeight;
    v.lasting = input.kind == Kind::kWeight;
    if (v.lasting) {
      v.grad = lasting_.tensor(v.value.shape);
      backend_->fill(v.grad, 0.0F);
      if (backend_->activations() != v.value.dtype) {
        v.rounded = as_activation(*backend_, lasting_, v.value);
      }
    }
    variables_.push_back(v);
    return &variables_.back();
  }

  Tensor cotangent(std::uint32_t stream) {
    const Tensor& y = out_->value;
    return put(with_first(y.shape, kBatch), stream, true, y.dtype == backend_->activations());
  }

  const MaskedOp& op_;
  std::int64_t begin_, end_;
  std::unique_ptr<Backend> backend_ = make_test_backend();
  Arena lasting_{*backend_, "lasting"}, step_{*backend_, "step"}, scratch_{*backend_, "scratch"};
  Tape tape_{*backend_, step_, scratch_};
  std::deque<Variable> variables_;
  Var out_ = nullptr;
};

bool on_cpu() { return std::getenv("CDT_TEST_DEVICE") == nullptr; }

/// Equal bits, or, if products may round in another order, agreement.
void expect_equal(const Floats& got, const Floats& want, Products products,
                  const std::string& what) {
  if (products == Products::kNone || (products == Products::kOfASample && on_cpu())) {
    EXPECT_EQ(got, want) << what;
  } else {
    EXPECT_LE(relative_error(got, want), tolerance(1e-5, kOpGradient)) << what;
  }
}

TEST(SampleMasks, AreTheSameInAPartOfTheBatch) {
  for (const MaskedOp& op : masked_ops()) {
    const Pass whole = OpRun(op, 0, kBatch, 0).pass();
    for (const auto& [begin, end] : {std::pair<std::int64_t, std::int64_t>{0, 2}, {2, 5}, {3, 4}}) {
      const std::string what = op.name + ", samples from " + std::to_string(begin);
      const Pass part = OpRun(op, begin, end, begin).pass();
      const Floats want = rows_of(whole.value, kBatch, begin, end);
      expect_equal(part.value, want, op.products, what);
      for (std::size_t i = 0; i < op.inputs.size(); ++i) {
        if (!op.inputs[i].of_samples()) continue;
        expect_equal(part.gradients[i], rows_of(whole.gradients[i], kBatch, begin, end),
                     op.products, what + ", gradient " + std::to_string(i));
      }
      if (begin == 0) continue;  // with the masks of other samples, values are far away
      EXPECT_GT(relative_error(OpRun(op, begin, end, 0).pass().value, want), 0.1) << what;
    }
  }
}

TEST(SampleMasks, GradientsOfWhatTheBatchSharesAddUp) {
  for (const MaskedOp& op : masked_ops()) {
    const Pass whole = OpRun(op, 0, kBatch, 0).pass();
    const Pass first = OpRun(op, 0, 2, 0).pass(), second = OpRun(op, 2, kBatch, 2).pass();
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
      if (op.inputs[i].of_samples()) continue;
      Floats sum = first.gradients[i];
      for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += second.gradients[i][k];
      EXPECT_LE(relative_error(sum, whole.gradients[i]), tolerance(1e-5, kOpGradient))
          << op.name << ", gradient " << i;
    }
  }
}

TEST(SampleMasks, AreTheSameForEachOfSeveralLosses) {
  for (const MaskedOp& op : masked_ops()) {
    const Pass whole = OpRun(op, 0, kBatch, 0).pass();
    const std::vector<Pass> both = OpRun(op, 2, kBatch, 2).two_losses();
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
      if (!op.inputs[i].of_samples()) continue;
      expect_equal(both[0].gradients[i], rows_of(whole.gradients[i], kBatch, 2, kBatch),
                   op.products, op.name);
      EXPECT_GT(relative_error(both[1].gradients[i], both[0].gradients[i]), 0.1) << op.name;
    }
  }
}

TEST(SampleMasks, AMaskOfTheBatchHasNoOffset) {
  const auto backend = make_test_backend();
  Arena step(*backend, "step"), scratch(*backend, "scratch");
  Tape tape(*backend, step, scratch);
  tape.train(11, 2, 3);
  EXPECT_EQ(tape.next_dropout(kP, {2, 7, 5}).first_row, 3U * 7U);
  EXPECT_EQ(tape.next_dropout(kP, {1, 2, 4, 6}).first_row, 3U * 2U * 4U);
  EXPECT_EQ(tape.next_dropout(kP, {1, 7, 5}, MaskPer::kBatch).first_row, 0U);
  EXPECT_EQ(tape.next_dropout(0.0F, {2, 7, 5}).first_row, 0U);
  EXPECT_EQ(tape.next_dropout(kP, {2, 5}).site, 4U);
  const Var x = tape.constant(step.tensor({1, 7, 5}));
  EXPECT_THROW(dropout(tape, x, kP, 2, MaskPer::kBatch), Error);
}

// 2^32 rows have a number; one more has none.
TEST(SampleMasks, RowsThatHaveNoNumberAreRefused) {
  const auto backend = make_test_backend();
  Arena step(*backend, "step"), scratch(*backend, "scratch");
  Tape tape(*backend, step, scratch);
  constexpr std::int64_t kRows = std::int64_t{1} << 16;
  tape.train(1, 1, kRows - 2);
  EXPECT_EQ(tape.next_dropout(kP, {2, kRows, 3}).first_row, 0xFFFE0000U);
  EXPECT_THROW(tape.next_dropout(kP, {3, kRows, 3}), Error);
  EXPECT_THROW(tape.next_dropout(kP, {2, kRows + 1, 3}), Error);
  EXPECT_NO_THROW(tape.next_dropout(kP, {3, kRows, 3}, MaskPer::kBatch));
  EXPECT_NO_THROW(tape.next_dropout(0.0F, {3, kRows, 3}));
  tape.train(1, 1, std::int64_t{1} << 62);
  EXPECT_THROW(tape.next_dropout(kP, {1, 1, 3}), Error);
  EXPECT_THROW(tape.train(1, 1, -1), Error);
}

}  // namespace
}  // namespace cdt::test
