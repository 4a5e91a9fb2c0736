// Speed of the CPU kernels at paper scale: B 8, D 768, H 8, K 96, L 896, G 2360, F 3072. GFLOP/s
// counts the matrix products that an exact engine cannot avoid: per head, attention 4 Nq Nk K
// forward and 10 backward (8 without dq).
#include <benchmark/benchmark.h>

#include <vector>

#include "engine/cpu/cpu_backend.h"

namespace cdt {
namespace {

constexpr std::int64_t kHeads = 8;
constexpr std::int64_t kHeadDim = 96;
constexpr std::int64_t kHidden = kHeads * kHeadDim;

struct Machine {
  CpuBackend backend{0};
  Arena arena{backend, "bench"};
  Arena scratch{backend, "scratch"};

  Tensor random(const Shape& shape) {
    const Tensor t = arena.tensor(shape);
    RandomStream stream(1, 1);
    for (std::int64_t i = 0; i < t.count(); ++i) {
      t.data[i] = static_cast<float>(2.0 * stream.uniform() - 1.0);
    }
    return t;
  }
};

void report(benchmark::State& state, double flop) {
  state.counters["GFLOP/s"] = benchmark::Counter(
      flop * 1e-9 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

/// Arguments m, n, k, transposes: 0 forward (A B^T + bias), 1 input gradient (A B), 2 weight
/// gradient (A^T B, added).
void BM_Gemm(benchmark::State& state) {
  Machine on;
  Gemm g;
  g.m = state.range(0);
  g.n = state.range(1);
  g.k = state.range(2);
  const std::int64_t kind = state.range(3);
  g.trans_a = kind == 2;
  g.trans_b = kind == 0;
  g.a = on.random({g.m, g.k}).data;
  g.lda = g.trans_a ? g.m : g.k;
  g.b = on.random({g.k, g.n}).data;
  g.ldb = g.trans_b ? g.k : g.n;
  g.c = on.random({g.m, g.n}).data;
  g.ldc = g.n;
  g.beta = kind == 2 ? 1.0F : 0.0F;
  if (kind == 0) g.bias = on.random({g.n}).data;
  while (state.KeepRunning()) on.backend.gemm(g);
  report(state, 2.0 * static_cast<double>(g.m * g.n * g.k));
}
BENCHMARK(BM_Gemm)
    ->Args({18880, 768, 768, 0})
    ->Args({18880, 768, 768, 1})
    ->Args({768, 768, 18880, 2})
    ->Args({18880, 3072, 768, 0})
    ->Args({18880, 768, 3072, 1})
    ->Args({3072, 768, 18880, 2})
    ->Args({896, 768, 768, 0})
    ->Args({768, 768, 896, 2})
    ->Args({8, 2304, 1536, 0})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

/// Arguments B, Nq, Nk, shared q k v, dropout in percent.
struct AttentionCase {
  Machine on;
  AttentionBackward b;

  explicit AttentionCase(const benchmark::State& state) {
    Attention& a = b.forward;
    a.batch = state.range(0);
    a.heads = kHeads;
    a.head_dim = kHeadDim;
    a.queries = state.range(1);
    a.keys = state.range(2);
    const bool shared = state.range(3) != 0;
    a.dropout = {1, 2, 3, static_cast<float>(state.range(4)) / 100.0F};
    a.q = operand(a.queries, 1, 0, shared);
    a.k = operand(a.keys, 2, 0, shared);
    a.v = {a.k.data + kHidden, a.k.row_stride, a.k.batch_stride};
    a.out = on.arena.tensor({a.batch, a.queries, kHidden});
    a.log_sum_exp = on.arena.tensor({shared ? 1 : a.batch, a.heads, a.queries});
    b.dout = on.random({a.batch, a.queries, kHidden});
    b.dq = operand(a.queries, 1, 0, shared);
    b.dk = operand(a.keys, 2, 0, shared);
    b.dv = {b.dk.data + kHidden, b.dk.row_stride, b.dk.batch_stride};
  }

  HeadsView operand(std::int64_t rows, std::int64_t parts, std::int64_t part, bool shared) {
    const std::int64_t stride = parts * kHidden;
    const Tensor t = on.random({shared ? 1 : b.forward.batch, rows, stride});
    return {t.data + part * kHidden, stride, shared ? 0 : rows * stride};
  }
  double product_flop() const {
    const Attention& a = b.forward;
    return 2.0 * static_cast<double>(a.heads * a.queries * a.keys * a.head_dim);
  }
  double samples_scored() const {
    return b.forward.q.batch_stride == 0 ? 1.0 : static_cast<double>(b.forward.batch);
  }
};

void BM_Attention(benchmark::State& state) {
  AttentionCase c(state);
  while (state.KeepRunning()) c.on.backend.attention(c.b.forward, c.on.scratch);
  report(state, c.product_flop() * (c.samples_scored() + static_cast<double>(c.b.forward.batch)));
}

void BM_AttentionBackward(benchmark::State& state) {
  AttentionCase c(state);
  c.on.backend.attention(c.b.forward, c.on.scratch);
  if (state.range(5) == 0) c.b.dq.data = nullptr;
  while (state.KeepRunning()) c.on.backend.attention_backward(c.b, c.on.scratch);
  const double scored = state.range(5) == 0 ? 2.0 : 3.0;
  report(state, c.product_flop() *
                    (scored * c.samples_scored() + 2.0 * static_cast<double>(c.b.forward.batch)));
}

BENCHMARK(BM_Attention)
    ->Args({8, 2360, 2360, 0, 30})
    ->Args({8, 2360, 2360, 1, 30})
    ->Args({8, 2360, 896, 0, 30})
    ->Args({1, 896, 896, 0, 0})
    ->Args({1, 2360, 2360, 0, 0})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(BM_AttentionBackward)
    ->Args({8, 2360, 2360, 0, 30, 1})
    ->Args({8, 2360, 2360, 1, 30, 1})
    ->Args({8, 2360, 896, 0, 30, 1})
    ->Args({1, 896, 896, 0, 0, 1})
    ->Args({1, 2360, 2360, 0, 0, 0})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

enum class Pass { kGelu, kGeluBackward, kDropout, kLayerNorm, kLayerNormBackward, kResidual };

/// One pass over (18880, C); reports elements per second.
void BM_ElementWise(benchmark::State& state, Pass pass, std::int64_t cols) {
  Machine on;
  const Tensor x = on.random({18880, cols});
  const Tensor y = on.random({18880, cols});
  const Tensor gamma = on.random({cols});
  const Tensor beta = on.random({cols});
  const Tensor stats = on.random({18880, 2});
  const DropoutKey key{1, 2, 3, 0.3F};
  while (state.KeepRunning()) {
    switch (pass) {
      case Pass::kGelu:
        on.backend.gelu_dropout(x, key, 0, y);
        break;
      case Pass::kGeluBackward:
        on.backend.gelu_dropout_backward(x, y, key, 0, y, {}, {});
        break;
      case Pass::kDropout:
        on.backend.dropout(x, key, y);
        break;
      case Pass::kLayerNorm:
        on.backend.layer_norm(x, gamma, beta, y, stats);
        break;
      case Pass::kLayerNormBackward:
        on.backend.layer_norm_backward(x, gamma, stats, y, y, gamma, beta);
        break;
      case Pass::kResidual:
        on.backend.residual_dropout(x, key, y);
        break;
    }
  }
  state.SetItemsProcessed(state.iterations() * x.count());
}
BENCHMARK_CAPTURE(BM_ElementWise, gelu, Pass::kGelu, 3072)->UseRealTime();
BENCHMARK_CAPTURE(BM_ElementWise, gelu_backward, Pass::kGeluBackward, 3072)->UseRealTime();
BENCHMARK_CAPTURE(BM_ElementWise, dropout, Pass::kDropout, 768)->UseRealTime();
BENCHMARK_CAPTURE(BM_ElementWise, residual, Pass::kResidual, 768)->UseRealTime();
BENCHMARK_CAPTURE(BM_ElementWise, layer_norm, Pass::kLayerNorm, 768)->UseRealTime();
BENCHMARK_CAPTURE(BM_ElementWise, layer_norm_backward, Pass::kLayerNormBackward, 768)
    ->UseRealTime();

void BM_AdamW(benchmark::State& state) {
  Machine on;
  const Shape shape{60093752};
  const Tensor w = on.random(shape);
  const Tensor g = on.random(shape);
  const Tensor m = on.arena.tensor(shape);
  const Tensor v = on.arena.tensor(shape);
  on.backend.fill(m, 0.0F);
  on.backend.fill(v, 0.0F);
  const AdamWTensors tensors{w, g, m, v, {}};
  const AdamWRates rates = adamw_rates({1e-4, 0.9, 0.999, 1e-8, 1e-5, 0.1, 0.001});
  const Tensor rates_there = on.arena.tensor({8});
  const Tensor clip = on.arena.tensor({2});
  on.backend.upload(rates_there, &rates);
  while (state.KeepRunning()) {
    on.backend.clip({&tensors, 1}, 1.0, clip);
    on.backend.adamw({&tensors, 1}, rates_there, clip);
  }
}
BENCHMARK(BM_AdamW)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cdt

BENCHMARK_MAIN();
