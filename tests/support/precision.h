// The precision under test, and how far results may then be off. This is the one place where the
// bounds of reduced precision are derived; those of float32 stand in the tests.
//
// A number rounded to nearest is off by the unit roundoff u at most, relative to itself, and a
// tensor by u at most, relative to its norm. Roundings do not know of each other, so a result at
// the end of a chain of n is off by sqrt(n) u. What is rounded:
//   bfloat16  whatever is stored between kernels, probabilities, and weights. A block of attention
//             and feed-forward stores 11 tensors and multiplies by 4 weights.
//   tf32      both operands of a product; a block has 6 products. Hardware may cut an operand's
//             13 low bits off instead, which is off by twice as much: u is that of cutting.
//   fp32      products of three parts are nearer to exact than float32 multiply-adds at every depth
//             of the model (tests/emulation/split_product_test.cc): the bounds are those of
//             float32.
// Gradients come back through as many roundings again, and each rule of a normalisation or softmax
// is a difference of terms of which the larger part cancels: twice the error.
#pragma once

#include "engine/backend.h"

namespace cdt::test {

/// Of make_test_backend(): CDT_TEST_PRECISION, a word of --precision, fp32 where there is
/// none.
Precision test_precision();

/// Is it that of float32, fp32 or fp32-fma?
bool float32_accuracy();

/// 2^-24, 2^-10 (tf32) or 2^-8 (bfloat16).
double unit_roundoff(Precision precision);

/// Unit roundoffs by which results may be off, relative to their norm. A single op rounds 16 times
/// at most; the models of the tests have up to six blocks in a row, 6 * 15, and the projectors.
inline constexpr double kOpValue = 4.0;                 // sqrt(16)
inline constexpr double kOpGradient = 2.0 * 5.6569;     // 2 sqrt(2 * 16)
inline constexpr double kModelValue = 10.0;             // sqrt(100)
inline constexpr double kModelGradient = 2.0 * 14.142;  // 2 sqrt(2 * 100)

/// The bound on a relative error: `float32` where that is the accuracy under test, else so many
/// unit roundoffs.
double tolerance(double float32, double roundoffs);

}  // namespace cdt::test
