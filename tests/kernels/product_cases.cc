#include "tests/kernels/product_cases.h"

#include "tests/kernels/kernel_case.h"

namespace cdt::test {
namespace {

enum class Bias { kNone, kAligned, kBeside };

struct Product {
  std::int64_t m, n, k;
  /// Elements between the end of a row and the next row, and between problems after the last row.
  std::int64_t row_gap = 0, problem_gap = 0;
  std::int64_t batch = 1;
  bool a_shared = false;  // the batch shares a
  Bias bias = Bias::kNone;
  float beta = 0.0F;
};

constexpr Product kProducts[] = {
    {.m = 33, .n = 31, .k = 65, .beta = 1.0F},
    {.m = 33, .n = 31, .k = 65, .bias = Bias::kAligned},
    {.m = 33, .n = 31, .k = 65, .row_gap = 1, .bias = Bias::kBeside, .beta = 0.75F},
    {.m = 1, .n = 1, .k = 1},
    {.m = 5, .n = 7, .k = 1, .row_gap = 2, .beta = 1.0F},
    {.m = 9, .n = 1, .k = 13, .row_gap = 3, .bias = Bias::kBeside},
    {.m = 1, .n = 9, .k = 13, .bias = Bias::kAligned, .beta = 1.0F},
    {.m = 3, .n = 5, .k = 7, .row_gap = 1, .problem_gap = 1, .batch = 3, .beta = 0.5F},
    {.m = 4, .n = 1, .k = 33, .problem_gap = 3, .batch = 2, .a_shared = true},
    {.m = 8, .n = 66, .k = 1, .row_gap = 5, .batch = 2}};

/// Products for tensor cores, if rows begin at multiples of 16 bytes, depending on `row_gap` and
/// the transpositions: one tile of a warp and more than one, incomplete steps and pieces of k, and
/// k so large that it is cut into slices.
constexpr Product kTiledProducts[] = {
    {.m = 16, .n = 16, .k = 1, .row_gap = 3},
    {.m = 32, .n = 32, .k = 64, .beta = 1.0F},
    {.m = 33, .n = 33, .k = 65, .row_gap = 3, .bias = Bias::kBeside, .beta = 0.75F},
    {.m = 34, .n = 66, .k = 42, .row_gap = 2, .problem_gap = 4, .batch = 2},
    {.m = 17, .n = 129, .k = 41, .row_gap = 7, .bias = Bias::kAligned},
    {.m = 20, .n = 24, .k = 36, .batch = 3, .a_shared = true, .beta = 0.5F},
    {.m = 19, .n = 27, .k = 803, .row_gap = 1, .bias = Bias::kAligned, .beta = 1.0F},
    {.m = 24, .n = 16, .k = 544, .batch = 2},
    {.m = 24, .n = 18, .k = 65, .row_gap = 1}};

/// A row-major operand, or a batch of them, in one dimension.
struct BatchedMatrix {
  std::int64_t ld, stride, batch, count;

  BatchedMatrix(const Product& p, std::int64_t rows, std::int64_t cols, bool shared)
      : ld(cols + p.row_gap),
        stride(shared ? 0 : rows * ld + p.problem_gap),
        batch(p.batch),
        count((batch - 1) * stride + (rows - 1) * ld + cols) {}
};

void expect_agreement(const Product& p, bool trans_a, bool trans_b, bool float32_result,
                      const CudaOptions& options) {
  const BatchedMatrix a(p, trans_a ? p.k : p.m, trans_a ? p.m : p.k, p.a_shared);
  const BatchedMatrix b(p, trans_b ? p.n : p.k, trans_b ? p.k : p.n, false);
  const BatchedMatrix c(p, p.m, p.n, false);
  const std::int64_t beside = p.bias == Bias::kBeside ? 1 : 0;
  const Fill fill = options.precision == Precision::kBFloat16x3 ? Fill::kFine : Fill::kRandom;
  KernelCase product{"(" + std::to_string(p.m) + ", " + std::to_string(p.k) + ") x (" +
                         std::to_string(p.k) + ", " + std::to_string(p.n) + "), batch " +
                         std::to_string(p.batch) + (trans_a ? ", A transposed" : "") +
                         (trans_b ? ", B transposed" : "") +
                         (float32_result ? ", into float32" : ""),
                     {{{a.count}, true, fill},
                      {{b.count}, true, fill},
                      {{c.count}, !float32_result},
                      {{p.n + beside}, !float32_result}},
                     [=](Backend& backend, const std::vector<Tensor>& t, Arena&) {
                       Gemm g{.trans_a = trans_a,
                              .trans_b = trans_b,
                              .m = p.m,
                              .n = p.n,
                              .k = p.k,
                              .alpha = 0.5F,
                              .a = t[0],
                              .lda = a.ld,
                              .b = t[1],
                              .ldb = b.ld,
                              .beta = p.beta,
                              .c = t[2],
                              .ldc = c.ld,
                              .batch = p.batch,
                              .stride_a = a.stride,
                              .stride_b = b.stride,
                              .stride_c = c.stride};
                       if (p.bias != Bias::kNone) g.bias = t[3];
                       if (p.bias == Bias::kBeside) g.bias.data = t[3].at(1);
                       backend.gemm(g);
                     }};
  // A bias with its own pass is added to a result that was already rounded.
  if (p.bias == Bias::kBeside) product.bfloat16_factor = 2.0;
  product.options = options;
  expect_agreement(product);
}

}  // namespace

void expect_products_agree(const CudaOptions& options) {
  for (const Product& p : kProducts) {
    for (const bool trans_a : {false, true}) {
      for (const bool trans_b : {false, true}) {
        for (const bool float32_result : {false, true}) {
          expect_agreement(p, trans_a, trans_b, float32_result, options);
        }
      }
    }
  }
}

void expect_tiled_products_agree() {
  for (const Product& p : kTiledProducts) {
    for (const bool trans_a : {false, true}) {
      for (const bool trans_b : {false, true}) {
        expect_agreement(p, trans_a, trans_b, true, {.precision = Precision::kBFloat16x3});
      }
    }
  }
}

}  // namespace cdt::test
