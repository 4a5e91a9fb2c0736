// Every op against its float64 formula, values and gradients, at odd sizes and size 1.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "engine/profiler.h"
#include "tests/support/head_op_cases.h"
#include "tests/support/op_case.h"
#include "tests/support/test_backend.h"

namespace cdt::test {
namespace {

constexpr float kP = 0.3F;

OpCase to_activations_case(std::int64_t rows, std::int64_t cols) {
  return {.op = "to_activations",
          .label = "before a GELU",
          .inputs = {{rows, cols}},
          .engine =
              [](Tape& t, const std::vector<Var>& v) {
                return gelu_dropout(t, to_activations(t, v[0]), 0.0F);
              },
          .plain = [](const std::vector<Doubles>& v) { return plain_gelu(v[0]); },
          .activations = 0};
}

OpCase to_float32_case(std::int64_t rows, std::int64_t cols) {
  return {.op = "to_float32",
          .label = "before a GELU",
          .inputs = {{rows, cols}},
          .engine =
              [](Tape& t, const std::vector<Var>& v) {
                return gelu_dropout(t, to_float32(t, v[0]), 0.0F);
              },
          .plain = [](const std::vector<Doubles>& v) { return plain_gelu(v[0]); }};
}

OpCase linear_case(std::int64_t b, std::int64_t n, std::int64_t in, std::int64_t out) {
  return {"linear",
          "",
          {{b, n, in}, {out, in}, {out}},
          [](Tape& t, const std::vector<Var>& v) { return linear(t, v[0], v[1], v[2]); },
          [=](const std::vector<Doubles>& v) { return plain_linear(v[0], v[1], v[2], b * n); }};
}

OpCase layer_norm_case(std::int64_t rows, std::int64_t cols) {
  return {"layer_norm",
          "",
          {{rows, cols}, {cols}, {cols}},
          [](Tape& t, const std::vector<Var>& v) { return layer_norm(t, v[0], v[1], v[2]); },
          [=](const std::vector<Doubles>& v) { return plain_layer_norm(v[0], v[1], v[2], cols); }};
}

OpCase dropout_case(std::int64_t leading, std::int64_t b, std::int64_t n, std::int64_t d) {
  return {
      "dropout",
      "",
      {{leading, n, d}},
      [=](Tape& t, const std::vector<Var>& v) { return dropout(t, v[0], kP, b); },
      [=](const std::vector<Doubles>& v) { return plain_dropout(v[0], case_key(kP), b * n, d); },
      true};
}

OpCase residual_case(std::int64_t leading, std::int64_t b, std::int64_t n, std::int64_t d) {
  return {"residual",
          "",
          {{leading, n, d}, {b, n, d}},
          [](Tape& t, const std::vector<Var>& v) { return residual(t, v[0], v[1]); },
          [](const std::vector<Doubles>& v) { return plain_add(v[0], v[1]); }};
}

OpCase add_case(std::int64_t leading, std::int64_t b, std::int64_t n, std::int64_t d) {
  OpCase out = residual_case(leading, b, n, d);
  out.op = "add";
  out.engine = [](Tape& t, const std::vector<Var>& v) { return add(t, v[0], v[1]); };
  return out;
}

// Unlike residual(), add() leaves its second term as it is.
TEST(Ops, AddKeepsBothTerms) {
  const auto backend = make_test_backend();
  Arena step(*backend, "step"), scratch(*backend, "scratch");
  Tape tape(*backend, step, scratch);
  tape.eval();
  const Tensor one = tape.saved({1, 2, 3}), two = tape.saved({1, 2, 3});
  backend->fill(one, 1.0F);
  backend->fill(two, 2.0F);
  const Var a = tape.output_in(two, false);
  EXPECT_EQ(to_host(*backend, add(tape, tape.constant(one), a)->value),
            std::vector<float>(6, 3.0F));
  EXPECT_EQ(to_host(*backend, a->value), std::vector<float>(6, 2.0F));
}

OpCase add_norm_case(std::int64_t leading, std::int64_t b, std::int64_t n, std::int64_t d) {
  return {
      "add_norm",
      "",
      {{leading, n, d}, {b, n, d}, {d}, {d}},
      [](Tape& t, const std::vector<Var>& v) { return add_norm(t, v[0], v[1], v[2], v[3], kP); },
      [=](const std::vector<Doubles>& v) {
        const Doubles dropped = plain_dropout(v[1], case_key(kP), b * n, d);
        return plain_layer_norm(plain_add(v[0], dropped), v[2], v[3], d);
      },
      true};
}

OpCase gelu_case(std::int64_t rows, std::int64_t cols) {
  return {"gelu_dropout",
          "",
          {{rows, cols}},
          [](Tape& t, const std::vector<Var>& v) { return gelu_dropout(t, v[0], kP); },
          [=](const std::vector<Doubles>& v) {
            return plain_dropout(plain_gelu(v[0]), case_key(kP), rows, cols);
          },
          true};
}

OpCase feed_forward_case(std::int64_t rows, std::int64_t d, std::int64_t f) {
  return {"feed_forward",
          "",
          {{1, rows, d}, {f, d}, {f}, {d, f}, {d}},
          [](Tape& t, const std::vector<Var>& v) {
            return feed_forward(t, v[0], {v[1], v[2], v[3], v[4]}, kP);
          },
          [=](const std::vector<Doubles>& v) {
            const Doubles h = plain_dropout(plain_gelu(plain_linear(v[0], v[1], v[2], rows)),
                                            case_key(kP), rows, f);
            return plain_linear(h, v[3], v[4], rows);
          },
          true};
}

OpCase attention_case(std::int64_t bq, std::int64_t bkv, const AttentionSizes& s) {
  const std::int64_t d = s.heads * s.head_dim;
  return {"attention",
          "",
          {{bq, s.queries, d}, {bkv, s.keys, 2 * d}},
          [=](Tape& t, const std::vector<Var>& v) {
            return attention(t, v[0], v[1], s.heads, kP, s.batch);
          },
          [=](const std::vector<Doubles>& v) {
            return plain_attention(v[0], plain_columns(v[1], 2 * d, 0, d),
                                   plain_columns(v[1], 2 * d, d, 2 * d), s, case_key(kP));
          },
          true};
}

OpCase self_attention_case(std::int64_t leading, const AttentionSizes& s) {
  const std::int64_t d = s.heads * s.head_dim;
  return {"self_attention",
          "",
          {{leading, s.keys, 3 * d}},
          [=](Tape& t, const std::vector<Var>& v) {
            return self_attention(t, v[0], s.heads, kP, s.batch);
          },
          [=](const std::vector<Doubles>& v) {
            return plain_attention(plain_columns(v[0], 3 * d, 0, d),
                                   plain_columns(v[0], 3 * d, d, 2 * d),
                                   plain_columns(v[0], 3 * d, 2 * d, 3 * d), s, case_key(kP));
          },
          true};
}

// The pooled form, written out: project queries, keys and values, attend with one query; v holds x,
// query, in_proj_weight, in_proj_bias.
Doubles plain_pool(const std::vector<Doubles>& v, const AttentionSizes& s, const DropoutKey& key) {
  const std::int64_t d = s.heads * s.head_dim;
  const auto part = [&](int i) {
    return std::pair{Doubles(v[2].begin() + i * d * d, v[2].begin() + (i + 1) * d * d),
                     Doubles(v[3].begin() + i * d, v[3].begin() + (i + 1) * d)};
  };
  const auto project = [&](const Doubles& x, int i) {
    const auto [w, b] = part(i);
    return plain_linear(x, w, b, static_cast<std::int64_t>(x.size()) / d);
  };
  return plain_attention(project(v[1], 0), project(v[0], 1), project(v[0], 2), s, key);
}

OpCase pool_case(std::int64_t b, std::int64_t n, std::int64_t heads, std::int64_t k) {
  const std::int64_t d = heads * k;
  return {"attention_pool",
          "",
          {{b, n, d}, {1, 1, d}, {3 * d, d}, {3 * d}},
          [=](Tape& t, const std::vector<Var>& v) {
            return attention_pool(t, v[0], {v[1], v[2], v[3]}, heads, kP, b);
          },
          [=](const std::vector<Doubles>& v) {
            return plain_pool(v, {b, heads, k, 1, n}, case_key(kP));
          },
          true};
}

OpCase feed_forward_pool_case(std::int64_t n, std::int64_t heads, std::int64_t k, std::int64_t f) {
  const std::int64_t d = heads * k;
  return {.op = "feed_forward_pool",
          .label = "",
          .inputs = {{1, n, d}, {f, d}, {f}, {d, f}, {d}, {d}, {d}, {1, 1, d}, {3 * d, d}, {3 * d}},
          .engine =
              [=](Tape& t, const std::vector<Var>& v) {
                return feed_forward_pool(t, v[0], {v[1], v[2], v[3], v[4]}, v[5], v[6],
                                         {v[7], v[8], v[9]}, heads)
                    .pooled;
              },
          .plain =
              [=](const std::vector<Doubles>& v) {
                const Doubles h = plain_gelu(plain_linear(v[0], v[1], v[2], n));
                const Doubles sum = plain_add(v[0], plain_linear(h, v[3], v[4], n));
                const Doubles tokens = plain_layer_norm(sum, v[5], v[6], d);
                return plain_pool({tokens, v[7], v[8], v[9]}, {1, heads, k, 1, n}, {});
              },
          .wanted = 1};
}

OpCase paper_pool_case(std::int64_t b, std::int64_t n, std::int64_t d) {
  return {"attention_pool",
          "paper",
          {{b, n, d}, {1, 1, d}},
          [=](Tape& t, const std::vector<Var>& v) {
            return attention_pool(t, v[0], {v[1], nullptr, nullptr}, 1, 0.0F, b);
          },
          [=](const std::vector<Doubles>& v) {
            return plain_attention(v[1], v[0], v[0], {b, 1, d, 1, n}, {});
          }};
}

std::vector<OpCase> all_cases() {
  std::vector<OpCase> cases{
      to_activations_case(3, 5), to_float32_case(3, 5), linear_case(2, 3, 5, 7),
      linear_case(1, 1, 1, 1), linear_case(3, 11, 17, 4), layer_norm_case(5, 7),
      layer_norm_case(1, 67), layer_norm_case(70, 3), dropout_case(3, 3, 5, 67),
      dropout_case(1, 4, 3, 9), dropout_case(1, 1, 1, 1), residual_case(2, 2, 3, 5),
      residual_case(1, 3, 2, 7), add_case(2, 2, 3, 5), add_case(1, 3, 2, 7),
      add_norm_case(2, 2, 3, 9), add_norm_case(1, 3, 5, 66), gelu_case(3, 70), gelu_case(1, 1),
      feed_forward_case(5, 6, 70), feed_forward_case(1, 3, 1),
      attention_case(2, 2, {2, 3, 4, 5, 7}), attention_case(1, 3, {3, 2, 3, 4, 70}),
      attention_case(2, 1, {2, 2, 5, 6, 3}), attention_case(1, 1, {3, 2, 4, 5, 6}),
      attention_case(1, 1, {1, 1, 1, 1, 1}),
      // Fused if possible: heads of 32, 64 and 96 in bfloat16.
      attention_case(2, 2, {2, 1, 32, 3, 5}), attention_case(1, 1, {1, 2, 64, 2, 3}),
      self_attention_case(1, {1, 1, 96, 3, 3}), self_attention_case(2, {2, 2, 3, 9, 9}),
      self_attention_case(1, {3, 2, 4, 7, 7}), pool_case(2, 9, 2, 3), pool_case(1, 1, 1, 4),
      pool_case(3, 66, 3, 2), paper_pool_case(3, 7, 5), feed_forward_pool_case(9, 2, 3, 7),
      feed_forward_pool_case(67, 1, 5, 3), feed_forward_pool_case(1, 3, 2, 66)};
  const std::vector<OpCase> head = head_op_cases();
  cases.insert(cases.end(), head.begin(), head.end());
  const std::map<std::string, std::size_t> activations{
      {"residual", 2}, {"add", 2}, {"add_norm", 2}, {"attention", 2}};
  for (OpCase& c : cases) {
    const auto found = activations.find(c.op);
    if (found != activations.end()) c.activations = found->second;
    c.values = std::max({std::size_t{1}, c.activations, c.values});
  }
  const std::size_t writing = cases.size();
  for (std::size_t i = 0; i < writing; ++i) {
    cases.push_back(cases[i]);
    cases.back().accumulate = true;
    cases.back().label += ", accumulating";
  }
  return cases;
}

TEST(Ops, ValuesAndGradientsMatchTheirFormulas) {
  const auto backend = make_test_backend();
  int i = 0;
  for (const OpCase& c : all_cases()) {
    EXPECT_EQ(check_op(*backend, c), "") << "case " << i << ": " << c.op << " " << c.label;
    ++i;
  }
}

/// The functions that engine/ops.h declares; engine/ is next to the folder tests/.
std::set<std::string> declared_ops() {
  const auto root = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
  std::ifstream header(root / "engine/ops.h");
  EXPECT_TRUE(header) << root;
  std::set<std::string> names;
  for (std::string line; std::getline(header, line);) {
    const std::size_t arguments = line.find("(Tape& tape");
    if (arguments == std::string::npos) continue;
    const std::size_t name = line.find(' ') + 1;  // after the type
    names.insert(line.substr(name, arguments - name));
  }
  return names;
}

// Compared by the names of ops and gradient rules. Not on GPU machines, which have no sources.
TEST(OpList, EveryOpOfTheHeaderHasAGradientCase) {
  const auto backend = make_profiling_backend(make_test_backend());
  for (const OpCase& c : all_cases()) EXPECT_EQ(check_op(*backend, c), "") << c.op;
  std::map<ProfilePass, std::set<std::string>> ran;
  for (const auto& [key, row] : backend->profiler()->rows()) ran[key.first].insert(key.second);
  std::set<std::string> ops = declared_ops();
  EXPECT_GT(ops.size(), 10U);
  if (backend->activations() == Dtype::kFloat32) {  // these return their input
    ops.erase("to_activations");
    ops.erase("to_float32");
  }
  EXPECT_EQ(ran[ProfilePass::kForward], ops);
  EXPECT_EQ(ran[ProfilePass::kBackward], ops);
}

/// y = x, with a gradient rule that passes the gradient to x in one of several ways.
OpCase copy_case(const std::function<void(Tape&, Var x, const Tensor& dy)>& rule) {
  return {"copy",
          "",
          {{3, 5}},
          [=](Tape& t, const std::vector<Var>& v) {
            const Var y = t.output({3, 5}, true, v[0]->value.dtype);
            t.backend().copy(y->value, v[0]->value);
            t.record(y, {}, [=, &t] { rule(t, v[0], y->grad); });
            return y;
          },
          [](const std::vector<Doubles>& v) { return v[0]; }};
}

TEST(Ops, TheCheckSeesARuleThatAlwaysAddsOrAlwaysWrites) {
  const auto backend = make_test_backend();
  const auto complaints = [&](const auto& rule) {
    OpCase c = copy_case(rule);
    const bool writing = !check_op(*backend, c).empty();
    c.accumulate = true;
    return std::pair(writing, !check_op(*backend, c).empty());
  };
  EXPECT_EQ(complaints([](Tape& t, Var x, const Tensor& dy) {
              t.write_gradient(x, [&](const Tensor& dx) { t.backend().copy(dx, dy); });
            }),
            std::pair(false, false));
  EXPECT_EQ(complaints([](Tape& t, Var x, const Tensor& dy) {
              t.backend().add_to(t.gradient(x).grad, dy);
            }),
            std::pair(true, false));
  EXPECT_EQ(complaints(
                [](Tape& t, Var x, const Tensor& dy) { t.backend().copy(t.gradient(x).grad, dy); }),
            std::pair(false, true));
}

TEST(Ops, TheCheckSeesAnInputThatAnOpDoesNotName) {
  OpCase forgetful = copy_case([](Tape& t, Var x, const Tensor& dy) {
    t.write_gradient(x, [&](const Tensor& dx) { t.backend().copy(dx, dy); });
  });
  const auto copy = forgetful.engine;
  forgetful.engine = [=](Tape& t, const std::vector<Var>& v) {
    const OpScope op(t, "copy", {});
    return copy(t, v);
  };
  EXPECT_EQ(check_op(*make_profiling_backend(make_test_backend()), forgetful),
            "input 0 is not in the trace");
  EXPECT_EQ(check_op(*make_test_backend(), forgetful), "");
}

TEST(Ops, TheCheckSeesAPlantedError) {
  const auto backend = make_test_backend();
  OpCase wrong_value = linear_case(2, 3, 5, 7);
  wrong_value.plain = [](const std::vector<Doubles>& v) {
    Doubles y = plain_linear(v[0], v[1], v[2], 6);
    double squares = 0.0;
    for (const double x : y) squares += x * x;
    y[3] += 2.0 * op_value_tolerance() * std::sqrt(squares);
    return y;
  };
  EXPECT_NE(check_op(*backend, wrong_value), "");
  OpCase wrong_mask = gelu_case(3, 70);
  wrong_mask.plain = [](const std::vector<Doubles>& v) {
    return plain_dropout(plain_gelu(v[0]), case_key(kP, 1), 3, 70);
  };
  EXPECT_NE(check_op(*backend, wrong_mask), "");
}

TEST(Ops, ShapesAreCheckedWithBothInTheMessage) {
  const auto backend = make_test_backend();
  Arena step(*backend, "step");
  Arena scratch(*backend, "scratch");
  Tape tape(*backend, step, scratch);
  const Var x = tape.constant(step.tensor({2, 3}));
  const Var w = tape.constant(step.tensor({4, 5}));
  const Var b = tape.constant(step.tensor({4}));
  try {
    linear(tape, x, w, b);
    FAIL() << "no error";
  } catch (const std::exception& e) {
    EXPECT_STREQ(e.what(), "linear: x: shape (expected (2, 5), got (2, 3))");
  }
}

}  // namespace
}  // namespace cdt::test
