// How close float32 products come to float64, at the depths of the model, with the sums of tensor
// cores (tensor_core.h): the alternatives that were considered, and the kernel that was chosen
// (engine/cuda/split_product.cu). Prints the table of docs/cuda.md.
#include "engine/cuda/split_product.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <vector>

#include "engine/backend.h"
#include "engine/bfloat16.h"
#include "engine/cuda/cuda_backend.h"
#include "engine/random.h"
#include "tests/emulation/checked_test.h"
#include "tests/emulation/tensor_core.h"
#include "tests/support/relative_error.h"

namespace cdt::test {
namespace {

constexpr std::int64_t kSide = 16;  // of the result
constexpr std::int64_t kDepths[] = {96, 320, 512, 768, 896, 1536, 2360, 3072, 7168, 18880};
constexpr double kBound = 1e-6;

using Floats = std::vector<float>;
using Parts = std::array<Floats, 3>;

/// A (kSide, depth) and B transposed (kSide, depth): standard normal, or all positive, where
/// truncation errors all have the same sign.
struct Factors {
  std::int64_t depth;
  Floats a, b;

  Factors(std::int64_t k, bool positive)
      : depth(k), a(static_cast<std::size_t>(kSide * k)), b(a.size()) {
    RandomStream random(static_cast<std::uint64_t>(k), positive ? 1 : 0);
    for (Floats* const side : {&a, &b}) {
      for (float& x : *side) {
        x = static_cast<float>(positive ? random.uniform() : random.normal());
      }
    }
  }
};

double error_of(const Floats& got, const std::vector<double>& want) {
  return relative_error({got.begin(), got.end()}, want);
}

/// element(i, j) for the whole result.
template <class Element>
auto results(const Element& element) {
  std::vector<decltype(element(0, 0))> out;
  for (std::int64_t i = 0; i < kSide; ++i) {
    for (std::int64_t j = 0; j < kSide; ++j) out.push_back(element(i, j));
  }
  return out;
}

std::vector<double> exact(const Factors& f) {
  return results([&](std::int64_t i, std::int64_t j) {
    double sum = 0.0;
    for (std::int64_t k = 0; k < f.depth; ++k) {
      sum += static_cast<double>(f.a[static_cast<std::size_t>(i * f.depth + k)]) *
             static_cast<double>(f.b[static_cast<std::size_t>(j * f.depth + k)]);
    }
    return sum;
  });
}

Floats float32_in_order(const Factors& f) {
  return results([&](std::int64_t i, std::int64_t j) {
    float sum = 0.0F;
    for (std::int64_t k = 0; k < f.depth; ++k) {
      sum = std::fma(f.a[static_cast<std::size_t>(i * f.depth + k)],
                     f.b[static_cast<std::size_t>(j * f.depth + k)], sum);
    }
    return sum;
  });
}

Parts split(const Floats& x) {
  Parts parts;
  for (const float value : x) {
    float left = value;
    for (Floats& part : parts) {
      part.push_back(to_float(to_bfloat16(left)));
      left -= part.back();
    }
  }
  return parts;
}

/// Products of parts, smallest first: which part of each factor.
constexpr std::array<std::array<std::size_t, 2>, 6> kSix{
    {{0, 2}, {1, 1}, {2, 0}, {0, 1}, {1, 0}, {0, 0}}};

/// An accumulator that runs through k from `begin` to `end` in steps of a tensor core.
float accumulate(float c, const float* a, const float* b, std::int64_t begin, std::int64_t end) {
  for (std::int64_t k = begin; k < end; k += emulation::kTensorCoreStep) {
    std::array<double, emulation::kTensorCoreStep> products{};
    for (std::int64_t i = 0; i < std::min<std::int64_t>(emulation::kTensorCoreStep, end - k); ++i) {
      products[static_cast<std::size_t>(i)] =
          static_cast<double>(a[k + i]) * static_cast<double>(b[k + i]);
    }
    c = emulation::tensor_core_sum(c, products);
  }
  return c;
}

/// chunk: after this much of k the accumulator is added to the result in float32 and restarts; 0:
/// never, and one accumulator runs through all six products.
Floats of_parts(const Factors& f, std::int64_t chunk) {
  const Parts a = split(f.a);
  const Parts b = split(f.b);
  return results([&](std::int64_t i, std::int64_t j) {
    float sum = 0.0F;
    for (const auto& [of_a, of_b] : kSix) {
      const float* const row = &a[of_a][static_cast<std::size_t>(i * f.depth)];
      const float* const column = &b[of_b][static_cast<std::size_t>(j * f.depth)];
      if (chunk == 0) {
        sum = accumulate(sum, row, column, 0, f.depth);
        continue;
      }
      for (std::int64_t k = 0; k < f.depth; k += chunk) {
        sum += accumulate(0.0F, row, column, k, std::min(k + chunk, f.depth));
      }
    }
    return sum;
  });
}

/// The engine's form: A unchanged, B transposed, k in one slice. More slices add more accurately.
Floats of_engine(const Factors& f) {
  CudaBackend backend({.precision = Precision::kBFloat16x3});
  Arena arena(backend, "tensors");
  const Tensor a = arena.tensor({kSide, f.depth});
  const Tensor b = arena.tensor({kSide, f.depth});
  const Tensor c = arena.tensor({kSide, kSide});
  backend.upload(a, f.a.data());
  backend.upload(b, f.b.data());
  const Gemm g{.trans_b = true,
               .m = kSide,
               .n = kSide,
               .k = f.depth,
               .a = a,
               .lda = f.depth,
               .b = b,
               .ldb = f.depth,
               .c = c,
               .ldc = kSide};
  split_product(backend.gemms().stream(), g, {64, 1, f.depth}, nullptr);
  return to_host(backend, c);
}

class SplitProduct : public CheckedTest {};

// Without checking, which would run all of it three times.
TEST(SplitProductError, IsAtMost1e6AtEveryDepth) {
  for (const bool positive : {false, true}) {
    std::printf("%s factors: relative error of a product, units of 1e-7\n%s\n",
                positive ? "positive" : "normal",
                "       k  float32  joined  added  in 1024  in 256  engine");
    for (const std::int64_t k : kDepths) {
      const Factors f(k, positive);
      const std::vector<double> want = exact(f);
      const double float32 = error_of(float32_in_order(f), want);
      const double engine = error_of(of_engine(f), want);
      constexpr double kUnit = 1e7;
      std::printf("%8lld %8.2f %7.2f %6.2f %8.2f %7.2f %7.2f\n", static_cast<long long>(k),
                  kUnit * float32, kUnit * error_of(of_parts(f, 0), want),
                  kUnit * error_of(of_parts(f, k), want), kUnit * error_of(of_parts(f, 1024), want),
                  kUnit * error_of(of_parts(f, 256), want), kUnit * engine);
      EXPECT_LE(engine, kBound) << k;
    }
  }
}

/// A product of op(A) (m, k) and op(B) (k, n); rows of A and B are multiples of 16 bytes apart.
struct CutProduct {
  std::int64_t m, n, k;
  bool trans_a = false, trans_b = false;

  static std::int64_t line(std::int64_t length) { return ceil_div(length, 4) * 4; }
  std::int64_t lda() const { return line(trans_a ? m : k); }
  std::int64_t ldb() const { return line(trans_b ? k : n); }
  std::int64_t floats_of_a() const { return (trans_a ? k : m) * lda(); }
  std::int64_t floats_of_b() const { return (trans_b ? n : k) * ldb(); }
  std::size_t at_a(std::int64_t i, std::int64_t of_k) const {
    return static_cast<std::size_t>(trans_a ? of_k * lda() + i : i * lda() + of_k);
  }
  std::size_t at_b(std::int64_t of_k, std::int64_t j) const {
    return static_cast<std::size_t>(trans_b ? j * ldb() + of_k : of_k * ldb() + j);
  }
};

Floats draw(std::int64_t count, std::uint64_t seed) {
  RandomStream random(seed, 1);
  Floats values(static_cast<std::size_t>(count));
  for (float& x : values) x = static_cast<float>(random.normal());
  return values;
}

/// C, initially 1, after the product with this cut is added.
Floats cut_so(const ProductCut& cut, const CutProduct& p) {
  CudaBackend backend({.precision = Precision::kBFloat16x3});
  Arena arena(backend, "tensors");
  const auto put = [&](const Floats& values) {
    const Tensor t = arena.tensor({static_cast<std::int64_t>(values.size())});
    backend.upload(t, values.data());
    return t;
  };
  const Tensor c = put(Floats(static_cast<std::size_t>(p.m * p.n), 1.0F));
  const Tensor slices = arena.tensor({cut.slices, p.m, p.n});
  const Gemm g{.trans_a = p.trans_a,
               .trans_b = p.trans_b,
               .m = p.m,
               .n = p.n,
               .k = p.k,
               .a = put(draw(p.floats_of_a(), 5)),
               .lda = p.lda(),
               .b = put(draw(p.floats_of_b(), 6)),
               .ldb = p.ldb(),
               .beta = 1.0F,
               .c = c,
               .ldc = p.n};
  split_product(backend.gemms().stream(), g, cut, slices.data);
  return to_host(backend, c);
}

std::vector<double> exact(const CutProduct& p) {
  const Floats a = draw(p.floats_of_a(), 5);
  const Floats b = draw(p.floats_of_b(), 6);
  std::vector<double> c;
  for (std::int64_t i = 0; i < p.m; ++i) {
    for (std::int64_t j = 0; j < p.n; ++j) {
      c.push_back(1.0);
      for (std::int64_t k = 0; k < p.k; ++k) {
        c.back() += static_cast<double>(a[p.at_a(i, k)]) * static_cast<double>(b[p.at_b(k, j)]);
      }
    }
  }
  return c;
}

// Tiles do not change the terms of a sum; slices change its order.
TEST_F(SplitProduct, TilesOfBothSizesAndSlicesAgree) {
  constexpr CutProduct kProduct{150, 140, 72};
  const Floats small = cut_so({64, 1, kProduct.k}, kProduct);
  EXPECT_EQ(cut_so({128, 1, kProduct.k}, kProduct), small);
  const Floats sliced = cut_so({128, 3, 32}, kProduct);
  EXPECT_EQ(cut_so({64, 3, 32}, kProduct), sliced);
  EXPECT_LE(relative_error(sliced, small), 3e-7);
}

// Rows, columns and k that end inside a tile, a strip and a piece of four, with each side
// contiguous along k or not.
TEST_F(SplitProduct, EveryFormIsRightWhereATileEnds) {
  for (const bool trans_a : {false, true}) {
    for (const bool trans_b : {false, true}) {
      for (const CutProduct& p :
           {CutProduct{131, 67, 37, trans_a, trans_b}, CutProduct{62, 193, 15, trans_a, trans_b}}) {
        const Floats got = cut_so({128, 1, p.k}, p);
        EXPECT_LE(relative_error({got.begin(), got.end()}, exact(p)), 3e-7) << trans_a << trans_b;
        EXPECT_EQ(cut_so({64, 1, p.k}, p), got) << trans_a << trans_b;
      }
    }
  }
}

// The weights' gradients and the rows of a feed-forward net at batch 8, and scores of attention.
TEST_F(SplitProduct, CutsFillAGpu) {
  constexpr std::int64_t kH200 = 132;
  const auto cut = [](std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t batch) {
    return cut_product({.m = m, .n = n, .k = k, .batch = batch}, kH200);
  };
  EXPECT_EQ(cut(9440, 3072, 768, 1).tile, 128);
  EXPECT_EQ(cut(9440, 3072, 768, 1).slices, 1);
  EXPECT_GT(cut(768, 768, 18880, 1).slices, 3);
  EXPECT_GT(cut(320, 96, 2360, 8).slices, 1);
  EXPECT_EQ(cut(320, 2360, 96, 8).slices, 1);
}

}  // namespace
}  // namespace cdt::test
