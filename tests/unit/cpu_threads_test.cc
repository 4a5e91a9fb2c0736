// Every kernel gives the same bits with 1 to 256 threads, and under another OpenMP thread count in
// the calling program; and its use of arenas does not depend on threads.
#include <gtest/gtest.h>
#include <omp.h>

#include <cstring>
#include <functional>
#include <map>

#include "tests/support/cpu_kernels.h"

namespace cdt {
namespace {

using test::CpuKernels;

using Outputs = std::vector<Tensor>;
using Kernel = std::function<Outputs(CpuKernels&)>;

const DropoutKey kDrop{5, 6, 7, 0.3F};

Kernel gemm_of(std::int64_t m, std::int64_t n, std::int64_t k, bool trans_a, bool trans_b,
               std::int64_t batch = 1) {
  return [=](CpuKernels& on) {
    const Tensor a = on.random({batch, m * k}, 1);
    const Tensor b = on.random({batch, k * n}, 2);
    const Tensor bias = on.random({n}, 3);
    const Tensor c = on.random({batch, m * n}, 4);
    Gemm g;
    g.trans_a = trans_a;
    g.trans_b = trans_b;
    g.m = m;
    g.n = n;
    g.k = k;
    g.a = a.data;
    g.lda = trans_a ? m : k;
    g.b = b.data;
    g.ldb = trans_b ? k : n;
    g.beta = 1.0F;
    g.c = c.data;
    g.ldc = n;
    g.bias = bias.data;
    g.batch = batch;
    g.stride_a = m * k;
    g.stride_b = k * n;
    g.stride_c = m * n;
    on.backend.gemm(g);
    return Outputs{c};
  };
}

Kernel attention_of(std::int64_t batch, std::int64_t heads, std::int64_t n, bool share_q,
                    bool share_kv) {
  return [=](CpuKernels& on) {
    constexpr std::int64_t kHeadDim = 24;
    const std::int64_t width = heads * kHeadDim;
    const Tensor q = on.random({batch, n, width}, 1);
    const Tensor k = on.random({batch, n, width}, 2);
    const Tensor v = on.random({batch, n, width}, 3);
    const auto view = [&](const Tensor& t, bool share) {
      return HeadsView{t.data, width, share ? 0 : n * width};
    };
    AttentionBackward b;
    Attention& a = b.forward;
    a.batch = batch;
    a.heads = heads;
    a.head_dim = kHeadDim;
    a.queries = a.keys = n;
    a.q = view(q, share_q);
    a.k = view(k, share_kv);
    a.v = view(v, share_kv);
    a.out = on.filled({batch, n, width}, 0.0F);
    a.log_sum_exp = on.filled({batch, heads, n}, 0.0F);
    a.probabilities = on.filled({batch, heads, n, n}, 0.0F);
    a.dropout = kDrop;
    on.backend.attention(a, on.scratch);
    b.dout = on.random({batch, n, width}, 4);
    const Tensor dq = on.filled({batch, n, width}, 0.0F);
    const Tensor dk = on.filled({batch, n, width}, 0.0F);
    const Tensor dv = on.filled({batch, n, width}, 0.0F);
    b.dq = view(dq, share_q);
    b.dk = view(dk, share_kv);
    b.dv = view(dv, share_kv);
    on.backend.attention_backward(b, on.scratch);
    return Outputs{a.out, a.log_sum_exp, a.probabilities, dq, dk, dv};
  };
}

Outputs element_wise(CpuKernels& on) {
  const Tensor x = on.random({1, 333, 101}, 1);
  const Tensor y = on.random({2, 333, 101}, 2);
  const Tensor sum = on.random({2, 333, 101}, 3);
  const Tensor dropped = on.filled({2, 333, 101}, 0.0F);
  const Tensor back = on.filled({1, 333, 101}, 0.0F);
  const Tensor activated = on.filled({2, 333, 101}, 0.0F);
  const Tensor slope = on.filled({2, 333, 101}, 0.0F);
  on.backend.add_to(sum, y);
  on.backend.dropout(x, kDrop, dropped);
  on.backend.dropout_backward(y, kDrop, back, false);
  on.backend.gelu_dropout(y, kDrop, 3, activated);
  const Tensor again = on.filled({2, 333, 101}, 0.0F);
  const Tensor sums = on.filled({101}, 0.0F);
  on.backend.gelu_dropout_backward(y, sum, kDrop, 3, slope, again, sums);
  on.backend.residual_dropout(x, kDrop, y);
  return {sum, dropped, back, activated, slope, again, sums, y};
}

Outputs norms(CpuKernels& on) {
  const Tensor x = on.random({1500, 77}, 1);
  const Tensor gamma = on.random({77}, 2);
  const Tensor beta = on.random({77}, 3);
  const Tensor y = on.filled({1500, 77}, 0.0F);
  const Tensor stats = on.filled({1500, 2}, 0.0F);
  const Tensor dgamma = on.filled({77}, 0.0F);
  const Tensor dbeta = on.filled({77}, 0.0F);
  const Tensor dx = on.random({1500, 77}, 4);
  const Tensor columns = on.filled({77}, 0.0F);
  on.backend.layer_norm(x, gamma, beta, y, stats);
  on.backend.layer_norm_backward(x, gamma, stats, dx, dx, dgamma, dbeta);
  on.backend.column_sum(x, columns, false);
  const AddNormBackward g{.sum = x,
                          .gamma = gamma,
                          .stats = stats,
                          .dy = on.random({1500, 77}, 5),
                          .dropout = kDrop,
                          .dx = on.filled({750, 77}, 0.0F),
                          .da = on.filled({1500, 77}, 0.0F),
                          .dgamma = on.filled({77}, 0.0F),
                          .dbeta = on.filled({77}, 0.0F),
                          .dbias = on.filled({77}, 0.0F)};
  on.backend.add_norm_backward(g);
  return {y, stats, dx, dgamma, dbeta, columns, g.dx, g.da, g.dgamma, g.dbeta, g.dbias};
}

Outputs reductions(CpuKernels& on) {
  const Tensor x = on.random({40, 1001}, 1);
  const Tensor up = on.random({40, 1001}, 2);
  const Tensor dots = on.filled({40}, 0.0F);
  on.backend.row_dot_sqrt(x, x, dots);
  const Tensor dropped = on.filled({40, 1001}, 0.0F);
  on.backend.softmax_dropout(x, kDrop, dropped);
  on.backend.softmax_dropout_backward(x, up, kDrop, up);
  const Tensor big = on.random({300001}, 3);
  const double square = on.backend.sum_of_squares(big);
  const Tensor bits = on.filled({2}, 0.0F);
  std::memcpy(bits.data, &square, sizeof(square));
  return {dots, x, dropped, up, bits};
}

Outputs optimizer(CpuKernels& on) {
  const Tensor w = on.random({100003}, 1);
  const Tensor g = on.random({100003}, 2);
  const Tensor m = on.random({100003}, 3);
  const Tensor v = on.filled({100003}, 0.1F);
  const AdamWTensors tensors{w, g, m, v, {}};
  const AdamWRates rates = adamw_rates({1e-3, 0.9, 0.999, 1e-8, 0.01, 0.1, 0.001});
  const Tensor rates_there = on.filled({8}, 0.0F);
  const Tensor clip = on.filled({2}, 0.0F);
  on.backend.upload(rates_there, &rates);
  on.backend.clip({&tensors, 1}, 0.7, clip);
  on.backend.adamw({&tensors, 1}, rates_there, clip);
  return {w, m, v, clip};
}

const std::map<std::string, Kernel>& kernels() {
  static const std::map<std::string, Kernel> all = {
      {"gemm_1x1x1", gemm_of(1, 1, 1, false, true)},
      {"gemm_1x768x2360", gemm_of(1, 768, 2360, false, true)},
      {"gemm_1x768x2360_nn", gemm_of(1, 768, 2360, false, false)},
      {"gemm_2360x1x768", gemm_of(2360, 1, 768, false, false)},
      {"gemm_3x5x7", gemm_of(3, 5, 7, true, false)},
      {"gemm_8x33x1025", gemm_of(8, 33, 1025, false, true)},
      {"gemm_301x403x97", gemm_of(301, 403, 97, false, true)},
      {"gemm_67x129x3001", gemm_of(67, 129, 3001, true, false)},
      {"gemm_batch", gemm_of(17, 19, 23, true, true, 5)},
      {"attention", attention_of(2, 2, 210, false, false)},
      {"attention_shared", attention_of(3, 2, 210, true, true)},
      {"attention_shared_q", attention_of(2, 1, 70, true, false)},
      {"attention_shared_kv", attention_of(2, 1, 70, false, true)},
      {"attention_one_sample", attention_of(1, 3, 430, false, false)},
      {"element_wise", element_wise},
      {"norms", norms},
      {"reductions", reductions},
      {"optimizer", optimizer},
  };
  return all;
}

struct Run {
  std::vector<std::vector<float>> values;  // per output
  std::size_t scratch = 0;                 // peak bytes
};

Run run(const Kernel& kernel, int threads, int openmp_threads) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(openmp_threads);
  CpuKernels on(threads);
  Run out;
  for (const Tensor& t : kernel(on)) out.values.push_back(test::values(t));
  out.scratch = on.scratch.peak();
  EXPECT_EQ(omp_get_max_threads(), openmp_threads) << "a kernel changed OpenMP's thread count";
  omp_set_num_threads(before);
  return out;
}

class CpuThreads : public ::testing::TestWithParam<std::string> {};

TEST_P(CpuThreads, SameBits) {
  const Kernel& kernel = kernels().at(GetParam());
  const auto one = run(kernel, 1, 1);
  for (const auto& [threads, openmp_threads] :
       {std::pair{1, 3}, {2, 1}, {2, 2}, {3, 2}, {3, 3}, {64, 2}, {256, 1}}) {
    const auto other = run(kernel, threads, openmp_threads);
    ASSERT_EQ(other.values.size(), one.values.size());
    EXPECT_EQ(other.scratch, one.scratch) << threads << " threads";
    for (std::size_t i = 0; i < one.values.size(); ++i) {
      const std::vector<float>& values = one.values[i];
      EXPECT_EQ(std::memcmp(values.data(), other.values[i].data(), values.size() * sizeof(float)),
                0)
          << "output " << i << " with " << threads << " threads, OpenMP set to " << openmp_threads;
    }
  }
}

std::vector<std::string> kernel_names() {
  std::vector<std::string> names;
  for (const auto& [name, kernel] : kernels()) names.push_back(name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Kernels, CpuThreads, ::testing::ValuesIn(kernel_names()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace cdt
