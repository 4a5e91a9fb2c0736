#include "apps/common/shard.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <system_error>

#include "apps/common/program.h"
#include "apps/common/provenance.h"
#include "engine/error.h"
#include "engine/poll.h"
#include "io/dataset/truth.h"
#include "io/format/file_digest.h"
#include "io/format/journal.h"
#include "io/format/json.h"
#include "io/format/output.h"
#include "io/format/text.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// Options that do not decide the numbers of a shard, or that the header compares otherwise.
constexpr std::array kFreeOptions{"config",     "data",    "model",   "out",     "overwrite",
                                  "device",     "threads", "quiet",   "profile", "cache",
                                  "cache-size", "shard",   "continue"};

bool is_free(const std::string& option) {
  return std::any_of(kFreeOptions.begin(), kFreeOptions.end(),
                     [&](const char* free) { return option == free; });
}

/// Throws InputError(--out) unless the header of a journal is `wanted`.
void expect_same_shard(const fs::path& folder, const Json& found, const Json& wanted) {
  ShardDifference difference = shard_difference(wanted, found);
  if (difference.field.empty() && found["shard"] != wanted["shard"]) {
    difference = {"shard", dumped(wanted["shard"]), dumped(found["shard"])};
  }
  if (difference.field.empty()) return;
  throw InputError(folder.string(), "--out",
                   expected_got("already holds a shard with another " + difference.field +
                                    "; --overwrite replaces it",
                                difference.first, difference.second));
}

/// Reads the header and all records of a journal; nothing if it has no whole header. Throws
/// InputError if it is damaged or its header is not `wanted`.
std::optional<JournalReader> read_shard(const fs::path& file, const Json& wanted) {
  std::optional<JournalReader> journal;
  Json found;
  try {
    journal.emplace(file);
    std::string record;
    while (journal->next(&record)) poll();
    if (journal->has_header()) found = read_shard_header(journal->header(), file.string());
  } catch (const InputError& error) {
    throw InputError(error.what() + std::string("; --overwrite makes it again"));
  }
  if (!journal->has_header()) return std::nullopt;
  expect_same_shard(file.parent_path(), found, wanted);
  return journal;
}

void finish(const fs::path& folder, JournalWriter* journal, const std::string& provenance) {
  journal->finish();
  write_file(folder / kProvenanceFile, provenance);
  std::error_code error;
  fs::rename(folder / kUnfinishedShard, folder / kShardFile, error);
  if (error) throw InputError((folder / kShardFile).string(), "write", error.message());
  sync_folder(folder);
}

}  // namespace

std::string ShardOptions::name() const {
  return "shard " + std::to_string(index) + " of " + std::to_string(count);
}

void add_shard_options(Cli* cli, ShardOptions* options) {
  cli->option("shard", &options->text,
              "I/N: compute share I of N and write it to --out, for cdt-merge");
  cli->flag("continue", &options->resume,
            "with --shard: go on after what a stopped run has finished in --out; nothing to do if "
            "all of it is");
}

void read_shard_options(const Cli& cli, std::initializer_list<const char*> without,
                        ShardOptions* options) {
  const auto refuse = [](const std::string& option, const std::string& what) {
    throw InputError("command line", option, what);
  };
  if (!cli.was_set("shard")) {
    if (options->resume) refuse("--continue", "changes nothing here: it needs --shard");
    return;
  }
  const std::vector<std::string_view> parts = split(options->text, '/');
  const bool is_shard = parts.size() == 2 && parse_int64(parts[0], &options->index) &&
                        parse_int64(parts[1], &options->count) && options->index >= 1 &&
                        options->index <= options->count;
  if (!is_shard) {
    refuse("--shard", expected_got("not a shard", "I/N with I from 1 to N", options->text));
  }
  for (const char* option : without) {
    if (cli.was_set(option)) refuse("--" + std::string(option), "does not go with --shard");
  }
  if (options->resume && cli.was_set("overwrite")) {
    refuse("--continue", "does not go with --overwrite, which begins again");
  }
}

std::string digest_of_truth(const fs::path& data) {
  if (!has_truth(data)) return "";
  const fs::path file = data / "truth.json";
  std::string digest = digest_of_file(file);
  parse_json_file(file);  // after it was read: a part of a file would have a digest too
  return digest;
}

Share share_of(const ShardOptions& shard, std::size_t items) {
  const auto end = [&](std::int64_t index) {
    const auto count = static_cast<std::size_t>(shard.count), i = static_cast<std::size_t>(index);
    return items / count * i + std::min(items % count, i);
  };
  return {end(shard.index - 1), end(shard.index)};
}

std::string shard_header(const ShardSources& sources, const Backend& backend) {
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const auto& [option, file] : sources.files) {
    if (file.empty()) continue;
    files.push_back(
        {{"option", option}, {"file", path_text(file)}, {"digest", digest_of_file(file)}});
  }
  return dumped(nlohmann::ordered_json{
      {"format", kShardFormat},
      {"version", kShardVersion},
      {"shard", sources.shard.index},
      {"shards", sources.shard.count},
      {"tables", sources.tables},
      {"truth", digest_of_truth(sources.common.data)},
      {"files", files},
      {"provenance", provenance_of(sources.common, sources.fingerprint, &backend)}});
}

Json read_shard_header(const std::string& text, const std::string& source) {
  Json header = parse_json(text, source);
  JsonReader reader(header, source);
  if (reader.string("format") != kShardFormat) reader.fail("format", "is not that of a shard");
  reader.integer("version", kShardVersion, kShardVersion);
  reader.integer("shard", 1, reader.integer("shards", 1));
  reader.string("tables");
  reader.string("truth");
  for (const Json& entry : reader.value("files")) {
    JsonReader file(entry, source, "files.");
    for (const char* key : {"option", "file", "digest"}) file.string(key);
  }
  JsonReader provenance = reader.object("provenance");
  provenance.string("program");
  provenance.object("options");
  provenance.object("device");
  JsonReader fingerprint = provenance.object("fingerprint");
  for (const char* key : {"model", "data"}) fingerprint.string(key);
  return header;
}

ShardDifference shard_difference(const Json& first, const Json& second) {
  ShardDifference out;
  const auto compare = [&](const std::string& field, const Json& a, const Json& b) {
    if (out.field.empty() && a != b) out = {field, dumped(a), dumped(b)};
  };
  const auto at = [](const Json& header, const char* path) {
    const Json::json_pointer pointer(path);
    return header.contains(pointer) ? header[pointer] : Json();
  };
  for (const auto& [field, path] : std::initializer_list<std::pair<const char*, const char*>>{
           {"program", "/provenance/program"},
           {"version of the program", "/provenance/code"},
           {"number of shards", "/shards"},
           {"model", "/provenance/fingerprint/model"},
           {"data set", "/provenance/fingerprint/data"},
           {"truth.json", "/truth"},
           {"kind of device", "/provenance/device/kind"}}) {
    compare(field, at(first, path), at(second, path));
  }
  const Json a = at(first, "/provenance/options"), b = at(second, "/provenance/options");
  for (const auto& [option, value] : a.items()) {
    if (!is_free(option)) compare("--" + option, value, b.value(option, Json()));
  }
  for (const auto& [option, value] : b.items()) {
    if (!is_free(option)) compare("--" + option, a.value(option, Json()), value);
  }
  compare("file", at(first, "/files"), at(second, "/files"));
  return out;
}

void check_shard_folder(const CommonOptions& common, const ShardOptions& shard,
                        const Inputs& inputs) {
  check_output_folder(common.out, kShardOutput, true, true, inputs);
  if (common.overwrite || shard.resume || !is_there(common.out / kUnfinishedShard)) return;
  throw InputError(common.out.string(), "--out",
                   "holds an unfinished shard; --continue goes on with it, --overwrite begins "
                   "again");
}

void make_shard(const ShardSources& sources, const Backend& backend, const Inputs& inputs,
                const std::string& content, const ShardWork& work) {
  const std::string header_text = shard_header(sources, backend);
  const Json header = read_shard_header(header_text, "header");
  CommonOptions options = sources.common;
  options.overwrite = true;  // what is there is looked at below
  const OutputFolder out(kShardOutput, options, inputs);
  const fs::path finished = out.path() / kShardFile;
  if (!sources.common.overwrite && is_there(finished)) {
    const std::optional<JournalReader> read = read_shard(finished, header);
    if (!read || !read->is_finished()) {
      throw InputError(finished.string(), "end", "is cut short; --overwrite makes it again");
    }
    std::cout << sources.shard.name() << " is finished already: " << path_text(finished) << "\n";
    return;
  }
  keep_when_interrupted("--continue goes on from there");
  std::optional<JournalWriter> journal;
  std::uint64_t done = 0;
  if (sources.shard.resume && is_there(out.path() / kUnfinishedShard)) {
    if (const auto read = read_shard(out.path() / kUnfinishedShard, header)) {
      done = read->records();
      journal.emplace(*read);
    }
  }
  if (!journal) {
    remove_file(finished);
    journal.emplace(out.path() / kUnfinishedShard, header_text);
    sync_folder(out.path());
  }
  if (done > 0) note(sources.shard.name() + ": continued after record " + std::to_string(done));
  work(done, [&](std::string_view record) { journal->append(record); });
  finish(out.path(), &*journal, provenance_text(sources.common, sources.fingerprint, &backend));
  std::cout << sources.shard.name() << ": " << content << "\n";
}

}  // namespace cdt
