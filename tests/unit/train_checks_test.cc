// What cdt-train checks before and during a training: DNA, best model, size of the model.
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "apps/train/foreword.h"
#include "apps/train/run_folder.h"
#include "apps/train/state.h"
#include "io/format/file_digest.h"
#include "io/format/safetensors.h"
#include "model/checkpoint.h"
#include "tests/support/input_error.h"
#include "tests/support/train_run.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;
using test::default_pairs;
using test::expect_message;
using test::input_error;
using test::TrainRun;

/// Overwrites value `at` of the data set's DNA.
void poke_dna(const fs::path& data, std::int64_t at, float value) {
  std::fstream file(data / "dna.f32", std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(at * static_cast<std::int64_t>(sizeof value));
  file.write(reinterpret_cast<const char*>(&value), sizeof value);
}
constexpr std::int64_t kRow = 12;  // values per row of the small data set

TEST_F(TrainRun, TheDigestOfDnaSeesEveryValueAndTheOrderOfRows) {
  test::write_small_dataset(data_dir, default_pairs());
  const Dataset data(data_dir);
  const auto digest = [&data] { return DnaCheck(data).wait(true); };
  std::set<std::optional<std::string>> seen = {digest()};
  EXPECT_EQ(seen.count(digest()), 1U);
  std::vector<float> row(kRow);
  for (std::int32_t i = 0; i < 5; ++i) {
    data.read_dna(i, row.data());
    for (std::int64_t j = 0; j < kRow; ++j) {
      const float value = row[static_cast<std::size_t>(j)];
      poke_dna(data_dir, i * kRow + j, std::nextafter(value, 9.0F));
      EXPECT_TRUE(seen.insert(digest()).second) << i << ", " << j;
      poke_dna(data_dir, i * kRow + j, value);
    }
  }
  std::vector<float> other(kRow);
  data.read_dna(1, row.data());
  data.read_dna(4, other.data());
  for (std::int64_t j = 0; j < kRow; ++j) {
    poke_dna(data_dir, kRow + j, other[static_cast<std::size_t>(j)]);
    poke_dna(data_dir, 4 * kRow + j, row[static_cast<std::size_t>(j)]);
  }
  EXPECT_TRUE(seen.insert(digest()).second);
}

/// What each of `ranks` processes, here threads, got from wait(): the digest, "" for nothing, or
/// the error.
std::vector<std::string> shared_digests(const Dataset& data, std::int64_t ranks,
                                        const std::string& expected = "") {
  std::barrier meeting(static_cast<std::ptrdiff_t>(ranks));
  std::vector<std::vector<std::uint64_t>> given(static_cast<std::size_t>(ranks));
  std::vector<std::string> out(given.size());
  std::atomic<std::int64_t> rows = 0;
  const auto run = [&](std::int64_t rank) {
    const auto gather = [&, rank](const std::vector<std::uint64_t>& own) {
      given[static_cast<std::size_t>(rank)] = own;
      meeting.arrive_and_wait();
      std::vector<std::uint64_t> all;
      for (const auto& part : given) all.insert(all.end(), part.begin(), part.end());
      meeting.arrive_and_wait();
      return all;
    };
    DnaCheck check(data, expected, "state", true, {rank, ranks, gather});
    std::string& got = out[static_cast<std::size_t>(rank)];
    const std::string error = input_error([&] { got = check.wait(true).value_or(""); });
    if (!error.empty()) got = error;
    EXPECT_LE(check.rows_read(), check.rows());
    rows += check.rows();
  };
  std::vector<std::thread> threads;
  for (std::int64_t rank = 0; rank < ranks; ++rank) threads.emplace_back(run, rank);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(rows, data.enhancers_count() + data.genes_count());
  return out;
}

TEST_F(TrainRun, RanksThatShareThePassFindTheDigestOfOne) {
  test::write_small_dataset(data_dir, default_pairs(), 0, test::SmallRna::kDistinct, true);
  const Dataset data(data_dir);
  const std::optional<std::string> whole = DnaCheck(data, "", {}, true).wait(true);
  ASSERT_TRUE(whole);
  for (const std::int64_t ranks : {1, 2, 3, 8, 11}) {
    for (const std::string& found : shared_digests(data, ranks)) EXPECT_EQ(found, *whole);
  }
  for (const std::string& found : shared_digests(data, 2, "0123456789abcdef")) {
    expect_message(found, data_dir, "dna", "is not what state was trained on");
  }
  poke_dna(data_dir, 4 * kRow + 7, std::numeric_limits<float>::quiet_NaN());
  const std::vector<std::string> found = shared_digests(data, 4);  // rows 4 and 5 are of rank 2
  expect_message(found[2], data_dir / "dna.f32", "enhancer E4 (row 4), bin 2, feature 1",
                 "bad value");
  for (const int rank : {0, 1, 3}) EXPECT_EQ(found[static_cast<std::size_t>(rank)], "");
}

TEST_F(TrainRun, ABadRowThatNoPairUsesEndsTheRunAndKeepsWhatWasTrained) {
  std::vector<Pair> pairs = default_pairs();
  for (Pair& pair : pairs) pair.enhancer %= 4;
  test::write_small_dataset(data_dir, pairs);
  poke_dna(data_dir, 4 * kRow + 7, std::numeric_limits<float>::quiet_NaN());
  Run run(options, data_dir);
  const RunFolder folder(run_dir, false);
  expect_message(input_error([&] { run.trainer.run(folder); }), data_dir / "dna.f32",
                 "enhancer E4 (row 4), bin 2, feature 1", "bad value");
  EXPECT_TRUE(fs::exists(folder.last_state()));
}

TEST_F(TrainRun, OtherDnaThanTheStateHasLeavesLastAsItWas) {
  const auto run = make(default_pairs());
  const RunFolder folder(run_dir, false);
  run->trainer.save(folder);
  const std::string before = test::read_bytes(folder.last_state());
  DnaCheck other(run->data, "0123456789abcdef", folder.last_state());
  Trainer trainer(options, run->plan, run->data, other, run->ranks, *run->backend, run->lasting,
                  run->model);
  expect_message(input_error([&] { trainer.run(folder); }), data_dir, "dna",
                 "is not what " + folder.last_state().string() + " was trained on");
  EXPECT_EQ(test::read_bytes(folder.last_state()), before);
}

TEST_F(TrainRun, ABestModelThatAKillLeftUnwrittenIsWrittenFromLast) {
  options.settings.epochs = 1;
  const auto run = make(default_pairs());
  const RunFolder folder(run_dir, false);
  run->trainer.run(folder);
  const std::string best = test::read_bytes(folder.best_model());
  const std::string weights = weights_digest(run->model, *run->backend);
  // The error of a resume, or "" and its note.
  std::string note;
  const auto restore = [&] {
    ::testing::internal::CaptureStderr();
    std::string complaint = input_error([&] {
      Run resumed(options, data_dir);
      resumed.trainer.restore(
          folder, read_parameters(SafetensorsReader(folder.last_model()), resumed.model));
    });
    note = ::testing::internal::GetCapturedStderr();
    return complaint;
  };
  fs::remove(folder.best_model());
  EXPECT_EQ(restore(), "");
  EXPECT_NE(note.find("is rewritten from"), std::string::npos) << note;
  EXPECT_EQ(test::read_bytes(folder.best_model()), best);

  // The best model before that one.
  run->model.initialise(7);
  save_model(folder.best_model(), run->model, *run->backend);
  TrainState state = run->trainer.state();
  state.older_best_weights = weights_digest(run->model, *run->backend);
  Arena arena(*run->backend, "moments");
  const AdamW moments(run->model.variables(), *run->backend, arena, {});
  save_state(folder.last_state(), state, read_run_facts(folder.last_state()),
             {weights, digest_of_file(folder.last_model())}, run->model.parameters(), moments,
             *run->backend);
  EXPECT_EQ(restore(), "");
  EXPECT_EQ(test::read_bytes(folder.best_model()), best);

  // Any other file is not overwritten.
  run->model.initialise(8);
  save_model(folder.best_model(), run->model, *run->backend);
  const std::string other = test::read_bytes(folder.best_model());
  expect_message(restore(), folder.best_model(), "weights",
                 "are not those of the run's best epoch, 1");
  EXPECT_EQ(test::read_bytes(folder.best_model()), other);
}

TEST_F(TrainRun, AModelThatDwarfsTheDataIsQuestionedUnlessItsSizeWasChosen) {
  options.settings.hidden = 128;
  options.settings.feed_forward = 512;
  const auto run = make(default_pairs());
  const auto said = [&] {
    ::testing::internal::CaptureStderr();
    say_what_it_takes(run->model, run->plan, run->data, "val_pearson", options, 1);
    return ::testing::internal::GetCapturedStderr();
  };
  const std::string text = said();
  EXPECT_NE(
      text.find("9 train pairs, 4 steps per epoch, at most 3 epochs; steered by val_pearson\n"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("parameters per train pair; a smaller model"), std::string::npos) << text;
  options.given = {"hidden"};
  EXPECT_EQ(said().find("smaller model"), std::string::npos);
}

}  // namespace
}  // namespace cdt
