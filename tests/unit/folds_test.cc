// Folds: each tests once, the next validates; and shares of the training loci.
#include "io/dataset/folds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "io/dataset/dataset.h"
#include "io/format/output.h"
#include "model/inputs.h"
#include "tests/support/input_error.h"
#include "tests/support/small_dataset.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

using test::input_error;
using test::TempDir;

/// 15 pairs of 5 enhancers; enhancer i is in fold i % folds + 1.
std::vector<Pair> folded(std::int32_t folds) {
  std::vector<Pair> out;
  for (std::int32_t i = 0; i < 15; ++i) {
    out.push_back({.split = Split::kTrain,
                   .enhancer = i / 3,
                   .gene = i % 3,
                   .beta = 0.5F,
                   .label = -1,
                   .fold = i / 3 % folds + 1});
  }
  return out;
}

Dataset made(const TempDir& dir, const std::vector<Pair>& pairs) {
  test::write_small_dataset(dir.path / "data", pairs);
  return Dataset(dir.path / "data");
}

using Row = std::pair<std::int32_t, std::int32_t>;
std::set<Row> rows(const Dataset& data, Split split) {
  std::set<Row> out;
  for (const Pair& pair : data.pairs_of(split)) out.insert({pair.enhancer, pair.gene});
  return out;
}

TEST(Folds, EveryPairIsTestedOnceAndValidatesOnce) {
  const TempDir dir;
  const Dataset data = made(dir, folded(4));
  ASSERT_EQ(data.folds, 4);
  std::array<std::set<Row>, 3> seen;
  std::array<std::size_t, 3> sizes{};
  for (std::int64_t fold = 1; fold <= 4; ++fold) {
    Dataset of_fold(dir.path / "data");
    use_pairs({.fold = fold}, &of_fold);
    EXPECT_EQ(of_fold.pairs.size(), data.pairs.size());
    for (const Split split : kSplits) {
      const std::set<Row> here = rows(of_fold, split);
      sizes[static_cast<std::size_t>(split)] += here.size();
      seen[static_cast<std::size_t>(split)].insert(here.begin(), here.end());
    }
  }
  EXPECT_EQ(seen[static_cast<std::size_t>(Split::kTest)].size(), 15U);
  EXPECT_EQ(sizes[static_cast<std::size_t>(Split::kTest)], 15U);
  EXPECT_EQ(sizes[static_cast<std::size_t>(Split::kVal)], 15U);
  EXPECT_EQ(sizes[static_cast<std::size_t>(Split::kTrain)], 2 * 15U);
}

TEST(Folds, TheNextFoldValidates) {
  EXPECT_EQ(validating_fold(1, 3), 2);
  EXPECT_EQ(validating_fold(3, 3), 1);
  EXPECT_EQ(split_in_fold(2, 2, 3), Split::kTest);
  EXPECT_EQ(split_in_fold(3, 2, 3), Split::kVal);
  EXPECT_EQ(split_in_fold(1, 2, 3), Split::kTrain);
}

TEST(Folds, WithoutAChoiceTheColumnSplitHolds) {
  const TempDir dir;
  std::vector<Pair> pairs = folded(3);
  pairs[4].split = Split::kVal;
  Dataset data = made(dir, pairs);
  use_pairs({}, &data);
  EXPECT_EQ(rows(data, Split::kVal), (std::set<Row>{{1, 1}}));
  EXPECT_EQ(rows(data, Split::kTrain).size(), 14U);
}

TEST(Folds, PairsKeepTheirStandardErrors) {
  const TempDir dir;
  std::vector<Pair> pairs = folded(3);
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i].se = 0.5F + static_cast<float>(i);
  Dataset data = made(dir, pairs);
  use_pairs({.fold = 2}, &data);
  EXPECT_EQ(column(data.pairs, &Pair::se), column(pairs, &Pair::se));
}

/// Message of a data set whose fold column holds these numbers, one per pair.
std::string refusal(const std::vector<std::string>& folds) {
  const TempDir dir;
  test::write_small_dataset(dir.path / "data", folded(3));
  std::string text = "split\tenhancer\tgene\tbeta\tfold\n";
  for (std::size_t i = 0; i < folds.size(); ++i) {
    text += "train\tE" + std::to_string(i) + "\tA\t0\t" + folds[i] + "\n";
  }
  write_file(dir.path / "data" / "pairs.tsv", text);
  return input_error([&] { Dataset data(dir.path / "data"); });
}

TEST(Folds, RefusesWhatIsNoFold) {
  EXPECT_NE(refusal({"1", "2", "0"}).find("line 4, column fold: bad fold"), std::string::npos);
  EXPECT_NE(refusal({"1", "2", "x"}).find("column fold"), std::string::npos);
  EXPECT_NE(refusal({"1", "2", "1001"}).find("expected 1 to 1000"), std::string::npos);
  EXPECT_NE(refusal({"1", "2", "2"}).find("too few folds"), std::string::npos);
  EXPECT_NE(refusal({"1", "2", "4"}).find("no pair is in fold 3"), std::string::npos);
}

TEST(Folds, RefusesAFoldThatIsNotThere) {
  const TempDir dir;
  Dataset data = made(dir, folded(3));
  const auto use = [&](std::int64_t fold) { use_pairs({.fold = fold}, &data); };
  EXPECT_NE(input_error([&] { use(4); }).find("expected 1 to 3, got 4"), std::string::npos);
  data.folds = 0;
  EXPECT_NE(input_error([&] { use(1); }).find("has no column fold"), std::string::npos);
}

/// The data set with its enhancers so far apart that each is a locus.
Dataset far_apart(const TempDir& dir) {
  Dataset data(dir.path / "data");
  for (Enhancer& e : data.enhancers) {
    e.start *= 1000;
    e.end = e.start + 500;
  }
  return data;
}

TEST(Folds, ALargerShareContainsASmallerOne) {
  const TempDir dir;
  std::vector<Pair> pairs = folded(3);
  for (std::size_t i = 12; i < 15; ++i) pairs[i].split = Split::kVal;
  test::write_small_dataset(dir.path / "data", pairs);
  std::set<Row> smaller;
  for (const double share : {0.1, 0.5, 0.9, 1.0}) {
    Dataset data = far_apart(dir);
    use_pairs({.train_share = share, .seed = 7}, &data);
    const std::set<Row> train = rows(data, Split::kTrain);
    EXPECT_TRUE(std::includes(train.begin(), train.end(), smaller.begin(), smaller.end()));
    EXPECT_GE(static_cast<double>(train.size()), share * 12);
    EXPECT_EQ(train.size() % 3, 0U) << "whole loci";
    EXPECT_EQ(rows(data, Split::kVal).size(), 3U);
    smaller = train;
  }
  EXPECT_EQ(smaller.size(), 12U);
  std::set<std::set<Row>> drawn;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Dataset data = far_apart(dir);
    use_pairs({.train_share = 0.5, .seed = seed}, &data);
    drawn.insert(rows(data, Split::kTrain));
  }
  EXPECT_GT(drawn.size(), 2U) << "the seed decides which loci";
}

TEST(Folds, AModelRecordsItsPairs) {
  const TempDir dir;
  Dataset data = made(dir, folded(3));
  EXPECT_EQ(inputs_metadata(model_inputs_of(data)).count("fold"), 0U);
  use_pairs({.fold = 2, .train_share = 0.5, .seed = 3}, &data);
  const auto metadata = inputs_metadata(model_inputs_of(data));
  EXPECT_EQ(metadata.at("fold"), "2 of 3");
  EXPECT_EQ(metadata.at("train_share"), "0.5 by seed 3");
}

}  // namespace
}  // namespace cdt
