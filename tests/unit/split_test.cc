// Splits: units stay together, shares and labels are respected; what a split leaks; windows that
// are nearly the same.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "apps/common/leakage.h"
#include "apps/common/window_sketch.h"
#include "apps/split/rule.h"
#include "apps/split/units.h"
#include "engine/random.h"
#include "io/dataset/dataset_writer.h"
#include "tests/support/input_error.h"
#include "tests/support/small_dataset.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

using test::input_error;
using test::TempDir;

/// A data set in memory: `units` enhancers, enhancer i on chromosome i % 7, with 1 to 6 pairs each,
/// of which about one in eight is positive.
Dataset screen(std::int32_t units) {
  Dataset data;
  RandomStream random(5, 1);
  for (std::int32_t i = 0; i < units; ++i) {
    const std::int64_t start = std::int64_t{100000} * i;
    data.enhancers.push_back(
        {"chr" + std::to_string(i % 7), start, start + 500, "e" + std::to_string(i)});
    const auto count = static_cast<std::int32_t>(1 + random.below(6));
    for (std::int32_t k = 0; k < count; ++k) {
      data.pairs.push_back({.enhancer = i,
                            .gene = (i + k) % 11,
                            .beta = 0,
                            .label = random.uniform() < 0.125 ? 1 : 0});
    }
  }
  return data;
}

std::vector<std::int32_t> one_to_n(std::int32_t n) {
  std::vector<std::int32_t> out;
  for (std::int32_t i = 0; i < n; ++i) out.push_back(i);
  return out;
}

SplitRule by(Unit unit, std::vector<double> shares = {0.7, 0.15, 0.15}) {
  SplitRule rule;
  rule.unit = unit;
  rule.shares = std::move(shares);
  return rule;
}

std::vector<Pair> made(const Dataset& data, const SplitRule& rule) {
  return split_again(
      data,
      units_of(data, rule.unit, one_to_n(static_cast<std::int32_t>(data.enhancers.size())), {}),
      rule);
}

/// Share of the pairs, or of the positive ones, in a split.
double share_of(const std::vector<Pair>& pairs, Split split, bool positive) {
  double in = 0;
  double all = 0;
  for (const Pair& p : pairs) {
    if (positive && p.label != 1) continue;
    all += 1;
    in += p.split == split ? 1 : 0;
  }
  return in / all;
}

/// Whether no key is in two splits.
template <class KeyOf>
bool together(const std::vector<Pair>& pairs, const KeyOf& key_of) {
  std::map<decltype(key_of(pairs.front())), Split> first;
  return std::all_of(pairs.begin(), pairs.end(), [&](const Pair& p) {
    return first.emplace(key_of(p), p.split).first->second == p.split;
  });
}

TEST(Splits, KeepUnitsTogether) {
  const Dataset data = screen(200);
  const auto chrom = [&](const Pair& p) { return enhancer_of(data, p).chrom; };
  const auto enhancer = [](const Pair& p) { return p.enhancer; };
  const auto gene = [](const Pair& p) { return p.gene; };
  EXPECT_TRUE(together(made(data, by(Unit::kEnhancer)), enhancer));
  EXPECT_TRUE(together(made(data, by(Unit::kLocus)), enhancer));
  EXPECT_TRUE(together(made(data, by(Unit::kChromosome)), chrom));
  EXPECT_TRUE(together(made(data, by(Unit::kGene)), gene));
  EXPECT_FALSE(together(made(data, by(Unit::kPair)), enhancer));
  EXPECT_FALSE(together(made(data, by(Unit::kEnhancer)), gene));
}

TEST(Splits, PairsThatRepeatStayTogether) {
  Dataset data = screen(50);
  const std::vector<Pair> once = data.pairs;
  data.pairs.insert(data.pairs.end(), once.begin(), once.end());
  EXPECT_TRUE(together(made(data, by(Unit::kPair)),
                       [](const Pair& p) { return std::pair(p.enhancer, p.gene); }));
}

TEST(Splits, HaveTheSharesOfPairsAndOfPositives) {
  const Dataset data = screen(400);
  for (const Unit unit : {Unit::kPair, Unit::kEnhancer}) {
    const std::vector<Pair> pairs = made(data, by(unit, {0.6, 0.3, 0.1}));
    for (const bool positive : {false, true}) {
      EXPECT_NEAR(share_of(pairs, Split::kTrain, positive), 0.6, 0.02);
      EXPECT_NEAR(share_of(pairs, Split::kVal, positive), 0.3, 0.02);
      EXPECT_NEAR(share_of(pairs, Split::kTest, positive), 0.1, 0.02);
    }
  }
}

TEST(Splits, LargeUnitsGoToTheLargestPart) {
  Dataset data = screen(400);
  const auto small = static_cast<double>(data.pairs.size());
  for (std::int32_t k = 0; k < 300; ++k) {  // enhancers 0 to 2 have 100 pairs more each
    data.pairs.push_back({.enhancer = k % 3, .gene = 20 + k / 3, .beta = 0, .label = 0});
  }
  ASSERT_GT(100, (small + 300) * 0.15 / 20) << "too large for val and test";
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    SplitRule rule = by(Unit::kEnhancer);
    rule.seed = seed;
    const std::vector<Pair> pairs = made(data, rule);
    EXPECT_TRUE(std::all_of(pairs.begin(), pairs.end(), [](const Pair& p) {
      return p.enhancer > 2 || p.split == Split::kTrain;
    }));
    EXPECT_NEAR(share_of(pairs, Split::kTest, false), 0.15, 0.02);
  }
  SplitRule folds = by(Unit::kEnhancer);
  folds.folds = 3;
  std::set<std::int32_t> of_large;
  for (const Pair& p : made(data, folds)) {
    if (p.enhancer < 3) of_large.insert(p.fold);
  }
  EXPECT_EQ(of_large.size(), 3U) << "folds of equal size share them";
}

TEST(Splits, UnitsLargerThanASmallPartGoToTheLargest) {
  // Pairs by chromosome, as unlike as in a real screen, and positive pairs on nearly all.
  const std::array<std::int32_t, 14> sizes{1985, 1187, 872, 711, 690, 443, 400,
                                           303,  130,  129, 91,  78,  46,  43};
  Dataset data;
  for (std::size_t c = 0; c < sizes.size(); ++c) {
    const std::string name = std::to_string(c);
    data.enhancers.push_back({"chr" + name, 0, 500, "e" + name});
    for (std::int32_t k = 0; k < sizes[c]; ++k) {
      data.pairs.push_back(
          {.enhancer = static_cast<std::int32_t>(c), .gene = k, .beta = 0, .label = k % 40 == 1});
    }
  }
  SplitRule rule = by(Unit::kChromosome, {0.8, 0.1, 0.1});
  for (rule.seed = 0; rule.seed < 10; ++rule.seed) {
    const std::vector<Pair> pairs = made(data, rule);
    for (const bool positive : {false, true}) {
      EXPECT_NEAR(share_of(pairs, Split::kTrain, positive), 0.8, 0.04) << rule.seed;
      EXPECT_NEAR(share_of(pairs, Split::kVal, positive), 0.1, 0.04) << rule.seed;
      EXPECT_NEAR(share_of(pairs, Split::kTest, positive), 0.1, 0.04) << rule.seed;
    }
  }
}

TEST(Splits, AShareOfZeroGetsNothing) {
  const std::vector<Pair> pairs = made(screen(30), by(Unit::kEnhancer, {0.8, 0.2, 0}));
  EXPECT_EQ(share_of(pairs, Split::kTest, false), 0);
}

TEST(Splits, TheSeedDecides) {
  const Dataset data = screen(60);
  SplitRule rule = by(Unit::kEnhancer);
  const auto splits = [&] { return column(made(data, rule), &Pair::split); };
  const auto first = splits();
  EXPECT_EQ(splits(), first);
  rule.seed = 1;
  EXPECT_NE(splits(), first);
}

TEST(Splits, FoldsAreOfEqualSize) {
  const Dataset data = screen(300);
  SplitRule rule = by(Unit::kEnhancer);
  rule.folds = 5;
  const std::vector<Pair> pairs = made(data, rule);
  std::map<std::int32_t, std::int64_t> sizes;
  std::map<std::int32_t, std::set<std::int32_t>> folds;  // of each enhancer
  for (const Pair& p : pairs) {
    ++sizes[p.fold];
    folds[p.enhancer].insert(p.fold);
    EXPECT_EQ(p.split, p.fold == 1 ? Split::kTest : p.fold == 2 ? Split::kVal : Split::kTrain);
  }
  ASSERT_EQ(sizes.size(), 5U);
  for (const auto& [fold, size] : sizes) {
    EXPECT_NEAR(static_cast<double>(size), static_cast<double>(pairs.size()) / 5, 6) << fold;
  }
  for (const auto& [enhancer, of] : folds) EXPECT_EQ(of.size(), 1U);
}

TEST(Splits, ChromosomesMayBeNamed) {
  const Dataset data = screen(140);
  SplitRule rule = by(Unit::kEnhancer);
  rule.test_chroms = {"chr3", "chr5"};
  const std::vector<Pair> pairs = made(data, rule);
  for (const Pair& p : pairs) {
    const std::string& chrom = enhancer_of(data, p).chrom;
    EXPECT_EQ(p.split == Split::kTest, chrom == "chr3" || chrom == "chr5");
  }
  const double rest = 1 - share_of(pairs, Split::kTest, false);
  EXPECT_NEAR(share_of(pairs, Split::kVal, false) / rest, 0.15 / 0.85, 0.03);
}

TEST(Splits, RefuseTooFewUnits) {
  const Dataset data = screen(140);
  SplitRule rule = by(Unit::kChromosome);
  rule.folds = 8;
  EXPECT_NE(input_error([&] {
              made(data, rule);
            }).find("too few chromosomes to divide (expected at least 8, got 7)"),
            std::string::npos);
}

TEST(Splits, GroupsUniteUnits) {
  Dataset data = screen(6);
  std::vector<std::int32_t> content = one_to_n(6);
  content[5] = content[1] = content[3];
  const auto units = units_of(data, Unit::kEnhancer, {}, content);
  EXPECT_EQ(distinct_units(units), 4);
  std::set<std::int32_t> of_group;
  for (std::size_t i = 0; i < units.size(); ++i) {
    const std::int32_t e = data.pairs[i].enhancer;
    if (e == 1 || e == 3 || e == 5) of_group.insert(units[i]);
  }
  EXPECT_EQ(of_group.size(), 1U);
}

// --- leakage -----------------------------------------------------------------------------------

TEST(Leakage, CountsWhatIsShared) {
  const std::vector<Pair> train{{.enhancer = 0, .gene = 0}, {.enhancer = 1, .gene = 1}};
  const std::vector<Pair> test{{.enhancer = 0, .gene = 0},   // the pair itself
                               {.enhancer = 0, .gene = 2},   // its enhancer
                               {.enhancer = 2, .gene = 1},   // locus of enhancer 1, and its gene
                               {.enhancer = 3, .gene = 3},   // near-identical to enhancer 1
                               {.enhancer = 4, .gene = 4}};  // nothing
  const SharedDna shared{{0, 1, 1, 2, 3}, {0, 1, 2, 1, 3}};
  const Leakage found = leakage(train, test, shared);
  EXPECT_EQ(found.pairs, 5);
  EXPECT_EQ(found.pair, 1);
  EXPECT_EQ(found.enhancer, 2);
  EXPECT_EQ(found.locus, 3);
  EXPECT_EQ(found.content, 3);
  EXPECT_EQ(found.gene, 2);
  EXPECT_FALSE(leakage(train, test, {shared.locus_of, {}}).knows_content);
}

TEST(Leakage, IsSummedOverFolds) {
  // Two pairs of one enhancer in folds 1 and 3: each is held out once as test while the other
  // trains.
  std::vector<Pair> pairs{{.enhancer = 0, .gene = 0, .fold = 1},
                          {.enhancer = 0, .gene = 1, .fold = 3},
                          {.enhancer = 1, .gene = 0, .fold = 2}};
  const std::vector<Leakage> all = leakages(pairs, 3, {{0, 1}, {}});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].name, "test of 3 folds");
  EXPECT_EQ(all[1].pairs, 3);
  EXPECT_EQ(all[1].enhancer, 1)
      << "fold 1 tests while fold 3 trains; fold 3 tests while fold 1 is val";
  EXPECT_NE(leakage_table(all).find("not compared"), std::string::npos);
}

// --- windows that are nearly the same ----------------------------------------------------------

std::vector<WindowSketch> sketches(const std::vector<std::vector<float>>& windows) {
  const WindowSketcher sketcher(static_cast<std::int64_t>(windows.front().size()));
  std::vector<WindowSketch> out;
  for (const auto& window : windows) out.push_back(sketcher.of(window.data()));
  return out;
}

/// 12 windows that share a large mean, as embeddings do.
std::vector<std::vector<float>> windows() {
  RandomStream random(9, 3);
  std::vector<std::vector<float>> out(12, std::vector<float>(4000));
  for (std::size_t i = 0; i < out.front().size(); ++i) {
    const double shared = 5 * random.normal();
    for (auto& window : out) window[i] = static_cast<float>(shared + random.normal());
  }
  return out;
}

TEST(NearIdentical, FindsCopiesAndSmallChanges) {
  auto all = windows();
  all[7] = all[2];
  all[9] = all[4];
  RandomStream random(1, 1);
  for (float& x : all[9]) x += static_cast<float>(0.05 * random.normal());
  const auto groups = near_identical(sketches(all));
  EXPECT_EQ(std::set(groups.begin(), groups.end()).size(), 10U);
  EXPECT_EQ(groups[7], groups[2]);
  EXPECT_EQ(groups[9], groups[4]);
}

TEST(NearIdentical, LeavesDifferentWindowsApart) {
  auto all = windows();
  RandomStream random(1, 1);
  all[9] = all[4];
  for (float& x : all[9]) x += static_cast<float>(0.4 * random.normal());  // a fifth and more apart
  const auto groups = near_identical(sketches(all));
  EXPECT_EQ(std::set(groups.begin(), groups.end()).size(), 12U);
}

TEST(NearIdentical, WindowsWithoutDnaAreAlone) {
  auto all = windows();
  for (const std::size_t i : {0U, 5U, 6U}) std::fill(all[i].begin(), all[i].end(), 0.0F);
  const auto groups = near_identical(sketches(all));
  EXPECT_EQ(std::set(groups.begin(), groups.end()).size(), 12U);
}

// --- writing -----------------------------------------------------------------------------------

ino_t inode(const std::filesystem::path& file) {
  struct stat info {};
  EXPECT_EQ(stat(file.c_str(), &info), 0) << file;
  return info.st_ino;
}

TEST(SharedDataset, HasTheBlobsOfAnotherAndPairsOfItsOwn) {
  const TempDir dir;
  test::write_small_dataset(dir.path / "a", {{.enhancer = 0, .gene = 0, .beta = 1},
                                             {.enhancer = 4, .gene = 2, .beta = 2}});
  const Dataset a(dir.path / "a");
  std::vector<Pair> pairs = a.pairs;
  pairs[1].split = Split::kTest;
  for (int round = 0; round < 2; ++round) {  // the second replaces the first
    DatasetWriter writer(dir.path / "b", a, round > 0);
    writer.write_pairs(pairs);
    writer.finish("{}");
    const Dataset b(dir.path / "b");
    EXPECT_EQ(b.genes, a.genes);
    EXPECT_EQ(b.rna, a.rna);
    EXPECT_EQ(b.enhancers[4].name, a.enhancers[4].name);
    EXPECT_EQ(b.pairs_of(Split::kTest).size(), 1U);
    for (const char* blob : {"dna.f32", "rna.f32", "protein.f32"}) {
      EXPECT_EQ(inode(dir.path / "a" / blob), inode(dir.path / "b" / blob));
    }
    const auto files = std::distance(std::filesystem::directory_iterator(dir.path / "b"), {});
    EXPECT_EQ(files, 8) << "and no temporaries";
  }
  EXPECT_NE(input_error([&] { DatasetWriter(dir.path / "b", a); }).find("already holds"),
            std::string::npos);
}

TEST(SharedDataset, LeavesNothingIfItIsNotFinished) {
  const TempDir dir;
  test::write_small_dataset(dir.path / "a", {{.enhancer = 0, .gene = 0, .beta = 1}});
  const Dataset a(dir.path / "a");
  { DatasetWriter writer(dir.path / "b", a); }
  EXPECT_FALSE(std::filesystem::exists(dir.path / "b"));
  EXPECT_TRUE(std::filesystem::exists(dir.path / "a" / "dna.f32"));
}

}  // namespace
}  // namespace cdt
