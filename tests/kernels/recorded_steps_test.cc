// Recorded steps: what a replay refuses, and moments that each replay records again.
#include "engine/backend.h"
#include "engine/error.h"
#include "tests/kernels/kernel_test.h"

namespace cdt::test {
namespace {

constexpr std::int64_t kCount = 33;

class RecordedSteps : public KernelTest {
 protected:
  void SetUp() override {
#ifdef CDT_DEBUG
    GTEST_SKIP() << "a debug build runs each step as it is";
#endif
    KernelTest::SetUp();
    for (const Tensor& t : {sum_, term_, other_}) backend_->fill(t, 0.0F);
    backend_->fill(term_, 1.0F);
  }
  /// One step that adds term_ to sum_, with `operands` declared as its operands.
  void step(const std::vector<Tensor>& operands) {
    backend_->run_recorded("adding", operands, [&] {
      ++calls_;
      backend_->add_to(sum_, term_);
    });
  }
  /// The message with which a replay with these operands is refused.
  std::string refusal(const std::vector<Tensor>& operands) {
    try {
      step(operands);
    } catch (const Error& e) {
      return e.what();
    }
    return "no refusal";
  }
  float sum() {
    std::vector<float> host(kCount);
    backend_->download(host.data(), sum_);
    return host.back();
  }

  std::unique_ptr<Backend> backend_ = make_cuda_backend({});
  Arena arena_{*backend_, "tensors"};
  Tensor sum_ = arena_.tensor({kCount});
  Tensor term_ = arena_.tensor({kCount});
  Tensor other_ = arena_.tensor({kCount});
  int calls_ = 0;
};

TEST_F(RecordedSteps, AreReplayedOnTheSameOperands) {
  for (int i = 1; i <= 4; ++i) {
    step({sum_, term_});
    EXPECT_EQ(sum(), static_cast<float>(i));
  }
  EXPECT_EQ(calls_, 2) << "as it is, recorded, then replayed";
}

TEST_F(RecordedSteps, RefuseAReplayOnOtherOperands) {
  for (int i = 0; i < 2; ++i) step({sum_, term_});
  const Tensor narrower{sum_.data, {kCount - 1}};
  const Tensor another_type{sum_.data, {kCount}, Dtype::kInt32};
  for (const Tensor& changed : {narrower, another_type, other_}) {
    const std::string message = refusal({changed, term_});
    EXPECT_NE(message.find("operand 0 of the recorded step 'adding'"), std::string::npos)
        << message;
  }
  EXPECT_NE(refusal({sum_, other_}).find("operand 1 of the recorded step 'adding'"),
            std::string::npos);
  EXPECT_NE(refusal({sum_}).find("the recorded step 'adding' had 2 operands, not 1"),
            std::string::npos);
  EXPECT_EQ(sum(), 2.0F) << "what is refused changes nothing";
  step({sum_, term_});
  EXPECT_EQ(sum(), 3.0F);
  EXPECT_EQ(calls_, 2);
}

// The second moment lies within the recorded step: every replay records it again, after the first.
TEST_F(RecordedSteps, NoteTheirMomentsAtEachReplay) {
  double before = -1.0;
  backend_->mark(0);
  for (int i = 0; i < 4; ++i) {
    backend_->run_recorded("marking", {sum_, term_}, [&] {
      backend_->add_to(sum_, term_);
      backend_->mark(1);
    });
    backend_->synchronize();
    const double now = backend_->seconds_between(0, 1);
    EXPECT_GT(now, before) << "call " << i;
    before = now;
  }
  EXPECT_EQ(sum(), 4.0F);
}

}  // namespace
}  // namespace cdt::test
