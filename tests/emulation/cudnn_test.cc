// Attention by cuDNN: used if the library computes what our kernels do; otherwise our own kernels,
// with the same bits, and a note with the reason.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "engine/backend.h"
#include "engine/bfloat16.h"
#include "tests/emulation/checked_test.h"
#include "tests/support/relative_error.h"

namespace cdt::test {
namespace {

struct Sizes {
  std::int64_t batch, heads, head_dim, queries, keys;
  bool shared_queries = false;
};
/// Odd sizes, several tiles, and queries that the batch shares, as in prediction.
constexpr Sizes kSizes[] = {{1, 1, 32, 1, 1},
                            {2, 3, 8, 33, 31},
                            {2, 1, 96, 70, 130},
                            {3, 2, 40, 5, 66, true},
                            {1, 1, 128, 9, 65}};

struct Outcome {
  std::vector<float> out, log_sum_exp, probabilities;
  std::uint64_t launches = 0;  // our own kernels, in the last of the runs
  std::size_t planned = 0, taken = 0;
  std::vector<std::string> notes;

  bool same_bits(const Outcome& other) const {
    return out == other.out && log_sum_exp == other.log_sum_exp &&
           probabilities == other.probabilities;
  }
};

Tensor random_tensor(Backend& backend, Arena& arena, const Shape& shape, std::uint32_t seed) {
  const Tensor wide = arena.tensor(shape);
  const Tensor out = arena.tensor(shape, backend.activations());
  std::vector<float> values(static_cast<std::size_t>(wide.count()));
  std::uint32_t state = seed;
  for (float& x : values) {
    state = state * 1664525U + 1013904223U;
    x = static_cast<float>(state >> 8U) * 0x1p-23F - 1.0F;
  }
  backend.upload(wide, values.data());
  backend.cast(out, wide);
  return out;
}

/// Attention to packed keys and values, as projections leave them.
class Problem {
 public:
  Problem(const CudaOptions& options, const Sizes& s, bool mapped = false, float dropout = 0.0F)
      : backend_(make_cuda_backend(options)) {
    const std::int64_t width = s.heads * s.head_dim;
    const Shape q_shape{s.shared_queries ? 1 : s.batch, s.queries, width};
    const Tensor q = random_tensor(*backend_, tensors_, q_shape, 1);
    const Tensor kv = random_tensor(*backend_, tensors_, {s.batch, s.keys, 2 * width}, 2);
    const auto view = [](const Tensor& t, std::int64_t from) {
      return HeadsView{t.at(from), t.cols(), t.shape[0] == 1 ? 0 : t.shape[1] * t.cols(), t.dtype};
    };
    a_ = {.batch = s.batch,
          .heads = s.heads,
          .head_dim = s.head_dim,
          .queries = s.queries,
          .keys = s.keys,
          .q = view(q, 0),
          .k = view(kv, 0),
          .v = view(kv, width),
          .out = tensors_.tensor({s.batch, s.queries, width}, backend_->activations()),
          .log_sum_exp = tensors_.tensor({s.batch, s.heads, s.queries}),
          .probabilities = {},
          .dropout = {7, 0, 0, dropout}};
    if (mapped) a_.probabilities = tensors_.tensor({s.batch, s.heads, s.queries, s.keys});
    backend_->begin_step(0);
  }

  /// Keys shifted by one element: kernels that load 16 bytes at once cannot read them.
  void misalign() {
    a_.k.data = reinterpret_cast<float*>(reinterpret_cast<BFloat16*>(a_.k.data) + 1);
  }

  /// Every run is under run_recorded(), so the second is recorded and the third replays it.
  Outcome run(int runs) {
    Outcome outcome;
    for (int i = 0; i < runs; ++i) {
      const std::uint64_t before = emulation::launch_count();
      backend_->run_recorded("attend", {a_.out, a_.log_sum_exp},
                             [&] { backend_->attention(a_, scratch_); });
      backend_->synchronize();
      outcome.launches = emulation::launch_count() - before;
    }
    outcome.out = to_host(*backend_, a_.out);
    outcome.log_sum_exp = to_host(*backend_, a_.log_sum_exp);
    if (!a_.probabilities.empty()) outcome.probabilities = to_host(*backend_, a_.probabilities);
    backend_->attention_scratch(a_, plan_);
    outcome.planned = plan_.peak();
    outcome.taken = scratch_.peak();
    outcome.notes = backend_->notes();
    return outcome;
  }

 private:
  std::unique_ptr<Backend> backend_;
  Arena tensors_{*backend_, "tensors"}, scratch_{*backend_, "scratch"}, plan_{*backend_, "plan"};
  Attention a_;
};

Outcome attend(const CudaOptions& options, const Sizes& s, bool mapped = false, int runs = 1,
               float dropout = 0.0F) {
  return Problem(options, s, mapped, dropout).run(runs);
}

constexpr CudaOptions kCudnn{.precision = Precision::kBFloat16,
                             .attention = AttentionChoice::kCudnn};
constexpr CudaOptions kOwn{.precision = Precision::kBFloat16, .attention = AttentionChoice::kOwn};
constexpr CudaOptions kAuto{.precision = Precision::kBFloat16};

void expect_note(const Outcome& outcome, std::initializer_list<const char*> parts) {
  ASSERT_EQ(outcome.notes.size(), 1U);
  for (const char* part : parts) {
    EXPECT_NE(outcome.notes[0].find(part), std::string::npos)
        << "no '" << part << "' in: " << outcome.notes[0];
  }
}

class CudnnAttentionTest : public CheckedTest {
 protected:
  static void plant(const char* what) { setenv("CDT_EMULATED_CUDNN", what, 1); }
  void TearDown() override {
    unsetenv("CDT_EMULATED_CUDNN");
    CheckedTest::TearDown();
  }
};

TEST_F(CudnnAttentionTest, IsTakenWhereItAgrees) {
  for (const Sizes& s : kSizes) {
    const Outcome own = attend(kOwn, s, /*mapped=*/true);
    const Outcome got = attend(kCudnn, s, /*mapped=*/true, /*runs=*/3);
    EXPECT_LT(relative_error(got.out, own.out), 4.0 * kBFloat16Rounding);
    EXPECT_LT(relative_error(got.log_sum_exp, own.log_sum_exp), 64.0 * 0x1p-23);
    EXPECT_LT(relative_error(got.probabilities, own.probabilities), 64.0 * 0x1p-23);
    EXPECT_EQ(got.launches, 1U) << "but the map, nothing is ours";
    EXPECT_EQ(own.launches, 2U);
    expect_note(got, {"attention of ", "cuDNN's; cuDNN 9.19.0 differs by "});
    EXPECT_EQ(got.planned, got.taken);
    EXPECT_TRUE(own.notes.empty());
  }
}

TEST_F(CudnnAttentionTest, HasTheSameBitsEachTimeAndRecorded) {
  constexpr Sizes kShape{2, 2, 32, 65, 97};
  const Outcome eager = attend(kCudnn, kShape);
  EXPECT_TRUE(attend(kCudnn, kShape).same_bits(eager));
  const Outcome replayed = attend(kCudnn, kShape, false, 3);
  EXPECT_TRUE(replayed.same_bits(eager));
  EXPECT_EQ(replayed.launches, 0U);
}

TEST_F(CudnnAttentionTest, RunsInTheOrderOfItsStream) {
  emulation::set_lazy(true);
  const Outcome got = attend(kCudnn, {2, 2, 32, 65, 97}, true, 3);
  emulation::set_lazy(false);
  EXPECT_TRUE(got.same_bits(attend(kCudnn, {2, 2, 32, 65, 97}, true, 3)));
}

// Every reason not to use the library gives our own bits, and one note.
TEST_F(CudnnAttentionTest, IsOursWhereTheLibraryIsNoHelp) {
  const struct {
    const char *planted, *note;
  } cases[] = {
      {"missing", "attention: our own; cuDNN cannot be used: libcudnn.so.9 is not there"},
      {"old", "libcudnn.so.9 is of version 9.10.2, older than 9.13.1"},
      {"no-engine",
       "does not compute it: its sums have no fixed order; cudnnBackendFinalize: "
       "CUDNN_STATUS_NOT_SUPPORTED no engine of the emulation"},
      {"unordered", "our own; cuDNN 9.19.0 does not compute it: its sums have no fixed order"},
      {"failing", "cudnnBackendExecute: CUDNN_STATUS_EXECUTION_FAILED as planted"},
      {"wrong", "our own; cuDNN 9.19.0 differs by 0.05 of the norm"},
      {"wrong-sums", "(at most 0.016 and 7.6e-06)"}};
  constexpr Sizes kShape{2, 2, 32, 65, 97};
  const Outcome own = attend(kOwn, kShape, true, 3);
  for (const auto& c : cases) {
    plant(c.planted);
    const Outcome got = attend(kCudnn, kShape, true, 3);
    EXPECT_TRUE(got.same_bits(own)) << c.planted;
    EXPECT_EQ(got.launches, own.launches) << c.planted;
    expect_note(got, {c.note});
  }
}

TEST_F(CudnnAttentionTest, IsAskedForNothingElse) {
  constexpr Sizes kShape{2, 2, 32, 9, 17};
  const Outcome dropped = attend(kOwn, kShape, true, 1, 0.3F);
  EXPECT_TRUE(attend(kCudnn, kShape, true, 1, 0.3F).same_bits(dropped));
  EXPECT_TRUE(attend(kCudnn, kShape, true, 1, 0.3F).notes.empty());
  CudaOptions float32 = kCudnn;
  for (const Precision precision : {Precision::kFloat32, Precision::kTf32}) {
    float32.precision = precision;
    EXPECT_TRUE(attend(float32, kShape).notes.empty());
  }
}

TEST_F(CudnnAttentionTest, LeavesUsWhatItCannotRead) {
  constexpr Sizes kOddHeads{1, 2, 5, 9, 17};
  const Outcome got = attend(kCudnn, kOddHeads, true);
  EXPECT_TRUE(got.same_bits(attend(kOwn, kOddHeads, true)));
  expect_note(got, {"attention of 1 x 2 heads of 5, 9 queries, 17 keys: our own; "});
}

// Even if cuDNN computes other attentions of this shape.
TEST_F(CudnnAttentionTest, LeavesUsMisalignedOperands) {
  constexpr Sizes kShape{2, 2, 32, 9, 17};
  CudaOptions own = kOwn, cudnn = kCudnn;
  own.graphs = cudnn.graphs = false;  // two different calls
  Problem ours(own, kShape), problem(cudnn, kShape);
  expect_note(problem.run(1), {"cuDNN's; "});
  ours.misalign();
  problem.misalign();
  EXPECT_TRUE(problem.run(1).same_bits(ours.run(1)));
}

// Until measurements say otherwise.
TEST_F(CudnnAttentionTest, AutoIsOurs) {
  constexpr Sizes kShape{2, 2, 32, 9, 17};
  const Outcome got = attend(kAuto, kShape);
  EXPECT_TRUE(got.same_bits(attend(kOwn, kShape)));
  EXPECT_TRUE(got.notes.empty());
}

}  // namespace
}  // namespace cdt::test
