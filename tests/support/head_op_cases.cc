#include "tests/support/head_op_cases.h"

#include <cstddef>
#include <cstdint>

namespace cdt::test {
namespace {

OpCase concat_case(std::int64_t b) {
  return {"concat",
          "",
          {{b, 3}, {1, 5}, {b, 1}},
          [=](Tape& t, const std::vector<Var>& v) { return concat(t, v, b); },
          [=](const std::vector<Doubles>& v) {
            Doubles y;
            for (std::int64_t i = 0; i < b; ++i) {
              for (std::int64_t c = 0; c < 3; ++c) {
                y.push_back(v[0][static_cast<std::size_t>(i * 3 + c)]);
              }
              y.insert(y.end(), v[1].begin(), v[1].end());
              y.push_back(v[2][static_cast<std::size_t>(i)]);
            }
            return y;
          }};
}

// Targets 0 put residuals on both sides of delta.
OpCase huber_case(std::int64_t b, std::int64_t g) {
  static const std::vector<std::int32_t> index{2, 0, 2, 1, 4};
  return {"select_huber",
          "",
          {{b, g}},
          [b](Tape& t, const std::vector<Var>& v) {
            const Tensor columns = t.saved({b}, Dtype::kInt32);
            t.backend().upload(columns, index.data());
            const Tensor target = t.saved({b});
            t.backend().fill(target, 0.0F);
            return huber(t, select(t, v[0], columns), target, 0.7F);
          },
          [=](const std::vector<Doubles>& v) {
            double sum = 0.0;
            for (std::int64_t i = 0; i < b; ++i) {
              sum += plain_huber(
                  v[0][static_cast<std::size_t>(i * g + index[static_cast<std::size_t>(i)])],
                  static_cast<double>(0.7F));
            }
            return Doubles{sum / static_cast<double>(b)};
          }};
}

/// An index of one token per sample, at least b long; no index is past 2.
const std::vector<std::int32_t>& token_index() {
  static const std::vector<std::int32_t> index{2, 0, 1};
  return index;
}

OpCase take_token_case(std::int64_t leading, std::int64_t b, std::int64_t n, std::int64_t d) {
  return {.op = "take_token",
          .label = leading < b ? "of a sequence that all samples share" : "",
          .inputs = {{leading, n, d}},
          .engine =
              [=](Tape& t, const std::vector<Var>& v) {
                const Tensor index = t.saved({b}, Dtype::kInt32);
                t.backend().upload(index, token_index().data());
                return take_token(t, v[0], index);
              },
          .plain =
              [=](const std::vector<Doubles>& v) {
                Doubles y;
                for (std::int64_t i = 0; i < b; ++i) {
                  const auto row =
                      v[0].begin() +
                      (i % leading * n + token_index()[static_cast<std::size_t>(i)]) * d;
                  y.insert(y.end(), row, row + d);
                }
                return y;
              }};
}

OpCase reshape_case() {
  return {.op = "reshape",
          .label = "",
          .inputs = {{4, 3}},
          .engine =
              [](Tape& t, const std::vector<Var>& v) {
                return reshape(t, v[0], {2, 6});
              },
          .plain = [](const std::vector<Doubles>& v) { return v[0]; },
          .activations = 0};
}

// Inputs: rna, protein, cell, then w1, b1, w2, b2.
OpCase gene_head_case(std::int64_t b, std::int64_t n, std::int64_t d, float p) {
  return {.op = "gene_head",
          .label = p > 0.0F ? "with dropout" : "",
          .inputs = {{b, n, d}, {b, n, d}, {b, d}, {d, 3 * d}, {d}, {1, d}, {1}},
          .engine =
              [=](Tape& t, const std::vector<Var>& v) {
                return gene_head(t, v[2], v[0], v[1], {v[3], v[4], v[5], v[6]}, p);
              },
          .plain =
              [=](const std::vector<Doubles>& v) {
                Doubles joined;  // [cell; rna; protein] of every token
                for (std::int64_t row = 0; row < b * n; ++row) {
                  const auto add = [&](const Doubles& x, std::int64_t at) {
                    joined.insert(joined.end(), x.begin() + at * d, x.begin() + (at + 1) * d);
                  };
                  add(v[2], row / n);
                  add(v[0], row);
                  add(v[1], row);
                }
                const Doubles h = plain_gelu(plain_linear(joined, v[3], v[4], b * n));
                return plain_linear(plain_dropout(h, case_key(p), b * n, d), v[5], v[6], b * n);
              },
          .training = p > 0.0F,
          .activations = 2,
          .values = 3};
}

}  // namespace

std::vector<OpCase> head_op_cases() {
  std::vector<OpCase> cases{concat_case(4), concat_case(1), huber_case(4, 5), huber_case(1, 3)};
  for (OpCase& c : cases) {
    c.activations = 0;
    c.values = c.op == "concat" ? c.inputs.size() : 1;
  }
  cases.insert(cases.end(), {reshape_case(), take_token_case(3, 3, 5, 9),
                             take_token_case(1, 1, 3, 66), take_token_case(1, 3, 4, 10),
                             gene_head_case(2, 7, 5, 0.0F), gene_head_case(3, 9, 6, 0.3F),
                             gene_head_case(1, 67, 3, 0.0F), gene_head_case(1, 1, 1, 0.0F)});
  return cases;
}

}  // namespace cdt::test
