#include "apps/common/shard_set.h"

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include "engine/error.h"
#include "io/format/file_digest.h"
#include "io/format/journal.h"
#include "io/format/json.h"
#include "io/format/json_fields.h"
#include "io/format/text.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const Json& provenance_in(const Json& header) { return header["provenance"]; }

/// What two machines may differ in although they are of one kind.
std::string machine_of(const Json& header) {
  Json device = provenance_in(header)["device"];
  device.erase("threads");
  return dumped(device);
}

/// Throws InputError unless a digest is that of the shards.
void expect(const fs::path& file, const char* field, const std::string& of_shards,
            const std::string& found) {
  if (of_shards == found) return;
  throw InputError(file.string(), field,
                   expected_got("is not that of the shards", of_shards, found));
}

}  // namespace

ShardSet::Shard ShardSet::open(const fs::path& folder) {
  Shard out{0, folder, folder / kShardFile, "", {}};
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw InputError(folder.string(), "SHARD", "no such folder");
  }
  if (!is_there(out.file)) {
    throw InputError(folder.string(), "SHARD",
                     is_there(folder / kUnfinishedShard)
                         ? "is unfinished: run its command again with --continue"
                         : "holds no shard (what --shard I/N writes to --out)");
  }
  const JournalReader journal(out.file);
  out.header_text = journal.header();
  if (!journal.is_finished()) {
    throw InputError(out.file.string(), "end", "is damaged or cut short");
  }
  const std::string source = out.file.string();
  out.header = read_shard_header(out.header_text, source);
  out.index = out.header["shard"].get<std::int64_t>();
  return out;
}

ShardSet::ShardSet(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    shards_.push_back(open(folder));
    const ShardDifference difference =
        shard_difference(shards_.front().header, shards_.back().header);
    if (difference.field.empty()) continue;
    throw InputError(folder, difference.field,
                     expected_got("differs from that of " + shards_.front().folder.string(),
                                  difference.first, difference.second));
  }
  std::stable_sort(shards_.begin(), shards_.end(),
                   [](const Shard& a, const Shard& b) { return a.index < b.index; });
  expect_all();
  expect_same_files();
  warn_of_machines();
}

void ShardSet::expect_all() const {
  const auto count = shards_.front().header["shards"].get<std::int64_t>();
  const auto name = [&](std::int64_t index) {
    return "shard " + std::to_string(index) + " of " + std::to_string(count);
  };
  for (std::size_t i = 1; i < shards_.size(); ++i) {
    if (shards_[i].index != shards_[i - 1].index) continue;
    throw InputError(
        shards_[i].folder.string(), "SHARD",
        "is " + name(shards_[i].index) + ", and so is " + shards_[i - 1].folder.string());
  }
  std::set<std::int64_t> there;
  for (const Shard& shard : shards_) there.insert(shard.index);
  std::vector<std::string> missing;
  for (std::int64_t i = 1; i <= count; ++i) {
    if (there.count(i) == 0) missing.push_back(std::to_string(i));
  }
  if (missing.empty()) return;
  throw InputError("command line", "SHARD",
                   missing.size() == 1
                       ? name(std::stoll(missing.front())) + " is missing"
                       : named(missing, "shard") + " of " + std::to_string(count) + " are missing");
}

void ShardSet::expect_same_files() const {
  for (const Json& entry : shards_.front().header["files"]) {
    const fs::path file = path_of_text(entry["file"].get<std::string>());
    const auto wanted = entry["digest"].get<std::string>();
    const std::string found = digest_of_file(file);
    if (found == wanted) continue;
    throw InputError(file.string(), entry["option"].get<std::string>(),
                     expected_got("has changed since the shards were made", wanted, found));
  }
}

void ShardSet::warn_of_machines() const {
  for (const Shard& shard : shards_) {
    if (machine_of(shard.header) == machine_of(shards_.front().header)) continue;
    warn(shard.folder.string() + " was computed on another machine than " +
         shards_.front().folder.string() +
         "; the last bits of numbers may differ from those of a run on one machine");
    return;
  }
}

std::string ShardSet::program() const {
  return provenance_in(shards_.front().header)["program"].get<std::string>();
}

const Json& ShardSet::options() const { return provenance_in(shards_.front().header)["options"]; }

Fingerprint ShardSet::fingerprint() const {
  return read_fields<Fingerprint>(provenance_in(shards_.front().header)["fingerprint"], source(),
                                  "provenance.fingerprint");
}

void ShardSet::add_inputs(const fs::path& out, Inputs* inputs) const {
  std::error_code error;
  const fs::path place = fs::weakly_canonical(fs::absolute(out, error), error);
  for (const Shard& shard : shards_) {
    inputs->add_output("SHARD", shard.folder, kShardOutput);
    const fs::path folder = fs::weakly_canonical(shard.folder, error);
    const auto [at, unused] =
        std::mismatch(folder.begin(), folder.end(), place.begin(), place.end());
    if (at != folder.end()) continue;
    throw InputError(out.string(), "OUT",
                     (place == folder ? "is a shard that is read (" : "is inside a shard (") +
                         shard.folder.string() + "); name another folder");
  }
}

void ShardSet::expect_same_inputs(const ModelAndData& opened) const {
  const Fingerprint wanted = fingerprint();
  const Json& header = shards_.front().header;
  const fs::path& folder = opened.data.directory;
  expect(opened.file->path(), "model", wanted.model, opened.fingerprint.model);
  expect(folder, "data set", header["tables"].get<std::string>(), opened.tables);
  if (opened.data.has_dna()) expect(folder, "data set", wanted.data, opened.fingerprint.data);
}

void ShardSet::expect_same_truth(const fs::path& data) const {
  expect(data / "truth.json", "digest", shards_.front().header["truth"].get<std::string>(),
         digest_of_truth(data));
}

void ShardSet::read(std::int64_t index, std::size_t expected, const Take& take) const {
  const Shard& shard = shards_[static_cast<std::size_t>(index - 1)];
  JournalReader journal(shard.file);
  const std::string source = shard.file.string();
  std::string record;
  while (journal.next(&record)) {
    if (journal.records() > expected) break;
    take(record, source);
  }
  if (journal.records() == expected) return;
  throw InputError(source, "records",
                   expected_got("are not those of its share", std::to_string(expected),
                                std::to_string(journal.records())));
}

std::string ShardSet::provenance_text(const CommonOptions& merge) const {
  using Ordered = nlohmann::ordered_json;
  std::vector<Ordered> of_shards;
  for (const Shard& shard : shards_) {
    of_shards.push_back(std::move(Ordered::parse(shard.header_text)["provenance"]));
  }
  Ordered out = of_shards.front();
  out["command_line"] = merge.invocation.command_line;
  Ordered& options = out["options"];
  options["out"] = path_text(merge.out);
  if (!merge.data.empty()) options["data"] = path_text(merge.data);
  if (!merge.model.empty()) options["model"] = path_text(merge.model);
  options["shard"] = "";
  options["continue"] = false;
  options["overwrite"] = merge.overwrite;
  Ordered& made_by = out["shards"] = Ordered::array();
  for (Ordered& of : of_shards) {
    made_by.push_back({{"command_line", of["command_line"]}, {"device", of["device"]}});
  }
  return json_text(out);
}

CommonOptions merged_options(const CommonOptions& of_shards, const CommonOptions& merge) {
  CommonOptions out = merge;
  out.precision = of_shards.precision;
  out.attention = of_shards.attention;
  out.seed = of_shards.seed;
  if (out.data.empty()) out.data = of_shards.data;
  if (out.model.empty()) out.model = of_shards.model;
  return out;
}

}  // namespace cdt
