#include "apps/train/run_comparison.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "apps/common/provenance.h"
#include "apps/train/state_digest.h"
#include "io/format/json.h"
#include "io/format/safetensors.h"
#include "io/format/text.h"
#include "io/format/text_file.h"

namespace cdt {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

/// The first place in which two values differ: its path from `name`, and both values. Empty if they
/// are equal. Numbers differ if their shortest texts do, as those of different bits.
std::string first_difference(const Json& recorded, const Json& now, const std::string& name) {
  if (recorded == now) return "";
  const std::string prefix = name.empty() ? "" : name + ".";
  if (recorded.is_object() && now.is_object()) {
    for (const auto& [key, value] : recorded.items()) {
      const std::string path = std::string(prefix).append(key);
      if (!now.contains(key)) return path + " is only in the run";
      std::string found = first_difference(value, now[key], path);
      if (!found.empty()) return found;
    }
    for (const auto& [key, value] : now.items()) {
      if (!recorded.contains(key)) return std::string(prefix).append(key).append(" is new");
    }
  }
  return name + ": " + dumped(recorded) + " in the run, " + dumped(now) + " now";
}

/// The first difference of two tensors, or "": the largest over its values.
std::string tensor_difference(const TensorFile& run, const TensorFile& again,
                              const TensorInfo& info) {
  if (!again.has(info.name)) return info.name + " is only in the run";
  if (again.info(info.name).shape != info.shape) return info.name + " has another shape";
  std::size_t count = 1;
  for (const std::int64_t size : info.shape) count *= static_cast<std::size_t>(size);
  std::vector<float> a(count);
  std::vector<float> b(count);
  run.read(info.name, a.data());
  again.read(info.name, b.data());
  if (count == 0 || std::memcmp(a.data(), b.data(), count * sizeof(float)) == 0) return "";
  double largest = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return info.name + ": largest difference " + format_number(static_cast<float>(largest));
}

/// Metadata of a state that say where it came from, not what was trained.
const std::set<std::string> kOrigin = {"data",    "device",     "init_from",     "settings",
                                       "version", kStateDigest, kModelFileDigest};

std::string metadata_difference(const TensorFile& run, const TensorFile& again) {
  Json a = Json::object();
  Json b = Json::object();
  for (const auto& [json, file] : {std::pair(&a, &run), std::pair(&b, &again)}) {
    for (const auto& [key, value] : file->metadata()) {
      if (kOrigin.count(key) == 0) (*json)[key] = value;
    }
  }
  return first_difference(a, b, "");
}

Compared compare_files(const std::string& what, const fs::path& run, const fs::path& again) {
  const bool there = fs::exists(run);
  if (there != fs::exists(again)) {
    return {what, false, run.filename().string() + (there ? " is only in the run" : " is new")};
  }
  if (!there) return {what, true, "no epoch is finished"};
  const SafetensorsReader recorded(run);
  const SafetensorsReader now(again);
  std::string first;
  std::size_t different = 0;
  for (const TensorInfo& info : recorded.tensors()) {
    std::string found = tensor_difference(recorded, now, info);
    if (found.empty()) continue;
    if (++different == 1) first = std::move(found);
  }
  const std::string all = number_of(std::ssize(recorded.tensors()), "tensor");
  if (different > 0) {
    return {what, false, first + "; " + std::to_string(different) + " of " + all + " differ"};
  }
  first = metadata_difference(recorded, now);
  return {what, first.empty(), first.empty() ? all : first};
}

/// A line of metrics.jsonl without the fields that depend on the clock and the machine.
Json numbers_of(std::string_view line, const std::string& where) {
  Json out = parse_json(line, where);
  for (const char* key : {"seconds", "samples_per_second", "peak_memory_bytes"}) out.erase(key);
  return out;
}

/// What is wrong with the lines of the run after those of its finished epochs, or "". There may be
/// one, of the epoch that follows: it is written before the state of the epoch.
std::string surplus_lines(LineFile* lines, std::int64_t next_epoch) {
  std::string_view line;
  if (!lines->next(&line)) return "";
  const bool follows =
      numbers_of(line, lines->file() + ": " + lines->where()).value("epoch", Json()) == next_epoch;
  return follows && !lines->next(&line)
             ? ""
             : lines->file() + ": " + lines->where() + " is of no finished epoch";
}

Compared compare_metrics(const fs::path& run, const fs::path& again, const RunMoment& until) {
  const std::string what = "metrics";
  const std::int64_t epochs = until.epoch - until.first_epoch;
  if (epochs == 0) return {what, true, "no epoch is finished"};
  std::array<LineFile, 2> files = {LineFile(run / "metrics.jsonl"),
                                   LineFile(again / "metrics.jsonl")};
  for (std::int64_t i = 0; i < epochs; ++i) {
    std::array<Json, 2> lines;
    for (std::size_t f = 0; f < files.size(); ++f) {
      std::string_view line;
      if (!files[f].next(&line)) {
        return {what, false, files[f].file() + " has only " + number_of(i, "line")};
      }
      lines[f] = numbers_of(line, files[f].file() + ": " + files[f].where());
    }
    const std::string found = first_difference(lines[0], lines[1], "");
    if (!found.empty()) return {what, false, "epoch " + dumped(lines[0]["epoch"]) + ": " + found};
  }
  std::string surplus = surplus_lines(files.data(), until.epoch);
  if (!surplus.empty()) return {what, false, std::move(surplus)};
  return {what, true, number_of(epochs, "epoch")};
}

Json provenance_in(const fs::path& folder) {
  const fs::path file = folder / kProvenanceFile;
  return fs::exists(file) ? parse_json_file(file) : Json();
}

/// The parts of a provenance that determine results.
Json part_of(const Json& provenance, std::initializer_list<const char*> keys) {
  Json out = Json::object();
  for (const char* key : keys) {
    if (provenance.contains(key)) out[key] = provenance[key];
  }
  if (out.contains("device") && out["device"].is_object()) out["device"].erase("threads");
  return out;
}

}  // namespace

std::vector<Compared> compare_results(const fs::path& run, const fs::path& again,
                                      const RunMoment& until) {
  const fs::path last = "last";
  return {compare_files("best weights", run / "model.safetensors", again / "model.safetensors"),
          compare_files("last weights", run / last / "model.safetensors",
                        again / last / "model.safetensors"),
          compare_files("optimiser", run / last / "state.safetensors",
                        again / last / "state.safetensors"),
          compare_metrics(run, again, until)};
}

std::vector<Compared> compare_provenance(const fs::path& run, const fs::path& again) {
  const Json recorded = provenance_in(run);
  const Json now = provenance_in(again);
  std::vector<Compared> out;
  const auto compare = [&](const char* what, std::initializer_list<const char*> keys) {
    if (recorded.is_null()) {
      out.push_back({what, false, "the run does not record it: it has no provenance.json"});
      return;
    }
    std::vector<Json> parts = {recorded};
    if (recorded.contains("earlier")) {
      for (const Json& part : recorded["earlier"]) parts.push_back(part);
    }
    std::string found;
    for (const Json& part : parts) {
      if (found.empty()) found = first_difference(part_of(part, keys), part_of(now, keys), "");
    }
    out.push_back({what, found.empty(), found.empty() ? "" : found});
  };
  compare("code", {"code"});
  compare("build", {"compiler"});
  compare("machine", {"device", "libraries"});
  return out;
}

}  // namespace cdt
