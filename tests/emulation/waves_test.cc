// The parts of a feed-forward net on a GPU: their sizes, and that they do not affect results.
#include "engine/cuda/waves.h"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "engine/ops.h"
#include "engine/random.h"
#include "tests/support/relative_error.h"

namespace cdt::test {
namespace {

constexpr std::int64_t kH200 = 132;

std::int64_t model_part(std::int64_t rows, const PartTiles& tiles = kLibraryParts) {
  return feed_forward_part(rows, 768, 3072, kH200, tiles);
}

TEST(FeedForwardParts, AreEqualAndFillWholeWaves) {
  EXPECT_EQ(model_part(1), 1);
  EXPECT_EQ(model_part(896), 896);    // DNA of one sample
  EXPECT_EQ(model_part(2360), 2360);  // genes of one sample
  EXPECT_EQ(model_part(7168), 7168);  // DNA of eight
  EXPECT_EQ(model_part(9472), 9472);
  EXPECT_EQ(model_part(18880), 9440);  // genes of eight
  // 7 x 4 waves forward and as many back, where 9,440 rows would take 4 x (7 + 4 x 2) = 60.
  EXPECT_EQ(model_part(37760), 5395);
  // 27 x 768 + 7 x 3072 deep, where two parts would take 2 x (14 x 768 + 4 x 3072).
  EXPECT_EQ(model_part(18880, kSplitParts), 18880);
  EXPECT_EQ(model_part(7168, kSplitParts), 7168);
}

TEST(FeedForwardParts, AreNeverTooLarge) {
  for (std::int64_t rows = 1; rows < 100000; rows += 997) {
    for (const std::int64_t multiprocessors : {1, 4, 108, 148}) {
      for (const PartTiles& tiles : {kLibraryParts, kSplitParts}) {
        const std::int64_t part = feed_forward_part(rows, 33, 97, multiprocessors, tiles);
        EXPECT_GE(part, 1);
        EXPECT_LE(part, tiles.most_rows);
      }
    }
  }
}

/// Value, gradient of x and of the parameters of a net from 3 to 5 and back, with dropout.
std::vector<std::vector<float>> run(Backend& backend, std::int64_t rows) {
  Arena lasting(backend, "lasting"), step(backend, "step"), scratch(backend, "scratch");
  RandomStream random(11, 1);
  const auto put = [&](const Shape& shape) {
    std::vector<float> values(static_cast<std::size_t>(shape.count()));
    for (float& x : values) x = static_cast<float>(random.normal());
    const Tensor t = lasting.tensor(shape);
    backend.upload(t, values.data());
    return t;
  };
  Tape tape(backend, step, scratch);
  tape.train(3, 4);
  const Var x = tape.input(put({1, rows, 3}));
  std::deque<Variable> weights;
  for (const Shape& shape : {Shape{5, 3}, Shape{5}, Shape{3, 5}, Shape{3}}) {
    Variable& w = weights.emplace_back();
    w.value = put(shape);
    w.needs_grad = w.lasting = true;
    w.grad = lasting.tensor(shape);
    backend.fill(w.grad, 0.0F);
  }
  const Var y = feed_forward(tape, x, {&weights[0], &weights[1], &weights[2], &weights[3]}, 0.3F);
  std::vector<std::vector<float>> out{to_host(backend, y->value)};
  tape.backward(y, put(y->value.shape));
  out.push_back(to_host(backend, x->grad));
  for (const Variable& w : weights) out.push_back(to_host(backend, w.grad));
  return out;
}

TEST(FeedForwardParts, AreNotSeenInResults) {
  constexpr std::int64_t kRows = kLibraryParts.most_rows + 1;  // two parts; three on the CPU
  const auto cpu = make_cpu_backend(1);
  const auto gpu = make_cuda_backend({});
  ASSERT_LT(gpu->feed_forward_rows(kRows, 3, 5), kRows);
  ASSERT_NE(gpu->feed_forward_rows(kRows, 3, 5), cpu->feed_forward_rows(kRows, 3, 5));
  const auto want = run(*cpu, kRows);
  const auto got = run(*gpu, kRows);
  for (std::size_t i = 0; i < want.size(); ++i) {
    EXPECT_LE(relative_error(got[i], want[i]), 1e-5) << i;
  }
}

}  // namespace
}  // namespace cdt::test
