// Kernels that work on rows, against the CPU backend: dropout, GELU, residual, layer norm, softmax,
// sums.
#include <iterator>

#include "tests/kernels/kernel_case.h"
#include "tests/kernels/kernel_test.h"

namespace cdt::test {
namespace {

constexpr std::int64_t kRows = 3;
constexpr std::int64_t kBatch = 2;

class RowKernels : public KernelTest {};

/// Name, width and dropout probability in a trace.
std::string label(const char* name, std::int64_t cols, float p) {
  return std::string(name) + " (" + std::to_string(kRows) + ", " + std::to_string(cols) + "), p " +
         std::to_string(p);
}

template <class Body>
void for_sizes(const Body& body) {
  for (const std::int64_t cols : kWidths) {
    for (const float p : {0.0F, 0.3F}) body(cols, p);
  }
}

TEST_F(RowKernels, Dropout) {
  for_sizes([](std::int64_t c, float p) {
    expect_agreement({label("dropout", c, p),
                      {{{kRows, c}, true}, {{kBatch * kRows, c}, true, Fill::kZero}},
                      [p](Backend& b, const std::vector<Tensor>& t, Arena&) {
                        b.dropout(t[0], some_key(p), t[1]);
                      }});
    for (const bool accumulate : {false, true}) {
      expect_agreement({label("dropout_backward", c, p),
                        {{{kBatch * kRows, c}, true}, {{kRows, c}, true}},
                        [=](Backend& b, const std::vector<Tensor>& t, Arena&) {
                          b.dropout_backward(t[0], some_key(p), t[1], accumulate);
                        }});
    }
  });
}

TEST_F(RowKernels, ZeroRows) {
  for (const std::int64_t c : kWidths) {
    expect_agreement({"zero_rows of " + std::to_string(c),
                      {{{kRows}, false, Fill::kZero}, {{kRows, c}, true}},
                      [](Backend& b, const std::vector<Tensor>& t, Arena&) {
                        std::vector<float> keep(static_cast<std::size_t>(kRows), 1.0F);
                        for (std::size_t r = 0; r < keep.size(); r += 3) keep[r] = 0.0F;
                        b.upload(t[0], keep.data());
                        b.zero_rows(t[0], t[1]);
                      }});
  }
}

TEST_F(RowKernels, Gelu) {
  constexpr std::int64_t kFirstRow = 5;
  for_sizes([](std::int64_t c, float p) {
    expect_agreement({label("gelu_dropout", c, p),
                      {{{kRows, c}, true}, {{kRows, c}, true, Fill::kZero}},
                      [p](Backend& b, const std::vector<Tensor>& t, Arena&) {
                        b.gelu_dropout(t[0], some_key(p), kFirstRow, t[1]);
                      }});
    for (const bool wanted : {false, true}) {
      expect_agreement({label("gelu_dropout_backward in place", c, p),
                        {{{kRows, c}, true}, {{kRows, c}, true}},
                        [p, wanted](Backend& b, const std::vector<Tensor>& t, Arena&) {
                          b.gelu_dropout_backward(t[0], t[1], some_key(p), kFirstRow, t[1],
                                                  wanted ? t[0] : Tensor{}, {});
                        }});
    }
  });
}

// More rows than a block has, so that the sums go through both stages.
TEST_F(RowKernels, GeluWithSums) {
  for_sizes([](std::int64_t c, float p) {
    for (const std::int64_t rows : {std::int64_t{1}, std::int64_t{50}}) {
      expect_agreement({label("gelu_dropout_backward with h and sums", c, p),
                        {{{rows, c}, true},
                         {{rows, c}, true},
                         {{rows, c}, true, Fill::kZero},
                         {{rows, c}, true, Fill::kZero},
                         {{c}}},
                        [p](Backend& b, const std::vector<Tensor>& t, Arena&) {
                          b.gelu_dropout_backward(t[0], t[1], some_key(p), 5, t[2], t[3], t[4]);
                        }});
    }
  });
}

TEST_F(RowKernels, Residual) {
  for_sizes([](std::int64_t c, float p) {
    expect_agreement({label("residual_dropout", c, p),
                      {{{kRows, c}, true}, {{kBatch * kRows, c}, true}},
                      [p](Backend& b, const std::vector<Tensor>& t, Arena&) {
                        b.residual_dropout(t[0], some_key(p), t[1]);
                      }});
  });
}

TEST_F(RowKernels, ScaleAndCentre) {
  for_sizes([](std::int64_t c, float p) {
    if (p > 0.0F || c == 1) return;  // one column minus its mean is zero
    expect_agreement({label("scale_and_centre", c, p),
                      {{{kRows, c}}, {{c}}, {{kRows, c}, false, Fill::kZero}},
                      [](Backend& b, const std::vector<Tensor>& t, Arena&) {
                        b.scale_and_centre(t[0], t[1], t[2]);
                      }});
  });
}

// One column has no variance, so its gradient is noise.
void expect_residual_norm(std::int64_t c, float p) {
  expect_agreement({label("residual_dropout_norm", c, p),
                    {{{kRows, c}, true},
                     {{kBatch * kRows, c}, true},
                     {{c}},
                     {{c}},
                     {{kBatch * kRows, c}, true, Fill::kZero},
                     {{kBatch * kRows, 2}, false, Fill::kZero}},
                    [p](Backend& b, const std::vector<Tensor>& t, Arena&) {
                      b.residual_dropout_norm(t[0], some_key(p), t[1], t[2], t[3], t[4], t[5]);
                    },
                    2.0});
}

TEST_F(RowKernels, LayerNorm) {
  for_sizes([](std::int64_t c, float p) {
    if (c == 1) return;
    expect_agreement({label("layer_norm", c, p),
                      {{{kRows, c}, true},
                       {{c}},
                       {{c}},
                       {{kRows, c}, true, Fill::kZero},
                       {{kRows, 2}, false, Fill::kZero}},
                      [](Backend& b, const std::vector<Tensor>& t, Arena&) {
                        b.layer_norm(t[0], t[1], t[2], t[3], t[4]);
                      }});
    expect_residual_norm(c, p);
  });
}

// Wider than what lanes hold in registers.
constexpr std::int64_t kWideRows[] = {1024, 1025, 2112};

TEST_F(RowKernels, LayerNormOfWideRows) {
  for (const std::int64_t c : kWideRows) {
    expect_residual_norm(c, 0.3F);
  }
}

TEST_F(RowKernels, LayerNormBackward) {
  std::vector<std::int64_t> widths(std::begin(kWidths), std::end(kWidths));
  widths.insert(widths.end(), std::begin(kWideRows), std::end(kWideRows));
  for (const std::int64_t c : widths) {
    for (const std::int64_t rows : {std::int64_t{1}, std::int64_t{33}}) {
      const auto name =
          "layer_norm_backward of " + std::to_string(rows) + " rows, " + std::to_string(c);
      expect_agreement({name,
                        {{{rows, c}, true},
                         {{c}},
                         {{rows, 2}, false, Fill::kPositive},
                         {{rows, c}, true},
                         {{c}},
                         {{c}}},
                        [](Backend& b, const std::vector<Tensor>& t, Arena&) {
                          b.layer_norm_backward(t[0], t[1], t[2], t[3], t[3], t[4], t[5]);
                        }});
    }
  }
}

/// The tensors of add_norm_backward_case(), in this order.
enum NormTensor { kSum, kGamma, kStats, kDy, kDx, kDa, kDgamma, kDbeta, kDbias };

/// x_rows: rows of dx, which the batch shares if they are fewer. Accumulated inputs have no bias.
KernelCase add_norm_backward_case(std::int64_t rows, std::int64_t x_rows, std::int64_t c, float p,
                                  bool add) {
  return {label("add_norm_backward", c, p) + ", " + std::to_string(rows) + " rows, " +
              std::to_string(x_rows) + " of x" + (add ? ", added" : ""),
          {{{rows, c}, true},
           {{c}},
           {{rows, 2}, false, Fill::kPositive},
           {{rows, c}, true},
           {{x_rows, c}, true},
           {{rows, c}, true},
           {{c}},
           {{c}},
           {{c}}},
          [=](Backend& b, const std::vector<Tensor>& t, Arena& scratch) {
            const Scratch dy(scratch, t[kDy].shape, t[kDy].dtype);  // overwritten
            b.copy(*dy, t[kDy]);
            b.add_norm_backward({.sum = t[kSum],
                                 .gamma = t[kGamma],
                                 .stats = t[kStats],
                                 .dy = *dy,
                                 .dropout = some_key(p),
                                 .dx = t[kDx],
                                 .add_dx = add,
                                 .da = t[kDa],
                                 .add_da = add,
                                 .dgamma = t[kDgamma],
                                 .dbeta = t[kDbeta],
                                 .dbias = add ? Tensor{} : t[kDbias]});
          },
          2.0};
}

TEST_F(RowKernels, AddNormBackward) {
  for_sizes([](std::int64_t c, float p) {
    expect_agreement(add_norm_backward_case(10, 10, c, p, p == 0.0F));
    expect_agreement(add_norm_backward_case(6, 3, c, p, p > 0.0F));
  });
  for (const std::int64_t c : kWideRows) {
    expect_agreement(add_norm_backward_case(6, 6, c, 0.3F, false));
    expect_agreement(add_norm_backward_case(6, 3, c, 0.3F, true));
  }
}

// Enough rows that every block of the sums takes a second turn.
TEST_F(RowKernels, AddNormBackwardOfManyRows) {
  expect_agreement(add_norm_backward_case(2063, 2063, 33, 0.3F, false));
}

TEST_F(RowKernels, Softmax) {
  for_sizes([](std::int64_t c, float p) {
    expect_agreement({label("softmax_dropout", c, p),
                      {{{kRows, c}}, {{kRows, c}, false, Fill::kZero}},
                      [p](Backend& b, const std::vector<Tensor>& t, Arena&) {
                        b.softmax_dropout(t[0], some_key(p), t[1]);
                      }});
    expect_agreement({label("softmax_dropout_backward in place", c, p),
                      {{{kRows, c}, false, Fill::kPositive}, {{kRows, c}}},
                      [p](Backend& b, const std::vector<Tensor>& t, Arena&) {
                        b.softmax_dropout_backward(t[0], t[1], some_key(p), t[1]);
                      }});
  });
}

TEST_F(RowKernels, Sums) {
  for (const std::int64_t c : kWidths) {
    for (const std::int64_t rows : {std::int64_t{1}, std::int64_t{50}}) {
      for (const bool accumulate : {false, true}) {
        expect_agreement({"column_sum of " + std::to_string(rows) + " rows, " + std::to_string(c),
                          {{{rows, c}, true}, {{c}}},
                          [=](Backend& b, const std::vector<Tensor>& t, Arena&) {
                            b.column_sum(t[0], t[1], accumulate);
                          }});
      }
    }
    expect_agreement({"row_dot_sqrt, " + std::to_string(c),
                      {{{kRows, c}, false, Fill::kPositive},
                       {{kRows, c}, false, Fill::kPositive},
                       {{kRows}, false, Fill::kZero}},
                      [](Backend& b, const std::vector<Tensor>& t, Arena&) {
                        b.row_dot_sqrt(t[0], t[1], t[2]);
                      }});
  }
}

TEST_F(RowKernels, Columns) {
  for (const std::int64_t c : kWidths) {
    for (const std::int64_t rows : {std::int64_t{1}, kRows}) {
      const std::string size = std::to_string(rows) + " rows, " + std::to_string(c);
      expect_agreement(
          {"put_columns of " + size,
           {{{rows, c}}, {{kRows, c + 7}}},
           [](Backend& b, const std::vector<Tensor>& t, Arena&) { b.put_columns(t[0], 3, t[1]); }});
      for (const bool accumulate : {false, true}) {
        expect_agreement({"take_columns to " + size,
                          {{{kRows, c + 7}}, {{rows, c}}},
                          [=](Backend& b, const std::vector<Tensor>& t, Arena&) {
                            b.take_columns(t[0], 3, t[1], accumulate);
                          }});
      }
    }
  }
}

TEST_F(RowKernels, ElementByElement) {
  for (const std::int64_t n : {1, 31, 33, 1023, 1024, 1025, 3001}) {
    expect_agreement(
        {"add_to, " + std::to_string(n),
         {{{n}, true}, {{n}, true}},
         [](Backend& b, const std::vector<Tensor>& t, Arena&) { b.add_to(t[0], t[1]); }});
    expect_agreement(
        {"fill, " + std::to_string(n),
         {{{n}}},
         [](Backend& b, const std::vector<Tensor>& t, Arena&) { b.fill(t[0], 2.5F); }});
    expect_agreement({"cast to and from, " + std::to_string(n),
                      {{{n}}, {{n}, true, Fill::kZero}, {{n}, false, Fill::kZero}},
                      [](Backend& b, const std::vector<Tensor>& t, Arena&) {
                        b.cast(t[1], t[0]);
                        b.cast(t[2], t[1]);
                      }});
  }
}

}  // namespace
}  // namespace cdt::test
