// NaN and infinity: the op that yields them first is named, and a learning rate that diverges is
// told as such.
#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "apps/train/loss_watch.h"
#include "apps/train/numerics_check.h"
#include "apps/train/run_folder.h"
#include "apps/train/trainer.h"
#include "engine/backend.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "tests/support/input_error.h"
#include "tests/support/small_model.h"
#include "tests/support/train_run.h"

namespace cdt {
namespace {

using test::default_pairs;

/// The message of a NotFinite or other Error, or "".
std::string failure(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

void expect_in(const std::string& message, const std::string& what) {
  EXPECT_NE(message.find(what), std::string::npos) << message;
}

// --- one op

/// y = x w^T + b over a tape whose values are looked at.
class NumericsOfAnOp : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const Shape& shape : {Shape{3, 4}, Shape{3}}) {
      Variable& v = parameters.emplace_back();
      v.value = lasting.tensor(shape);
      v.grad = lasting.tensor(shape);
      v.lasting = v.needs_grad = true;
      backend->fill(v.value, 0.0F);
      backend->fill(v.grad, 0.0F);
      if (backend->activations() != v.value.dtype) {
        v.rounded = test::as_activation(*backend, lasting, v.value);
      }
    }
    tape.show(&check);
  }
  Tensor filled(const Shape& shape, float value) {
    const Tensor t = lasting.tensor(shape);
    backend->fill(t, value);
    return test::as_activation(*backend, lasting, t);
  }
  void set_weight(float value) {
    backend->fill(parameters[0].value, value);
    if (!parameters[0].rounded.empty()) backend->cast(parameters[0].rounded, parameters[0].value);
  }
  /// What is found in a forward and a backward pass from these values.
  std::string found(float x, float weight, float cotangent) {
    return failure([&] {
      set_weight(weight);
      tape.train(1, 1);
      const ModuleScope module(tape, "a_module");
      const Var y = linear(tape, tape.input(filled({1, 2, 4}, x)), &parameters[0], &parameters[1]);
      tape.backward(y, filled(y->value.shape, cotangent));
    });
  }

  std::unique_ptr<Backend> backend = test::make_test_backend();
  Arena lasting{*backend, "lasting"};
  Arena step{*backend, "step"};
  Arena scratch{*backend, "scratch"};
  Tape tape{*backend, step, scratch};
  NumericsCheck check{*backend};
  std::deque<Variable> parameters;
};

TEST_F(NumericsOfAnOp, FiniteValuesPass) { EXPECT_EQ(found(1.0F, 2.0F, 3.0F), ""); }

TEST_F(NumericsOfAnOp, NamesTheOpWhoseOutputIsInfinite) {
  expect_in(found(1e30F, 1e30F, 1.0F),
            "linear of a_module yields infinity at (0, 0, 0) of (1, 2, 3), the first of 6");
}

TEST_F(NumericsOfAnOp, NamesTheRuleWhoseGradientIsInfinite) {
  expect_in(found(0.0F, 1e30F, 1e30F),
            "the gradient rule of linear of a_module yields infinity at (0, 0, 0) of (1, 2, 4)");
}

TEST_F(NumericsOfAnOp, LooksAtTheGradientsOfParametersToo) {
  expect_in(found(-1e30F, 0.0F, 1e30F),
            "the gradient rule of linear of a_module yields -infinity at (0, 0) of (3, 4)");
}

TEST_F(NumericsOfAnOp, TellsNanFromInfinity) {
  expect_in(found(std::numeric_limits<float>::quiet_NaN(), 1.0F, 1.0F), "yields NaN at (0, 0, 0)");
}

// --- a training

/// The error of a run with --check-numerics or not, one of whose biases is infinite after its first
/// save.
class NumericsOfARun : public test::TrainRun {
 protected:
  std::string end(bool checked) {
    options.check_numerics = checked;
    if (!std::filesystem::exists(data_dir)) test::write_small_dataset(data_dir, default_pairs());
    const auto run = std::make_unique<Run>(options, data_dir);
    std::filesystem::remove_all(run_dir);
    const RunFolder folder(run_dir, false);
    run->trainer.save(folder);
    for (const Parameter& p : run->model.parameters()) {
      if (p.name != "rna_self_attn_layers.0.ffn.3.bias") continue;
      run->backend->fill(p.variable.value, std::numeric_limits<float>::infinity());
      if (!p.variable.rounded.empty()) run->backend->cast(p.variable.rounded, p.variable.value);
    }
    const std::string saved = test::read_bytes(folder.last_state());
    const std::string message = failure([&] { run->trainer.run(folder); });
    EXPECT_TRUE(test::read_bytes(folder.last_state()) == saved) << "the last good state stays";
    return message;
  }
};

TEST_F(NumericsOfARun, NamesOpStepAndPairs) {
  const std::string plain = end(false);
  expect_in(plain, "epoch 1 step 1: loss is ");
  expect_in(plain, "; pairs E");
  expect_in(plain, "--check-numerics names the op");
  const std::string checked = end(true);
  expect_in(checked,
            "epoch 1 step 1: feed_forward of rna_self_attn_layers.0 yields infinity at (0, 0, 0)");
  expect_in(checked, "; pairs E");
}

TEST_F(NumericsOfARun, ALookChangesNoBit) {
  train(dir.path / "plain");
  options.check_numerics = true;
  again(dir.path / "checked");
  expect_same_weights(dir.path / "plain", dir.path / "checked");
}

// --- losses

TEST(LossWatch, TellsALossThatGrewFromOneThatEndedAtOnce) {
  LossWatch watch(0.1);
  expect_in(watch.before_the_end(0.5, false), "; --check-numerics names the op");
  watch.add(0.25);
  expect_in(watch.before_the_end(0.5, false), "; the loss was 0.25 a step before; --resume");
  EXPECT_EQ(watch.before_the_end(0.5, true), "; the loss was 0.25 a step before");
  watch.add(2e6);
  expect_in(watch.before_the_end(0.5, true),
            "; the loss had grown from 0.25 to 2e+06: the learning rate, 0.5, is too high");
}

TEST(LossWatch, TellsOfAnEpochThatDivergesOnce) {
  LossWatch watch(0.1);
  watch.add(0.2);
  watch.add(4e4);
  for (int i = 0; i < 8; ++i) watch.add(30.0);
  expect_in(
      watch.after_epoch(4e3, 2.0),
      "the loss has grown from 0.2 in the first step to 30 (that of predictions of 0 is 0.1)");
  EXPECT_EQ(watch.after_epoch(4e3, 2.0), "");
}

TEST(LossWatch, SaysNothingOfBadStartsAndOfSingleSteps) {
  LossWatch bad_start(0.1);
  for (int i = 0; i < 32; ++i) bad_start.add(50.0);
  EXPECT_EQ(bad_start.after_epoch(50.0, 1e-4), "");
  LossWatch spike(0.1);
  for (int i = 0; i < 31; ++i) spike.add(0.1);
  spike.add(7.0);
  EXPECT_EQ(spike.after_epoch(0.3, 1e-4), "");
  // A first batch of small effects.
  LossWatch small(0.1);
  small.add(1e-6);
  for (int i = 0; i < 31; ++i) small.add(0.5);
  EXPECT_EQ(small.after_epoch(0.5, 1e-4), "");
}

}  // namespace
}  // namespace cdt
