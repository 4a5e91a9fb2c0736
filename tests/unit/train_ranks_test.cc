// Data-parallel training (apps/train/ranks.h) with ranks that are threads: against one process with
// the same global batch, repeated, resumed with another number of ranks.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/train/ranks.h"
#include "tests/support/thread_ranks.h"
#include "tests/support/train_run.h"

namespace cdt::test {
namespace {

class TrainRanks : public TrainRun {
 protected:
  void SetUp() override {
    TrainRun::SetUp();
    options.settings.batch_size = 6;
    options.settings.epochs = 2;
    for (std::int32_t i = 0; i < 26; ++i) {
      many.push_back({i < 20 ? Split::kTrain : Split::kVal, i % 5, i % 3,
                      0.1F * static_cast<float>(i % 4) - 0.2F, -1});
    }
    write_small_dataset(data_dir, many, samples, rna);
  }

  /// Trains as `size` ranks to the end, or until a moment.
  void train_as(int size, const std::filesystem::path& folder,
                const std::optional<RunMoment>& until = {}) {
    ThreadRanks all(size);
    all.run([&](Communicator& ranks) {
      Run run(options, data_dir, ranks);
      if (ranks.rank() == 0) {
        run.trainer.run(RunFolder(folder, false), until);
      } else {
        run.trainer.run(RunFolder(folder, RunFolder::OfAnother()), until);
      }
    });
  }
  void resume_as(int size, const std::filesystem::path& path) {
    ThreadRanks all(size);
    const RunFolder writer(path, true), reader(path, RunFolder::OfAnother());
    all.run([&](Communicator& ranks) {
      const RunFolder& folder = ranks.rank() == 0 ? writer : reader;
      Run run(options, data_dir, ranks);
      run.trainer.restore(folder,
                          read_parameters(SafetensorsReader(folder.last_model()), run.model));
      ranks.gather("");  // all have read it before rank 0 writes it again
      run.trainer.run(folder);
    });
  }
  /// All values of the last model of a run.
  static std::vector<float> weights(const std::filesystem::path& run) {
    const SafetensorsReader file(run / "last" / "model.safetensors");
    std::vector<float> out;
    for (const TensorInfo& info : file.tensors()) {
      std::size_t count = 1;
      for (const std::int64_t size : info.shape) count *= static_cast<std::size_t>(size);
      out.resize(out.size() + count);
      file.read(info.name, out.data() + out.size() - count);
    }
    return out;
  }
  /// Norm of the difference of two runs' weights, relative to that of what training has changed.
  double difference(const std::filesystem::path& a, const std::filesystem::path& b) {
    const std::filesystem::path start = dir.path / "start";
    if (!std::filesystem::exists(start)) {
      Run(options, data_dir).trainer.save(RunFolder(start, false));
    }
    const std::vector<float> first = weights(a), second = weights(b), before = weights(start);
    double changed = 0.0, apart = 0.0;
    for (std::size_t i = 0; i < first.size(); ++i) {
      const double step = static_cast<double>(first[i]) - before[i];
      const double error = static_cast<double>(first[i]) - second[i];
      changed += step * step;
      apart += error * error;
    }
    return std::sqrt(apart / changed);
  }

  std::vector<Pair> many;
};

// Adam's steps have the sign of the gradient and hardly its size, so where a gradient is close to 0
// its rounding decides the step. Those are few values; with other masks or another division by the
// number of ranks all steps would differ, and the difference would be about 1.
constexpr double kBound = 0.002;

TEST_F(TrainRanks, EqualsOneProcessWithinRounding) {
  train_as(1, dir.path / "one");
  for (const int size : {2, 3, 6}) {
    const std::filesystem::path folder = dir.path / std::to_string(size);
    train_as(size, folder);
    EXPECT_LT(difference(dir.path / "one", folder), kBound) << size << " ranks";
    const auto one = lines(dir.path / "one"), many_ranks = lines(folder);
    ASSERT_EQ(one.size(), many_ranks.size());
    for (std::size_t i = 0; i < one.size(); ++i) {
      for (const char* key : {"train_loss", "val_loss", "train_pearson", "val_mse"}) {
        EXPECT_NEAR(one[i].at(key).get<double>(), many_ranks[i].at(key).get<double>(), 1e-3)
            << size << " ranks, " << key;
      }
    }
  }
}

TEST_F(TrainRanks, HasTheSameBitsOnEveryRun) {
  train_as(3, dir.path / "a");
  train_as(3, dir.path / "b");
  expect_same_weights(dir.path / "a", dir.path / "b");
}

TEST_F(TrainRanks, ResumesWithinAnEpochBitForBit) {
  train_as(2, dir.path / "straight");
  train_as(2, dir.path / "parts", RunMoment{1, 2});
  resume_as(2, dir.path / "parts");
  expect_same_weights(dir.path / "straight", dir.path / "parts");
}

TEST_F(TrainRanks, ResumesWithAnotherNumberOfRanks) {
  train_as(1, dir.path / "straight");
  for (const auto& [before, after] : {std::pair{1, 3}, std::pair{3, 2}, std::pair{2, 1}}) {
    const std::filesystem::path folder =
        dir.path / (std::to_string(before) + std::to_string(after));
    train_as(before, folder, RunMoment{1, 2});
    resume_as(after, folder);
    EXPECT_LT(difference(dir.path / "straight", folder), kBound) << before << " then " << after;
  }
}

TEST_F(TrainRanks, RefusesABatchThatDoesNotDivide) {
  ThreadRanks four(4);
  four.run([&](Communicator& ranks) { EXPECT_THROW(part_of_batch(ranks, 6), InputError); });
}

TEST(Together, RankZeroSaysWhatAnotherRankFound) {
  ThreadRanks three(3);
  three.run([](Communicator& ranks) {
    const auto work = [&ranks] {
      if (ranks.rank() == 2) throw InputError("dna.f32", "shape", "too short");
    };
    try {
      together(ranks, work);
      ADD_FAILURE() << "nothing thrown";
    } catch (const InputError& error) {
      EXPECT_EQ(ranks.rank(), 0);
      EXPECT_STREQ(error.what(), "rank 2: dna.f32: shape: too short");
    } catch (const RankEnded&) {
      EXPECT_GT(ranks.rank(), 0);
    }
  });
}

TEST(ExpectEqual, NamesTheFirstRankAndFieldThatDiffer) {
  ThreadRanks three(3);
  three.run([](Communicator& ranks) {
    const auto facts = [&ranks](double lr_of_one) {
      return nlohmann::json{
          {"settings", {{"lr", ranks.rank() == 1 ? lr_of_one : 0.5}, {"seed", 0}}}};
    };
    EXPECT_NO_THROW(expect_equal(ranks, facts(0.5)));
    try {
      expect_equal(ranks, facts(0.25));
      ADD_FAILURE() << "nothing thrown";
    } catch (const InputError& error) {
      EXPECT_STREQ(error.what(),
                   "rank 1: settings.lr: is not that of rank 0 (expected 0.5, got 0.25)");
    }
  });
}

}  // namespace
}  // namespace cdt::test
