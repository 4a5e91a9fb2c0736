// Shares of shards, and the passes that are shared out.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "apps/common/shard.h"
#include "apps/evaluation/pass_tasks.h"
#include "engine/error.h"
#include "io/format/record.h"
#include "tests/support/input_error.h"

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

// --- headers

/// The header of a shard with `value` in place of what is at `place` (a JSON pointer).
std::string header_with(const char* place, const nlohmann::json& value) {
  nlohmann::json header = nlohmann::json::parse(R"({"format": "cdt-shard", "version": 1,
      "shard": 2, "shards": 3, "tables": "t", "truth": "", "files": [],
      "provenance": {"program": "cdt-predict", "options": {"split": "test", "threads": 4},
      "device": {"kind": "cpu"}, "fingerprint": {"model": "m", "data": "d"}}})");
  header[nlohmann::json::json_pointer(place)] = value;
  return header.dump();
}

TEST(ShardHeaders, OfAnotherFormNameTheField) {
  const auto complaint = [](const std::string& text) {
    return test::input_error([&] { read_shard_header(text, "shard.cdt"); });
  };
  EXPECT_EQ(complaint(header_with("/tables", "other")), "");
  EXPECT_EQ(complaint("[]"), "shard.cdt: JSON: wrong type (expected an object, got [])");
  EXPECT_EQ(complaint(header_with("/provenance/options", nlohmann::json::array())),
            "shard.cdt: provenance.options: wrong type (expected an object, got [])");
  EXPECT_EQ(complaint(header_with("/provenance/device", "cpu")),
            "shard.cdt: provenance.device: wrong type (expected an object, got \"cpu\")");
  EXPECT_EQ(complaint(header_with("/files", {{{"option", "tracks"}}})),
            "shard.cdt: files.file: missing");
  EXPECT_EQ(complaint(header_with("/shard", 4)),
            "shard.cdt: shard: out of range (expected 1 to 3, got 4)");
}

TEST(ShardHeaders, DifferInOptionsThatOnlyOneHas) {
  const auto read = [](const std::string& text) { return read_shard_header(text, "shard.cdt"); };
  const nlohmann::json plain = read(header_with("/provenance/options/threads", 2));
  const nlohmann::json more = read(header_with("/provenance/options/seed", 1));
  for (const auto& [first, second] : {std::pair(plain, more), std::pair(more, plain)}) {
    EXPECT_EQ(shard_difference(first, second).field, "--seed");
  }
  EXPECT_EQ(shard_difference(plain, read(header_with("/shard", 1))).field, "");
}

}  // namespace
}  // namespace cdt
