// Saves of a run: when they are due, what is kept of them, and that damage is found and undone.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>

#include "apps/train/run_folder.h"
#include "apps/train/run_start.h"
#include "apps/train/save_clock.h"
#include "apps/train/state.h"
#include "apps/train/state_digest.h"
#include "apps/train/trainer.h"
#include "engine/error.h"
#include "tests/support/input_error.h"
#include "tests/support/train_run.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;
using test::default_pairs;
using test::expect_message;
using test::input_error;
using test::read_bytes;
using test::TrainRun;
using test::write_bytes;

// --- when

SaveClock::Time at(double seconds) {
  return SaveClock::Time() + std::chrono::duration_cast<SaveClock::Clock::duration>(
                                 std::chrono::duration<double>(seconds));
}

TEST(SaveClock, IsDueSomeMinutesAfterTheEndOfTheLastSave) {
  SaveClock clock(10.0, true, at(0));
  EXPECT_FALSE(clock.due(at(599)));
  EXPECT_TRUE(clock.due(at(600)));
  clock.saved(at(600), at(602));
  EXPECT_FALSE(clock.due(at(1201)));
  EXPECT_TRUE(clock.due(at(1202)));
  EXPECT_FALSE(SaveClock(0.0, true, at(0)).due(at(1e9)));
}

TEST(SaveClock, SlowSavesStayBelowAHundredthOfTheTimeUnlessTheUserChoseTheirInterval) {
  SaveClock stretched(10.0, true, at(0));
  SaveClock chosen(10.0, false, at(0));
  for (SaveClock* clock : {&stretched, &chosen}) clock->saved(at(600), at(700));
  EXPECT_TRUE(chosen.due(at(1300)));
  EXPECT_FALSE(stretched.due(at(700 + 9899)));
  EXPECT_TRUE(stretched.due(at(700 + 9901)));
}

// --- what is kept

TEST_F(TrainRun, SavesWithinEpochsChangeNoBitAndAreResumedBitForBit) {
  const fs::path straight = dir.path / "straight";
  train(straight);
  options.save_every = 1e-9;  // after every step
  options.save_every_given = true;
  again(run_dir);
  expect_same_weights(straight, run_dir);
  // The save before the last one is within the last epoch.
  const RunMoment moment = read_run_moment(run_dir / "previous" / "state.safetensors");
  EXPECT_EQ(moment.epoch, 3);
  EXPECT_EQ(moment.position, 4);
  fs::remove_all(run_dir / "last");
  ::testing::internal::CaptureStderr();
  resume(run_dir);
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("last: is missing; the run goes on from"),
            std::string::npos);
  expect_same_weights(straight, run_dir);
}

/// A run with a save before its last one, in an earlier epoch, and its uninterrupted result.
class DamagedRun : public TrainRun {
 protected:
  void SetUp() override {
    TrainRun::SetUp();
    options.save_every = 0.0;
    train(run_dir);
    whole = dir.path / "whole";
    fs::copy(run_dir, whole, fs::copy_options::recursive);
  }
  /// Resumes as cdt-train does; what it warns of.
  std::string resumed() {
    ::testing::internal::CaptureStderr();
    go_back_to_whole_save(RunFolder(run_dir, true));
    resume(run_dir);
    return ::testing::internal::GetCapturedStderr();
  }
  static void flip(const fs::path& file, std::size_t byte, int bit) {
    std::string bytes = read_bytes(file);
    bytes[byte] = static_cast<char>(bytes[byte] ^ (1 << bit));
    write_bytes(file, bytes);
  }
  fs::path whole;
};

TEST_F(DamagedRun, EveryDamagedByteIsFound) {
  const fs::path last = run_dir / "last";
  EXPECT_EQ(damage_in(last), "");
  constexpr std::size_t kHeader = 3000;  // about: of the state
  for (const char* name : {"state.safetensors", "model.safetensors"}) {
    const std::string good = read_bytes(last / name);
    for (std::size_t i = 0; i < good.size(); i += i < kHeader ? 5 : 401) {
      flip(last / name, i, static_cast<int>(i / 5 % 8));
      EXPECT_NE(damage_in(last).find((last / name).string() + ": "), std::string::npos)
          << name << " byte " << i;
      write_bytes(last / name, good);
    }
    write_bytes(last / name, good.substr(0, good.size() - 1));
    EXPECT_NE(damage_in(last), "") << name << " without its last byte";
    write_bytes(last / name, std::string(good.size(), '\0'));
    EXPECT_NE(damage_in(last), "") << name << " of zeros";
    fs::remove(last / name);
    EXPECT_NE(damage_in(last), "") << name << " is missing";
    write_bytes(last / name, good);
  }
  EXPECT_EQ(damage_in(last), "");
}

TEST_F(DamagedRun, GoesOnFromTheSaveBeforeToTheSameBits) {
  const fs::path state = run_dir / "last" / "state.safetensors";
  flip(state, read_bytes(state).size() - 5, 3);
  const std::string damaged = read_bytes(state);
  const std::string said = resumed();
  EXPECT_NE(said.find(state.string() + ": digest: the file is damaged"), std::string::npos) << said;
  EXPECT_NE(said.find("the run goes on from what was saved before, at epoch 3 step 0"),
            std::string::npos)
      << said;
  EXPECT_TRUE(read_bytes(run_dir / "last.damaged" / "state.safetensors") == damaged);
  expect_same_weights(whole, run_dir);
  EXPECT_EQ(damage_in(run_dir / "last"), "");
}

TEST_F(DamagedRun, ABestModelThatTheSaveBeforeDoesNotKnowGoesBackWithIt) {
  // The loss falls, so that each epoch has the best model so far.
  options.settings.monitor = "loss";
  options.settings.lr = 1e-4;
  run_dir = dir.path / "improving";
  again(run_dir);
  const RunFolder folder(run_dir, true);
  ASSERT_TRUE(fs::exists(folder.previous() / "best.safetensors")) << "the last epoch was the best";
  const std::string older = read_bytes(folder.previous() / "best.safetensors");
  ASSERT_FALSE(older == read_bytes(folder.best_model()));
  write_bytes(folder.last_model(), "");
  ::testing::internal::CaptureStderr();
  go_back_to_whole_save(folder);
  ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(read_bytes(folder.best_model()) == older);
  EXPECT_FALSE(fs::exists(folder.last() / "best.safetensors"));
}

TEST_F(DamagedRun, WithoutAWholeSaveTheDamageIsNamed) {
  const fs::path model = run_dir / "last" / "model.safetensors";
  write_bytes(model, "");
  const fs::path older = run_dir / "previous" / "model.safetensors";
  write_bytes(older, "");
  const RunFolder folder(run_dir, true);
  const std::string both = input_error([&] { go_back_to_whole_save(folder); });
  expect_message(both, model, "digest", "nor can the earlier save be used: " + older.string());
  fs::remove_all(run_dir / "previous");
  expect_message(input_error([&] { go_back_to_whole_save(folder); }), model, "digest",
                 "there is no earlier save");
  EXPECT_TRUE(fs::exists(model));
}

// --- numbers that no file may hold

TEST_F(TrainRun, WeightsThatAreNotFiniteAreNotSaved) {
  const auto run = make(default_pairs());
  const RunFolder folder(run_dir, false);
  run->trainer.save(folder);
  const std::string state = read_bytes(folder.last_state());
  const Tensor weight = run->model.parameters().front().variable.value;
  run->backend->fill(weight, std::numeric_limits<float>::infinity());
  try {
    run->trainer.save(folder);
    ADD_FAILURE() << "saved infinite weights";
  } catch (const Error& error) {
    const std::string said = error.what();
    EXPECT_NE(said.find(run->model.parameters().front().name + " holds NaN or infinity"),
              std::string::npos)
        << said;
    EXPECT_NE(said.find("last is as it was"), std::string::npos) << said;
  }
  EXPECT_TRUE(read_bytes(folder.last_state()) == state);
  EXPECT_FALSE(fs::exists(run_dir / "last.new"));
}

}  // namespace
}  // namespace cdt
