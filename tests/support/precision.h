// The precision under test, and the errors it allows. The bounds of reduced precision are derived
// here only; those of float32 are in the tests.
//
// Rounding a number to nearest changes it by at most the unit roundoff u, relative to itself, and a
// tensor by at most u, relative to its norm. Roundings are independent, so n of them in a chain
// give an error of sqrt(n) u. These values are rounded:
//   bfloat16  everything stored between kernels, probabilities, and weights. A block of attention
//             and feed-forward stores 11 tensors and multiplies by 4 weights.
//   tf32      both operands of a product; a block has 6 products. Hardware may truncate the 13 low
//             bits of an operand instead, which doubles the error: u is that of truncation.
//   fp32      products of three parts are closer to exact than float32 multiply-adds at every depth
//             of the model (tests/emulation/split_product_test.cc), so the bounds of float32 apply.
// Gradients pass through as many roundings again, and each rule of a normalisation or softmax
// subtracts terms that largely cancel, which doubles the error.
#pragma once

#include "engine/backend.h"

namespace cdt::test {

/// The precision of make_test_backend(): CDT_TEST_PRECISION, a value of --precision; fp32 if it is
/// not set.
Precision test_precision();

/// True for fp32 and fp32-fma.
bool float32_accuracy();

/// 2^-24, 2^-10 (tf32) or 2^-8 (bfloat16).
double unit_roundoff(Precision precision);

/// Allowed errors in unit roundoffs, relative to the norm. A single op rounds at most 16 times; the
/// test models have up to six blocks in a row, 6 * 15, and the projectors.
inline constexpr double kOpValue = 4.0;                 // sqrt(16)
inline constexpr double kOpGradient = 2.0 * 5.6569;     // 2 sqrt(2 * 16)
inline constexpr double kModelValue = 10.0;             // sqrt(100)
inline constexpr double kModelGradient = 2.0 * 14.142;  // 2 sqrt(2 * 100)

/// The bound on a relative error: `float32` if the precision under test has that accuracy,
/// otherwise this many unit roundoffs.
double tolerance(double float32, double roundoffs);

}  // namespace cdt::test
