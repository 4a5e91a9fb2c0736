// Matrix products without the library, for those that cuBLASLt has no algorithm for. A thread sums
// one element of C in float64, in the order of k, and rounds once: correct and always the same
// bits, but slow.
#include "engine/cuda/gemm.h"
#include "engine/cuda/kernel.cuh"
#include "engine/cuda/launch.h"

namespace cdt {
namespace {

constexpr int kThreads = 128;

/// Distance in elements from one row, column and problem of a batch to the next.
struct Strides {
  std::int64_t row, column, problem;
};

struct PlainProduct {
  std::int64_t n, k, elements_of_one, elements;
  float alpha, beta;
  Strides a, b, c;
};

template <class In, class Out>
__global__ void plain_product_kernel(const In* a, const In* b, const Out* bias, Out* c,
                                     PlainProduct p) {
  const std::int64_t at = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (at >= p.elements) return;
  const std::int64_t problem = at / p.elements_of_one;
  const std::int64_t row = at % p.elements_of_one / p.n;
  const std::int64_t column = at % p.n;
  const std::int64_t first_a = problem * p.a.problem + row * p.a.row;
  const std::int64_t first_b = problem * p.b.problem + column * p.b.column;
  double sum = 0.0;
  for (std::int64_t i = 0; i < p.k; ++i) {
    sum += static_cast<double>(load(a, first_a + i * p.a.column)) *
           static_cast<double>(load(b, first_b + i * p.b.row));
  }
  const std::int64_t to = problem * p.c.problem + row * p.c.row + column;
  double value = static_cast<double>(p.alpha) * sum;
  if (p.beta != 0.0F) value += static_cast<double>(p.beta) * static_cast<double>(load(c, to));
  if (bias != nullptr) value += static_cast<double>(load(bias, column));
  store(c, to, static_cast<float>(value));
}

/// Strides of op(X), where X has leading dimension `ld`.
Strides strides(bool transposed, std::int64_t ld, std::int64_t problem) {
  return transposed ? Strides{1, ld, problem} : Strides{ld, 1, problem};
}

}  // namespace

void plain_product(cudaStream_t stream, const Gemm& g) {
  const PlainProduct p{.n = g.n,
                       .k = g.k,
                       .elements_of_one = g.m * g.n,
                       .elements = g.batch * g.m * g.n,
                       .alpha = g.alpha,
                       .beta = g.beta,
                       .a = strides(g.trans_a, g.lda, g.stride_a),
                       .b = strides(g.trans_b, g.ldb, g.stride_b),
                       .c = strides(false, g.ldc, g.stride_c)};
  with_type(g.a.dtype, [&](auto in) {
    with_type(g.c.dtype, [&](auto out) {
      using In = decltype(in);
      using Out = decltype(out);
      launch(stream, plain_product_kernel<In, Out>, blocks_for(p.elements, kThreads), kThreads,
             static_cast<const In*>(g.a.data), static_cast<const In*>(g.b.data),
             static_cast<const Out*>(g.bias.data), static_cast<Out*>(g.c.data), p);
    });
  });
}

}  // namespace cdt
