// Dense symmetric matrices in float64, for normal equations: products X^T X and Cholesky
// factorisation. A matrix is (n, n) row-major; only the upper triangle is read, and the part below
// the diagonal is left undefined. Results are the same bits at any thread count.
#pragma once

#include <cstdint>
#include <span>

namespace cdt {

/// a += sign * X^T X, where rows[i] is row i of X, n numbers; `a` has row stride `stride`. Calls
/// poll().
void add_gram(double sign, std::span<const double* const> rows, std::int64_t n, double* a,
              std::int64_t stride, int threads);

/// Factorises a = U^T U in-place (Golub & Van Loan, Matrix Computations, section 4.2, by blocks).
/// Throws Error if the matrix is not positive definite. Calls poll().
void cholesky(double* a, std::int64_t n, int threads);

/// Solves U^T U x = b in-place.
void cholesky_solve(const double* u, std::int64_t n, double* b);

}  // namespace cdt
