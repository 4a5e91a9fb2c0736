// Float64 forms of the ops, written exactly like the formulas, without sharing, tiling or fusion.
// They are the references for the engine's ops and, by differences, for their gradients.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/random.h"

namespace cdt::test {

using Doubles = std::vector<double>;

/// The four words of Philox4x32-10 for four counter words and a key of two.
std::vector<std::uint32_t> plain_philox(std::vector<std::uint32_t> counter, std::uint64_t seed);
/// The 16-bit draw of element (row, col) of a mask.
std::uint32_t plain_draw(const DropoutKey& key, std::uint32_t row, std::uint32_t col);
/// How many of the 65536 draws drop an element: the nearest number to p, none only for p = 0, and
/// never all.
double plain_dropped_draws(double p);

/// y(R, O) = x(R, I) w(O, I)^T + b(O)
Doubles plain_linear(const Doubles& x, const Doubles& w, const Doubles& b, std::int64_t rows);
/// All over the last dimension, of width `cols`.
Doubles plain_layer_norm(const Doubles& x, const Doubles& gamma, const Doubles& beta,
                         std::int64_t cols);
/// y(batch * R, C): x(R, C) repeated over the batch, times the mask; x may already have the batch.
Doubles plain_dropout(const Doubles& x, const DropoutKey& key, std::int64_t rows_out,
                      std::int64_t cols);
Doubles plain_gelu(const Doubles& x);
/// a(B, N, D) + x(1|B, N, D)
Doubles plain_add(const Doubles& x, const Doubles& a);

struct AttentionSizes {
  std::int64_t batch, heads, head_dim, queries, keys;
};
/// q (1|B, Nq, D), k and v (1|B, Nk, D) -> (B, Nq, D)
Doubles plain_attention(const Doubles& q, const Doubles& k, const Doubles& v,
                        const AttentionSizes& s, const DropoutKey& key);
/// Columns [begin, end) of x(R, C).
Doubles plain_columns(const Doubles& x, std::int64_t cols, std::int64_t begin, std::int64_t end);
double plain_huber(double residual, double delta);

}  // namespace cdt::test
