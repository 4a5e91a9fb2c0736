// How the pairs of an attribution are distributed over batches.
#include "apps/attribute/batches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace cdt {
namespace {

using Counts = std::vector<std::size_t>;

/// Pairs of one enhancer per entry of `counts`, with that many genes.
std::vector<Pair> pairs_of(const Counts& counts) {
  std::vector<Pair> out;
  for (std::size_t e = 0; e < counts.size(); ++e) {
    for (std::size_t gene = 0; gene < counts[e]; ++gene) {
      out.push_back({.enhancer = static_cast<std::int32_t>(100 - e),
                     .gene = static_cast<std::int32_t>(7 * gene)});
    }
  }
  return out;
}

std::vector<EnhancerBatch> cut(const Counts& counts, std::int64_t places, std::int64_t most = 50) {
  return cut_into_batches(pairs_of(counts), places, most);
}

std::size_t rounds_of(const EnhancerBatch& batch) {
  std::size_t rounds = 0;
  for (const auto& place : batch.places) rounds = std::max(rounds, place.count);
  return rounds;
}

/// The number of enhancers in each batch.
Counts enhancers_of(const std::vector<EnhancerBatch>& batches) {
  Counts out;
  for (const EnhancerBatch& batch : batches) out.push_back(batch.enhancers.size());
  return out;
}

TEST(BatchesTest, EveryPairHasOnePlaceAndOrderIsKept) {
  const Counts counts{1, 3, 2, 9, 1, 1, 60, 1, 4, 4, 17, 2, 51, 50};
  for (const std::int64_t places : {0, 1, 2, 3, 8}) {
    std::vector<std::int32_t> genes, enhancers;
    for (const EnhancerBatch& batch : cut(counts, places)) {
      if (batch.places.empty()) {
        ASSERT_EQ(batch.enhancers.size(), 1U);
        EXPECT_TRUE(places == 0 || batch.enhancers.front().size() > 50);
      } else {
        EXPECT_EQ(std::ssize(batch.places), places);
      }
      std::vector<Counts> served;
      for (const auto& pairs : batch.enhancers) {
        served.emplace_back(pairs.size());
        for (const Pair& pair : pairs) {
          enhancers.push_back(pair.enhancer);
          genes.push_back(pair.gene);
        }
      }
      for (const auto& [enhancer, first, count] : batch.places) {
        for (std::size_t i = 0; i < count; ++i) ++served.at(enhancer).at(first + i);
      }
      for (const Counts& times : served) {
        EXPECT_EQ(times, Counts(times.size(), batch.places.empty() ? 0 : 1));
      }
    }
    EXPECT_EQ(enhancers, column(pairs_of(counts), &Pair::enhancer));
    EXPECT_EQ(genes, column(pairs_of(counts), &Pair::gene));
  }
}

TEST(BatchesTest, EqualCountsFillTheirPlaces) {
  for (const std::size_t count : {1U, 3U, 20U}) {
    const auto batches = cut(Counts(16, count), 8);
    EXPECT_EQ(enhancers_of(batches), (Counts{8, 8}));
    for (const EnhancerBatch& batch : batches) EXPECT_EQ(rounds_of(batch), count);
  }
}

TEST(BatchesTest, AnEnhancerWithManyGenesHasSeveralPlaces) {
  const auto alone = cut({20}, 8);
  ASSERT_EQ(alone.size(), 1U);
  EXPECT_EQ(rounds_of(alone.front()), 3U);
  // With the seven others, ten rounds would serve 17 pairs; two rounds serve the 13 pairs of the
  // first four enhancers.
  const auto mixed = cut({10, 1, 1, 1, 1, 1, 1, 1}, 8);
  EXPECT_EQ(enhancers_of(mixed), (Counts{4, 4}));
  EXPECT_EQ(rounds_of(mixed.front()), 2U);
  EXPECT_EQ(mixed.front().rows(), (std::vector<std::int32_t>{100, 100, 100, 100, 100, 99, 98, 97}));
}

TEST(BatchesTest, TheLastBatchIsFilledUp) {
  const auto batches = cut({1, 1, 1}, 2);
  ASSERT_EQ(enhancers_of(batches), (Counts{2, 1}));
  EXPECT_EQ(batches.back().rows(), (std::vector<std::int32_t>{98, 98}));
  EXPECT_EQ(batches.back().places.back().count, 0U);
}

TEST(BatchesTest, TheCpuTakesOneEnhancerAfterTheOther) {
  for (const EnhancerBatch& batch : cut({2, 1, 5}, 0)) {
    EXPECT_TRUE(batch.places.empty());
    EXPECT_EQ(batch.rows().size(), 1U);
  }
}

}  // namespace
}  // namespace cdt
