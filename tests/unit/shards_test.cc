// Shares of shards, and the passes that are shared out.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <vector>

#include "apps/common/shard.h"
#include "apps/evaluation/pass_tasks.h"
#include "engine/error.h"
#include "io/format/record.h"

namespace cdt {
namespace {

TEST(Shares, CoverEverythingOnceInOrder) {
  for (const std::size_t items : {0U, 1U, 5U, 6U, 100U}) {
    for (const std::int64_t count : {1, 2, 3, 8, 100}) {
      std::size_t next = 0, least = items, most = 0;
      for (std::int64_t index = 1; index <= count; ++index) {
        const Share share = share_of({.index = index, .count = count}, items);
        EXPECT_EQ(share.begin, next);
        next = share.end;
        least = std::min(least, share.size());
        most = std::max(most, share.size());
      }
      EXPECT_EQ(next, items);
      EXPECT_LE(most - least, 1U);
    }
  }
}

TEST(PassTasks, AreTheBatchesOfEveryRound) {
  const std::vector<Context> contexts{{0, 1}, {0, 2}, {0, 5}, {1, 1}, {1, 2}};
  const Rounds rounds{.controls = true, .by_sample = true, .placed_draws = kPlacedDraws};
  std::set<std::tuple<std::int32_t, std::size_t, std::size_t>> found;
  for (const PassTask& task : tasks_of(rounds, contexts, 2)) {
    EXPECT_TRUE(found.emplace(task.round, task.contexts.begin, task.contexts.end).second);
  }
  std::set<std::tuple<std::int32_t, std::size_t, std::size_t>> expected{{kMeanRound, 0, 1},
                                                                        {kMeanRound, 3, 4}};
  for (const std::int32_t round : {0, 2, 3, 4, 5}) {
    expected.insert({{round, 0, 2}, {round, 2, 3}, {round, 3, 5}});
  }
  EXPECT_EQ(found, expected);
}

TEST(PassTables, TakeEveryRowOnce) {
  const std::vector<Context> contexts{{0, 1}, {0, 2}};
  const Rounds rounds{.controls = true};
  const std::vector<float> two{1, 2, 3, 4}, one{5, 6};
  PassTables tables(rounds, contexts, 2);
  tables.add({kRealRound, {0, 2}}, two);
  EXPECT_THROW(tables.add({kRealRound, {1, 2}}, one), Error);
  EXPECT_THROW(tables.add({kMeanRound, {0, 1}}, two), Error);
  EXPECT_THROW(tables.add({kMeanRound, {2, 3}}, one), Error);
  tables.add({kMeanRound, {0, 1}}, one);
  tables.add({rounds.shuffled_genes(), {0, 1}}, one);
  EXPECT_THROW(PassTables(tables).take(), Error);
  tables.add({rounds.shuffled_genes(), {1, 2}}, one);
  ControlPasses passes = tables.take();
  EXPECT_EQ(passes.real.row(1)[0], 3);
  EXPECT_EQ(passes.mean_dna.row(1)[1], 6);  // repeated: all contexts have the same window
}

struct Part {
  bool flag = false;
  std::vector<std::vector<double>> values;
};
template <class Archive, Either<Part> T>
void list_parts(Archive& archive, T& part) {
  archive(part.flag, part.values);
}

TEST(Records, ReadWhatWasWrittenAndRefuseAnotherLength) {
  const std::vector<Part> parts{{true, {{1.5, -2}, {}}}, {}};
  RecordWriter writer;
  writer(parts, std::int32_t{7});
  const std::string bytes = writer.take();
  std::vector<Part> read;
  std::int32_t number = 0;
  RecordReader reader(bytes, "test");
  reader(read, number);
  reader.expect_end();
  ASSERT_EQ(read.size(), 2U);
  EXPECT_TRUE(read[0].flag);
  EXPECT_EQ(read[0].values, parts[0].values);
  EXPECT_EQ(number, 7);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    RecordReader cut(std::string_view(bytes).substr(0, size), "test");
    EXPECT_THROW(cut(read, number), InputError) << size;
  }
  RecordReader longer(bytes, "test");
  longer(read);
  EXPECT_THROW(longer.expect_end(), InputError);
}

}  // namespace
}  // namespace cdt
