// Time and work by op: what is counted, that every replay of a recorded step is timed, and that a
// profile changes no result.
#include "engine/profiler.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "engine/optim/adamw.h"
#include "tests/support/small_model.h"

namespace cdt {
namespace {

constexpr std::int64_t kRows = 5, kIn = 3, kOut = 7;

Tensor no_memory(const Shape& shape, Dtype dtype = Dtype::kFloat32) {
  static float somewhere = 0;
  return {&somewhere, shape, dtype};
}

// --- the work of kernels, computed by hand

TEST(KernelWork, ProductReadsSharedFactorsOnce) {
  Gemm g{.m = 2, .n = 3, .k = 5, .a = no_memory({1}), .b = no_memory({1}), .c = no_memory({1})};
  g.batch = 4;
  g.stride_b = 15;
  g.stride_c = 6;
  EXPECT_EQ(product_work(g).flop, 2.0 * 2 * 3 * 5 * 4);
  EXPECT_EQ(product_work(g).bytes, 4.0 * (10 + 4 * 15 + 4 * 6));
  g.beta = 1.0F;  // reads c, which it adds to
  EXPECT_EQ(product_work(g).bytes, 4.0 * (10 + 4 * 15 + 2 * 4 * 6));
  g.bias = no_memory({1}, Dtype::kBFloat16);
  EXPECT_EQ(product_work(g).bytes, 4.0 * (10 + 4 * 15 + 2 * 4 * 6) + 2.0 * 3);
}

/// 2 samples, 3 heads of 4, 5 queries, 7 keys.
Attention small_attention(bool shared) {
  const Tensor out = no_memory({2, 5, 12});
  const auto view = [&](std::int64_t rows) {
    return HeadsView{out.data, 12, shared ? 0 : rows * 12, Dtype::kFloat32};
  };
  return {.batch = 2,
          .heads = 3,
          .head_dim = 4,
          .queries = 5,
          .keys = 7,
          .q = view(5),
          .k = view(7),
          .v = view(7),
          .out = out,
          .log_sum_exp = no_memory({shared ? 1 : 2, 3, 5}),
          .probabilities = {},
          .dropout = {}};
}

constexpr double kProduct = 2.0 * 3 * 5 * 7 * 4;  // flop of one product with a sample's scores

TEST(KernelWork, AttentionFormsSharedScoresOnce) {
  EXPECT_EQ(attention_work(small_attention(false)).flop, 4 * kProduct);
  EXPECT_EQ(attention_work(small_attention(true)).flop, 3 * kProduct);
  EXPECT_EQ(attention_work(small_attention(false)).bytes,
            4.0 * 2 * (5 + 7 + 7 + 5) * 12 + 4.0 * 2 * 3 * 5);
  EXPECT_EQ(attention_work(small_attention(true)).bytes,
            4.0 * (5 + 7 + 7 + 2 * 5) * 12 + 4.0 * 3 * 5);
}

TEST(KernelWork, AttentionGradientsCountWhatIsWanted) {
  AttentionBackward b;
  b.forward = small_attention(false);
  b.dout = no_memory({2, 5, 12});
  b.dk = b.forward.k;
  b.dv = b.forward.v;
  EXPECT_EQ(attention_backward_work(b).flop, 2 * 4 * kProduct);
  b.dq = b.forward.q;
  EXPECT_EQ(attention_backward_work(b).flop, 2 * 5 * kProduct);
  b.forward = small_attention(true);
  b.dq.batch_stride = b.dk.batch_stride = b.dv.batch_stride = 0;
  EXPECT_EQ(attention_backward_work(b).flop, (3 + 2 * 2) * kProduct);
  // Three cotangents of one sample: its scores once, everything else three times.
  b.forward = small_attention(true);
  b.forward.batch = 1;
  b.cotangents = 3;
  b.dq.batch_stride = b.dk.batch_stride = b.dv.batch_stride = 999;
  EXPECT_EQ(attention_backward_work(b).flop, (1 + 3 * 4) * kProduct);
}

// --- rows

struct Profiled {
  std::unique_ptr<Backend> backend = make_profiling_backend(test::make_test_backend());
  Arena lasting{*backend, "lasting"};
  Arena step{*backend, "step"};
  Arena scratch{*backend, "scratch"};
  Tape tape{*backend, step, scratch};
  Variable weight, bias;
  Tensor x;

  Profiled() {
    x = random({kRows, kIn}, 1);
    for (Variable* v : {&weight, &bias}) {
      v->value = v == &weight ? random({kOut, kIn}, 2) : random({kOut}, 3);
      v->grad = random(v->value.shape, 4);
      v->lasting = v->needs_grad = true;
    }
    backend->profiler()->clear();
  }
  Tensor random(const Shape& shape, std::uint32_t stream) {
    return test::random_tensor(*backend, lasting, shape, stream);
  }
  Profiler::Row row(ProfilePass pass, const char* name) {
    const auto& rows = backend->profiler()->rows();
    const auto at = rows.find({pass, name});
    return at == rows.end() ? Profiler::Row{} : at->second;
  }
};

TEST(ProfilerTest, ForwardAndBackwardOfAnOpApart) {
  Profiled p;
  p.tape.eval();
  const Var y = linear(p.tape, p.tape.input(p.x), &p.weight, &p.bias);
  p.tape.backward(y, p.random({kRows, kOut}, 5));
  const Profiler::Row forward = p.row(ProfilePass::kForward, "linear");
  const Profiler::Row backward = p.row(ProfilePass::kBackward, "linear");
  constexpr double kFlop = 2.0 * kRows * kIn * kOut;
  EXPECT_EQ(forward.calls, 1);
  EXPECT_EQ(forward.work.flop, kFlop);
#ifndef CDT_DEBUG  // its arenas fill memory, with kernels that would be counted
  EXPECT_EQ(forward.work.bytes, 4.0 * (kRows * kIn + kOut * kIn + kOut + kRows * kOut));
#endif
  EXPECT_GT(forward.seconds, 0.0);
  EXPECT_EQ(backward.calls, 1);
  EXPECT_EQ(backward.work.flop, 2 * kFlop);
  // The copy of the cotangent belongs to no op.
  EXPECT_EQ(p.row(ProfilePass::kOutside, "copy").calls, 1);
  p.backend->profiler()->clear();
  EXPECT_EQ(p.row(ProfilePass::kForward, "linear").calls, 0);
}

TEST(ProfilerTest, AnOpWithinAnOpIsPartOfIt) {
  Profiled p;
  p.tape.eval();
  {
    const OpScope op(p.tape, "outer", {});
    const Var y = linear(p.tape, p.tape.input(p.x), &p.weight, &p.bias);
    p.tape.backward(y, p.random({kRows, kOut}, 5));
  }
  EXPECT_EQ(p.row(ProfilePass::kForward, "linear").calls, 0);
  EXPECT_EQ(p.row(ProfilePass::kForward, "outer").calls, 1);
  linear(p.tape, p.tape.input(p.x), &p.weight, &p.bias);
  EXPECT_EQ(p.row(ProfilePass::kForward, "linear").calls, 1);
}

TEST(ProfilerTest, AnOpWithoutKernelsHasNoRow) {
  Profiled p;
  p.tape.eval();
  dropout(p.tape, p.tape.input(p.x.reshaped({1, kRows, kIn})), 0.3F, 1);
  EXPECT_EQ(p.row(ProfilePass::kForward, "dropout").calls, 0);
}

// More spans than fit before their marks are read.
TEST(ProfilerTest, ManySpans) {
  Profiled p;
  constexpr int kMany = 3000;
  for (int i = 0; i < kMany; ++i) p.backend->fill(p.x, 0.0F);
  EXPECT_EQ(p.row(ProfilePass::kOutside, "fill").calls, kMany);
  EXPECT_EQ(p.row(ProfilePass::kOutside, "fill").work.bytes, 4.0 * kRows * kIn * kMany);
}

// A device that records also replays the marks, without calling the work.
TEST(ProfilerTest, EveryReplayOfARecordedStepCounts) {
  Profiled p;
  p.tape.eval();
  double before = 0.0;
  for (int i = 1; i <= 5; ++i) {
    p.backend->run_recorded("step", {p.x}, [&] {
      linear(p.tape, p.tape.constant(p.x), &p.weight, &p.bias);
      p.tape.clear();
    });
    const Profiler::Row row = p.row(ProfilePass::kForward, "linear");
    EXPECT_EQ(row.calls, i);
    EXPECT_EQ(row.work.flop, 2.0 * kRows * kIn * kOut * i);
    EXPECT_GT(row.seconds, before);
    before = row.seconds;
  }
}

TEST(ProfilerTest, WorkThatThrowsLeavesTheProfileUsable) {
  Profiled p;
  const auto fail = [&] {
    p.backend->run_recorded("step", {}, [&] {
      p.backend->fill(p.x, 1.0F);
      throw Error("planted");
    });
  };
  EXPECT_THROW(fail(), Error);
  p.backend->fill(p.x, 0.0F);
  EXPECT_EQ(p.row(ProfilePass::kOutside, "fill").calls, 2);
}

// --- the model

std::set<std::string> names(Backend& backend, ProfilePass pass) {
  std::set<std::string> out;
  for (const auto& [key, row] : backend.profiler()->rows()) {
    if (key.first == pass) out.insert(key.second);
  }
  return out;
}

/// Three training steps from the same weights; returns the last layer's weight after them.
std::vector<float> trained(Backend& backend) {
  const CdtConfig c = test::small_config(Variant::kReleased, 8, 1);
  Arena lasting(backend, "lasting");
  Arena step(backend, "step");
  Arena scratch(backend, "scratch");
  Cdt model(c, backend, lasting, true);
  model.initialise(5);
  Tape tape(backend, step, scratch);
  const auto random = [&](const Shape& shape, std::uint32_t stream) {
    return test::random_tensor(backend, lasting, shape, stream);
  };
  const Tensor dna = random({2, test::kBins, c.dna_dim}, 1);
  const Tensor rna = random({1, c.genes, c.rna_dim}, 2);
  const Tensor protein = random({1, c.genes, c.protein_dim}, 3);
  const Tensor target = random({2}, 4);
  const Tensor index = lasting.tensor({2}, Dtype::kInt32);
  const std::vector<std::int32_t> genes{1, 4};
  backend.upload(index, genes.data());
  AdamW optimiser(model.variables(), backend, lasting, {});
  for (std::uint32_t i = 0; i < 3; ++i) {
    backend.begin_step(i);
    optimiser.begin_step(1e-2);
    backend.run_recorded("train", {dna, target, index}, [&] {
      model.zero_gradients();
      tape.train(1, i);
      const Var out = model.forward({.tape = tape,
                                     .dna = tape.constant(dna),
                                     .rna = tape.constant(rna),
                                     .protein = tape.constant(protein)});
      tape.backward(huber(tape, select(tape, out, index), target, 1.0F));
      tape.clear();
      optimiser.clip_and_update(1.0);
    });
  }
  return to_host(backend, model.head.last.weight->value);
}

TEST(ProfilerTest, TrainingStepByOpWithTheSameBits) {
  const auto backend = make_profiling_backend(test::make_test_backend());
  EXPECT_EQ(trained(*backend), trained(*test::make_test_backend()));
  std::set<std::string> ops{"linear",         "layer_norm",   "dropout",        "add_norm",
                            "gelu_dropout",   "feed_forward", "self_attention", "attention",
                            "attention_pool", "concat",       "select",         "huber"};
  if (backend->activations() != Dtype::kFloat32) ops.insert("to_activations");
  EXPECT_EQ(names(*backend, ProfilePass::kForward), ops);
  EXPECT_EQ(names(*backend, ProfilePass::kBackward), [&] {
    ops.erase("to_activations");  // the inputs need no gradient
    return ops;
  }());
  for (const char* kernel : {"fill", "clip", "adamw"}) {
    EXPECT_EQ(names(*backend, ProfilePass::kOutside).count(kernel), 1U) << kernel;
  }
}

TEST(ProfilerTest, AttributionHasItsPoolingTail) {
  test::SmallModel m(test::small_config(Variant::kReleased, 8, 1),
                     make_profiling_backend(test::make_test_backend()));
  m.attribute({0, 3});
  EXPECT_EQ(names(*m.backend, ProfilePass::kForward).count("feed_forward_pool"), 1U);
  EXPECT_EQ(names(*m.backend, ProfilePass::kBackward).count("feed_forward_pool"), 1U);
  EXPECT_EQ(names(*m.backend, ProfilePass::kForward).count(""), 0U);
}

TEST(ProfilerTest, ThePapersFormHasResiduals) {
  test::SmallModel m(test::small_config(Variant::kPaper, 8, 1),
                     make_profiling_backend(test::make_test_backend()));
  m.predict(0);
  EXPECT_EQ(names(*m.backend, ProfilePass::kForward).count("residual"), 1U);
}

}  // namespace
}  // namespace cdt
