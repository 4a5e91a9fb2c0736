// What a tape tells a trace: ops with what they read and make, and their work.
#include "engine/trace.h"

#include <gtest/gtest.h>

#include <memory>

#include "engine/error.h"
#include "engine/ops.h"
#include "tests/support/small_model.h"

namespace cdt {
namespace {

constexpr std::int64_t kRows = 5, kIn = 3, kOut = 7;

struct Traced {
  std::unique_ptr<Backend> backend = make_profiling_backend(test::make_test_backend());
  Arena lasting{*backend, "lasting"};
  Arena step{*backend, "step"};
  Arena scratch{*backend, "scratch"};
  Trace trace{*backend->profiler()};
  Tape tape{*backend, step, scratch};
  Variable weight, bias;
  Tensor x;

  Traced() {
    x = random({kRows, kIn}, 1);
    for (Variable* v : {&weight, &bias}) {
      v->value = v == &weight ? random({kOut, kIn}, 2) : random({kOut}, 3);
      v->grad = random(v->value.shape, 4);
      v->lasting = v->needs_grad = true;
    }
    tape.eval();
    tape.follow(&trace);
  }
  Tensor random(const Shape& shape, std::uint32_t stream) {
    return test::random_tensor(*backend, lasting, shape, stream);
  }
};

TEST(TraceTest, AnOpHasItsInputsItsOutputAndItsWork) {
  Traced t;
  const Var x = t.tape.input(t.x);
  const Var y = linear(t.tape, x, &t.weight, &t.bias);
  const Var z = gelu_dropout(t.tape, y, 0.0F);
  ASSERT_EQ(t.trace.ops().size(), 2U);
  const Trace::Op& op = t.trace.ops()[0];
  EXPECT_EQ(op.name, "linear");
  EXPECT_EQ(op.module, "");
  ASSERT_EQ(op.inputs.size(), 3U);
  EXPECT_EQ(op.inputs[0].tensor.data, t.x.data);
  EXPECT_EQ(op.inputs[0].op, -1);
  EXPECT_EQ(op.inputs[1].tensor.data, t.weight.value.data);
  EXPECT_EQ(op.output.shape, Shape({kRows, kOut}));
  EXPECT_EQ(op.forward.flop, 2.0 * kRows * kIn * kOut);
  EXPECT_EQ(op.backward.bytes, 0.0);
  EXPECT_EQ(t.trace.ops()[1].inputs.at(0).op, 0);
  t.tape.backward(z, t.random({kRows, kOut}, 5));
  EXPECT_EQ(op.backward.flop, 2 * 2.0 * kRows * kIn * kOut);  // dx and dW
  EXPECT_EQ(t.trace.ops()[1].backward.flop, 0.0);
  EXPECT_GT(t.trace.ops()[1].backward.bytes, 0.0);
}

TEST(TraceTest, OpsBelongToTheModuleAroundThem) {
  Traced t;
  const Var x = t.tape.input(t.x);
  {
    const ModuleScope outer(t.tape, "outer");
    {
      const ModuleScope inner(t.tape, "inner");
      linear(t.tape, x, &t.weight, &t.bias);
    }
    linear(t.tape, x, &t.weight, &t.bias);
  }
  linear(t.tape, x, &t.weight, &t.bias);
  ASSERT_EQ(t.trace.ops().size(), 3U);
  EXPECT_EQ(t.trace.ops()[0].module, "inner");
  EXPECT_EQ(t.trace.ops()[1].module, "outer");
  EXPECT_EQ(t.trace.ops()[2].module, "");
}

TEST(TraceTest, AnOpThatAnOpCallsIsPartOfIt) {
  Traced t;
  {
    const OpScope op(t.tape, "outer", {t.tape.input(t.x)});
    linear(t.tape, t.tape.input(t.x), &t.weight, &t.bias);
  }
  ASSERT_EQ(t.trace.ops().size(), 1U);
  EXPECT_EQ(t.trace.ops()[0].name, "outer");
  EXPECT_EQ(t.trace.ops()[0].inputs.size(), 1U);
  EXPECT_EQ(t.trace.ops()[0].forward.flop, 2.0 * kRows * kIn * kOut);
}

// Dropout does nothing in eval mode; the op behind it reads what the op before it made.
TEST(TraceTest, WhatDoesNothingIsLeftOut) {
  Traced t;
  const Var y = linear(t.tape, t.tape.input(t.x), &t.weight, &t.bias);
  const Var same = dropout(t.tape, y, 0.3F, kRows);
  gelu_dropout(t.tape, same, 0.3F);
  ASSERT_EQ(t.trace.ops().size(), 2U);
  EXPECT_EQ(t.trace.ops()[1].name, "gelu_dropout");
  EXPECT_EQ(t.trace.ops()[1].inputs.at(0).op, 0);
}

TEST(TraceTest, EndsWithTheTrace) {
  const auto backend = make_profiling_backend(test::make_test_backend());
  Arena lasting(*backend, "lasting");
  const Tensor x = test::random_tensor(*backend, lasting, {kRows, kIn}, 1);
  {
    const Trace trace(*backend->profiler());
    backend->fill(x, 0.0F);  // of no op
    EXPECT_TRUE(trace.ops().empty());
  }
  backend->fill(x, 0.0F);
  EXPECT_EQ(backend->profiler()->rows().at({ProfilePass::kOutside, "fill"}).calls, 2);
}

}  // namespace
}  // namespace cdt
