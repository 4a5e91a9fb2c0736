// Targets that read the journal of a shard and the records in it.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/attribute/result_record.h"
#include "apps/common/shard.h"
#include "engine/error.h"
#include "io/format/journal.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

namespace cdt::test {
namespace {
constexpr const char* kFile = "input";
constexpr std::uint64_t kMagicBytes = 8, kHeadBytes = 20;
constexpr const char* kOtherHeader =
    R"({"format": "cdt-shard", "version": 1, "shard": 1, "shards": 2, "tables": "", "truth": "",
        "files": [], "provenance": {"program": "cdt-predict", "device": {"kind": "cpu"},
        "fingerprint": {"model": "", "data": ""}, "options": {"split": "test", "quiet": true}}})";
}  // namespace

void fuzz_journal(std::string_view input) {
  const MemoryFile memory(kFile, input);
  JournalReader journal(kFile);
  std::uint64_t bytes = journal.has_header() ? kMagicBytes + kHeadBytes + journal.header().size()
                                             : journal.whole_bytes();
  std::uint64_t records = 0;
  std::string record;
  while (journal.next(&record)) {
    bytes += kHeadBytes + record.size();
    ++records;
  }
  CDT_CHECK(journal.records() == records, "as many records as were read");
  CDT_CHECK(journal.whole_bytes() == bytes && bytes <= input.size(), "the end of the last record");
}

void fuzz_shard_header(std::string_view input) {
  static const nlohmann::json other = read_shard_header(kOtherHeader, "other");
  const nlohmann::json header = read_shard_header(std::string(input), kFile);
  const auto number = header["shard"].get<std::int64_t>();
  CDT_CHECK(number >= 1 && number <= header["shards"].get<std::int64_t>(), "an accepted number");
  CDT_CHECK(shard_difference(header, header).field.empty(), "a header that differs from itself");
  const ShardDifference found = shard_difference(other, header);
  CDT_CHECK(shard_difference(header, other).field.empty() == found.field.empty(),
            "a difference that is seen from one side");
}

void fuzz_result_record(std::string_view input) {
  constexpr std::size_t kMethods = 2;
  constexpr std::int64_t kBins = 4;
  const std::vector<Pair> pairs = {{.enhancer = 1, .gene = 0}, {.enhancer = 1, .gene = 2}};
  const EnhancerResult result = decode_result(input, kFile, pairs, kMethods, kBins);
  for (const PairScores& scores : result.scores) {
    CDT_CHECK(scores.windows.size() == kMethods, "a window for each method");
    for (const std::vector<float>& window : scores.windows) {
      CDT_CHECK(std::ssize(window) == kBins, "a value for each bin");
    }
  }
  const std::string record = encode_result(result);
  CDT_CHECK(encode_result(decode_result(record, kFile, pairs, kMethods, kBins)) == record,
            "a record that does not read back");
}

}  // namespace cdt::test
