// --shard I/N: one of N shares of a program's work, in an output folder of its own, which cdt-merge
// puts together (docs/shards.md). The folder holds a journal (io/format/journal.h): a header with
// everything that decides the numbers, then a record for each piece of work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/output_folder.h"
#include "engine/backend.h"
#include "model/fingerprint.h"

namespace cdt {

struct ShardOptions {
  std::string text{};                 // of --shard
  bool resume = false;                // --continue
  std::int64_t index = 0, count = 0;  // 1 <= index <= count; 0: no shard

  bool wanted() const { return count > 0; }
  /// "shard 2 of 3"
  std::string name() const;
};

/// Adds --shard and --continue.
void add_shard_options(Cli* cli, ShardOptions* options);
/// Parses --shard. Throws InputError if it is not I/N, if --continue is given without it, and for
/// an option among `without` that was given with it.
void read_shard_options(const Cli& cli, std::initializer_list<const char*> without,
                        ShardOptions* options);

/// The share of a shard of `items` things: [begin, end), empty for some if there are few things.
struct Share {
  std::size_t begin = 0, end = 0;
  std::size_t size() const { return end - begin; }
  bool has(std::size_t item) const { return begin <= item && item < end; }
};
Share share_of(const ShardOptions& shard, std::size_t items);

inline constexpr const char* kShardFile = "shard.cdt";            // when it is finished
inline constexpr const char* kUnfinishedShard = "shard.journal";  // until then
inline constexpr const char* kShardFormat = "cdt-shard";
inline constexpr std::int64_t kShardVersion = 1;

/// A file that an option names, besides the data set and the model.
using OptionFile = std::pair<std::string, std::filesystem::path>;

/// What a shard is made from.
struct ShardSources {
  const CommonOptions& common;
  const ShardOptions& shard;
  const Fingerprint& fingerprint;
  std::string tables;             // digest_of_tables() of the data set
  std::vector<OptionFile> files;  // a path that is empty counts as not given
};

/// Digest of the truth.json of a data set; "" if it has none. Throws InputError if it is not JSON.
std::string digest_of_truth(const std::filesystem::path& data);

/// The header of a shard, as JSON on one line.
std::string shard_header(const ShardSources& sources, const Backend& backend);

/// Reads such a header. Throws InputError(source) if it is none, or one of another version.
nlohmann::json read_shard_header(const std::string& text, const std::string& source);

/// A setting that differs between two headers.
struct ShardDifference {
  std::string field, first, second;
};
/// What differs first between two headers besides the number of the shard: program, version, number
/// of shards, model, data set, kind of device, files, options. field: "" if nothing does. Paths of
/// data and model, threads and what is printed do not count. Both are as read_shard_header()
/// returns.
ShardDifference shard_difference(const nlohmann::json& first, const nlohmann::json& second);

/// Throws InputError unless --out may hold this shard; `inputs` are what the program reads.
void check_shard_folder(const CommonOptions& common, const ShardOptions& shard,
                        const Inputs& inputs);

/// Appends a record.
using RecordSink = std::function<void(std::string_view record)>;
/// Computes the records after the first `done` and appends them, in order.
using ShardWork = std::function<void(std::uint64_t done, const RecordSink& append)>;

/// Makes the shard in --out, which is locked meanwhile. A shard with the same header that is
/// finished already is left alone; one that is unfinished is continued if --continue was given.
/// Prints one line to standard output: `content` is what the shard has. Throws InputError if --out
/// holds something else.
void make_shard(const ShardSources& sources, const Backend& backend, const Inputs& inputs,
                const std::string& content, const ShardWork& work);

}  // namespace cdt
