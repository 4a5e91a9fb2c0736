// What the model cannot know: it has no positional encoding, so neither the order of the DNA bins
// nor which gene has which RNA and protein embedding affects a prediction (docs/paper-vs-code.md).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "tests/support/relative_error.h"
#include "tests/support/small_model.h"

namespace cdt {
namespace {

using test::relative_error;

/// Sums over bins and genes in another order: a few units of rounding for each of about ten layers.
double bound(const Backend& backend) { return 64.0 * backend.product_unit(); }

/// Row i of the result is row order[i].
std::vector<float> in_order(const std::vector<float>& rows, const std::vector<std::size_t>& order) {
  const std::size_t width = rows.size() / order.size();
  std::vector<float> out;
  for (const std::size_t row : order) {
    out.insert(out.end(), rows.begin() + static_cast<std::ptrdiff_t>(row * width),
               rows.begin() + static_cast<std::ptrdiff_t>((row + 1) * width));
  }
  return out;
}

/// A permutation of 0 .. n - 1 without a fixed point: multiply by a number prime to n, then shift.
std::vector<std::size_t> other_order(std::size_t n, std::size_t factor) {
  std::vector<std::size_t> out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = (factor * i + 1) % n;
  return out;
}

std::vector<float> predictions(test::SmallModel& m) {
  m.tape.clear();
  return to_host(*m.backend, m.forward(m.tape.constant(m.dna))->value);
}

void reorder(test::SmallModel& m, const Tensor& tensor, const std::vector<std::size_t>& order) {
  m.backend->upload(tensor, in_order(to_host(*m.backend, tensor), order).data());
}

class PermutationTest : public testing::TestWithParam<Variant> {};

TEST_P(PermutationTest, OrderOfTheBinsMakesNoDifference) {
  test::SmallModel m(test::small_config(GetParam(), 9, 2));
  const std::vector<float> before = predictions(m);
  const PairWindows windows = m.attribute({3}).front();
  const std::vector<std::size_t> order = other_order(test::kBins, 4);
  reorder(m, m.dna, order);
  EXPECT_LE(relative_error(predictions(m), before), bound(*m.backend));
  // Attention and gradient move with their bins.
  const PairWindows moved = m.attribute({3}).front();
  EXPECT_LE(relative_error(moved.attention, in_order(windows.attention, order)), bound(*m.backend));
  EXPECT_LE(relative_error(moved.gradient, in_order(windows.gradient, order)), bound(*m.backend));
  EXPECT_GT(relative_error(moved.gradient, windows.gradient), 0.1);
}

TEST_P(PermutationTest, WhatTheBinsHoldMakesOne) {
  test::SmallModel m(test::small_config(GetParam(), 9, 2));
  const std::vector<float> before = predictions(m);
  std::vector<std::size_t> twice = other_order(test::kBins, 4);
  twice[0] = twice[1];  // one bin occurs twice, another is missing
  reorder(m, m.dna, twice);
  EXPECT_GT(relative_error(predictions(m), before), 4.0 * bound(*m.backend));
}

TEST_P(PermutationTest, WhichGeneHasWhichEmbeddingMakesNoDifference) {
  test::SmallModel m(test::small_config(GetParam(), 9, 1));
  const std::vector<float> before = predictions(m);
  const auto genes = static_cast<std::size_t>(m.config.genes);
  reorder(m, m.rna, other_order(genes, 5));
  EXPECT_LE(relative_error(predictions(m), before), bound(*m.backend));
  reorder(m, m.protein, other_order(genes, 1));
  EXPECT_LE(relative_error(predictions(m), before), bound(*m.backend));
  std::vector<std::size_t> twice = other_order(genes, 1);
  twice[0] = twice[1];
  reorder(m, m.protein, twice);
  EXPECT_GT(relative_error(predictions(m), before), 4.0 * bound(*m.backend));
}

INSTANTIATE_TEST_SUITE_P(Variants, PermutationTest,
                         testing::Values(Variant::kReleased, Variant::kPaper),
                         [](const auto& variant) {
                           return std::string(variant.param == Variant::kReleased ? "released"
                                                                                  : "paper");
                         });

}  // namespace
}  // namespace cdt
