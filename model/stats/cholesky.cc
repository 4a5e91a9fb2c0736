#include "model/stats/cholesky.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/cpu/parallel.h"
#include "engine/error.h"
#include "engine/poll.h"
#include "engine/tensor.h"

namespace cdt {
namespace {

constexpr std::int64_t kLanes64 = 8;  // columns per panel: one AVX-512 register or two AVX2
using F64x8 = double __attribute__((vector_size(64)));
constexpr std::int64_t kDepth = 128;       // rows of X multiplied at a time
constexpr std::int64_t kPanels = 8;        // panels of `a`'s rows per task
constexpr std::int64_t kBlock = 64;        // block size of the factorisation
constexpr std::int64_t kSolveGrain = 128;  // columns

/// Consecutive rows of X, repacked into panels of eight columns, each a contiguous (depth, 8),
/// which avoids large power-of-two strides. The last panel is padded with zeros.
struct PackedPanels {
  std::int64_t depth, n;
  std::vector<F64x8> panels;

  PackedPanels(std::span<const double* const> rows, std::int64_t columns, int threads)
      : depth(static_cast<std::int64_t>(rows.size())),
        n(columns),
        panels(static_cast<std::size_t>(depth * count())) {
    for_ranges(threads, count(), 16, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t k = 0; k < depth; ++k) {
        const double* row = rows[static_cast<std::size_t>(k)];
        for (std::int64_t p = begin; p < end; ++p) {
          F64x8& out = panels[static_cast<std::size_t>(p * depth + k)];
          for (std::int64_t i = 0; i < width(p); ++i) out[i] = row[p * kLanes64 + i];
        }
      }
    });
  }

  std::int64_t count() const { return ceil_div(n, kLanes64); }
  std::int64_t width(std::int64_t panel) const { return std::min(kLanes64, n - panel * kLanes64); }
  const F64x8* panel(std::int64_t p) const { return panels.data() + p * depth; }
};

/// Adds sign * (panel p)^T (panel q) to the tile of `a` at (8 p, 8 q).
void multiply_panels(double sign, const PackedPanels& x, std::int64_t p, std::int64_t q, double* a,
                     std::int64_t stride) {
  const F64x8* left = x.panel(p);
  const F64x8* right = x.panel(q);
  F64x8 sums[kLanes64] = {};
  for (std::int64_t k = 0; k < x.depth; ++k) {
    for (int i = 0; i < kLanes64; ++i) sums[i] += left[k][i] * right[k];
  }
  for (std::int64_t i = 0; i < x.width(p); ++i) {
    double* row = a + (p * kLanes64 + i) * stride + q * kLanes64;
    for (std::int64_t j = 0; j < x.width(q); ++j) row[j] += sign * sums[i][j];
  }
}

double* at(double* a, std::int64_t n, std::int64_t row, std::int64_t column) {
  return a + row * n + column;
}

void factor_corner(double* a, std::int64_t n, std::int64_t begin, std::int64_t end) {
  for (std::int64_t i = begin; i < end; ++i) {
    for (std::int64_t l = begin; l < i; ++l) {
      const double factor = *at(a, n, l, i);
      for (std::int64_t j = i; j < end; ++j) *at(a, n, i, j) -= factor * *at(a, n, l, j);
    }
    const double pivot = *at(a, n, i, i);
    if (!(pivot > 0)) throw Error("Cholesky: the matrix is not positive definite");
    for (std::int64_t j = i; j < end; ++j) *at(a, n, i, j) /= std::sqrt(pivot);
  }
}

/// Computes rows [begin, end) of U to the right of the diagonal block, by solving with its U^T.
void solve_rows(double* a, std::int64_t n, std::int64_t begin, std::int64_t end, int threads) {
  for_ranges(threads, n - end, kSolveGrain, [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t i = begin; i < end; ++i) {
      double* row = at(a, n, i, end);
      for (std::int64_t l = begin; l < i; ++l) {
        const double factor = *at(a, n, l, i);
        const double* above = at(a, n, l, end);
        for (std::int64_t j = from; j < to; ++j) row[j] -= factor * above[j];
      }
      const double pivot = *at(a, n, i, i);
      for (std::int64_t j = from; j < to; ++j) row[j] /= pivot;
    }
  });
}

}  // namespace

void add_gram(double sign, std::span<const double* const> rows, std::int64_t n, double* a,
              std::int64_t stride, int threads) {
  threads = threads_for(threads, static_cast<std::int64_t>(rows.size()) * n * n);
  for (std::size_t begin = 0; begin < rows.size(); begin += kDepth) {
    poll();
    const PackedPanels x(rows.subspan(begin, std::min<std::size_t>(kDepth, rows.size() - begin)), n,
                         threads);
    parallel_for(threads, ceil_div(x.count(), kPanels), [&](std::int64_t task, int) {
      const std::int64_t end = std::min(x.count(), (task + 1) * kPanels);
      for (std::int64_t q = task * kPanels; q < x.count(); ++q) {
        for (std::int64_t p = task * kPanels; p < std::min(end, q + 1); ++p) {
          multiply_panels(sign, x, p, q, a, stride);
        }
      }
    });
  }
}

void cholesky(double* a, std::int64_t n, int threads) {
  for (std::int64_t begin = 0; begin < n; begin += kBlock) {
    poll();
    const std::int64_t end = std::min(n, begin + kBlock);
    factor_corner(a, n, begin, end);
    if (end == n) return;
    solve_rows(a, n, begin, end, threads_for(threads, kBlock * kBlock * (n - end)));
    std::vector<const double*> rows;
    for (std::int64_t i = begin; i < end; ++i) rows.push_back(at(a, n, i, end));
    add_gram(-1, rows, n - end, at(a, n, end, end), n, threads);
  }
}

void cholesky_solve(const double* u, std::int64_t n, double* b) {
  for (std::int64_t i = 0; i < n; ++i) {
    b[i] /= u[i * n + i];
    for (std::int64_t j = i + 1; j < n; ++j) b[j] -= u[i * n + j] * b[i];
  }
  for (std::int64_t i = n - 1; i >= 0; --i) {
    double sum = b[i];
    for (std::int64_t j = i + 1; j < n; ++j) sum -= u[i * n + j] * b[j];
    b[i] = sum / u[i * n + i];
  }
}

}  // namespace cdt
