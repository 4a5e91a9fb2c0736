// Targets that read JSON: the parser, and every file and metadata entry that has its own reader.
// What a reader accepts and the engine can write again must read back the same.
#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/audit/audit.h"
#include "apps/audit/finding.h"
#include "apps/common/cli.h"
#include "apps/evaluation/study.h"
#include "apps/report/attribution.h"
#include "apps/report/evaluated.h"
#include "apps/report/sources.h"
#include "apps/train/options.h"
#include "apps/train/run_config.h"
#include "engine/error.h"
#include "io/dataset/manifest.h"
#include "io/dataset/truth.h"
#include "io/format/json.h"
#include "model/config.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

namespace cdt::test {
namespace {

constexpr const char* kFile = "input";
constexpr std::int64_t kBins = 12;

std::size_t depth_of(const nlohmann::json& json) {
  std::size_t deepest = 0;
  if (!json.is_structured()) return 0;
  for (const nlohmann::json& item : json) deepest = std::max(deepest, depth_of(item));
  return deepest + 1;
}

void check_inner_file(const std::string& name) {
  const std::filesystem::path path = name;
  CDT_CHECK(!path.is_absolute() && std::find(path.begin(), path.end(), "..") == path.end(),
            "an accepted file outside the data set");
}

void check_sites(const std::vector<std::int64_t>& bins) {
  for (const std::int64_t bin : bins) CDT_CHECK(bin >= 0 && bin < kBins, "an accepted bin");
}

}  // namespace

void fuzz_json(std::string_view input) {
  const MemoryFile memory(kFile, input);
  const nlohmann::json json = parse_json_file(kFile);
  CDT_CHECK(depth_of(json) <= 64, "accepted nesting");
  CDT_CHECK(parse_json(dumped(json), kFile) == json, "JSON that does not read back");
}

void fuzz_manifest(std::string_view input) {
  const MemoryFile memory(kFile, input);
  const Manifest manifest = read_manifest(kFile);
  for (const std::string& name :
       {manifest.dna_file, manifest.rna_file, manifest.rna_genes, manifest.rna_samples,
        manifest.protein_file, manifest.protein_genes, manifest.enhancers_file, manifest.pairs_file,
        manifest.gene_starts_file, manifest.dna_gene_file}) {
    check_inner_file(name);
  }
  const std::string text = manifest_text(manifest, "{}");
  CDT_CHECK(manifest.blob_bytes() > 0, "an accepted data set without a byte");
  const MemoryFile again("again", text);
  CDT_CHECK(manifest_text(read_manifest("again"), "{}") == text, "a manifest reads back");
}

void fuzz_truth(std::string_view input) {
  const MemoryFile memory(kFile, input);
  const Truth truth = read_truth_file(kFile, kBins);
  for (const auto& [enhancer, sites] : truth.sites) {
    check_sites(sites.causal);
    check_sites(sites.decoy);
    truth.sites_for(enhancer, "A");
  }
  for (const auto& [split, r] : truth.ceiling) CDT_CHECK(r > 0.0 && r <= 1.0, "a ceiling");
}

void fuzz_model_config(std::string_view input) {
  const CdtConfig config = parse_model_config(std::string(input), kFile);
  CDT_CHECK(config.genes >= 1 && config.hidden >= 1 && config.heads >= 1 && config.dna_layers >= 0,
            "an accepted size");
  CDT_CHECK(config.dropout >= 0.0F && config.dropout <= 1.0F, "an accepted dropout");
  const std::string text = model_config_json(config);
  CDT_CHECK(model_config_json(parse_model_config(text, kFile)) == text,
            "a configuration that does not read back");
}

/// A configuration file of a program with one option of each kind.
void fuzz_options(std::string_view input) {
  const MemoryFile memory(kFile, input);
  std::string text = "x", choice = "one", names;
  std::int64_t whole = 3;
  double real = 0.5;
  bool flag = false;
  std::filesystem::path path;
  std::vector<std::string> list;
  Cli cli("cdt-fuzz", "Reads a configuration file.");
  cli.option("text", &text, "text");
  cli.option("path", &path, "path");
  cli.option("list", &list, "list");
  cli.number("whole", &whole, 1, 10, "whole number");
  cli.number("real", &real, 0, 1, "real number");
  cli.choice("choice", &choice, {"one", "two"}, "choice");
  cli.names("names", &names, {"a", "b", "c"}, "names");
  cli.flag("flag", &flag, "flag");
  std::string program = "cdt-fuzz", option = "--config", file = kFile;
  std::array<char*, 4> words{program.data(), option.data(), file.data(), nullptr};
  CDT_CHECK(cli.parse(3, words.data()), "a configuration file prints nothing");
  CDT_CHECK(whole >= 1 && whole <= 10 && real >= 0.0 && real <= 1.0, "an accepted number");
  CDT_CHECK(choice == "one" || choice == "two", "an accepted choice");
}

void fuzz_run_config(std::string_view input) {
  const MemoryFile memory("input/config.json", input);
  read_config("input/config.json");
  const RunRecipe recipe = read_recipe("input");
  TrainOptions options;
  adopt_stored_settings(recipe.options, kFile, &options);
  CDT_CHECK(options.settings.batch_size >= 1 && options.settings.lr > 0.0, "accepted settings");
  const std::string text = settings_json(options.settings);
  TrainOptions again;
  adopt_stored_settings(text, kFile, &again);
  CDT_CHECK(settings_json(again.settings) == text, "settings that do not read back");
}

void fuzz_epochs(std::string_view input) {
  const MemoryFile memory(kFile, input);
  read_epochs(kFile, false);
  for (const EpochRow& row : read_epochs(kFile, true)) {
    CDT_CHECK(row.epoch >= 1, "an accepted epoch");
  }
}

void fuzz_metrics(std::string_view input) {
  const MemoryFile memory("input/metrics.json", input);
  const RecordedMetrics metrics = read_metrics("input");
  CDT_CHECK(metrics.split == "train" || metrics.split == "val" || metrics.split == "test",
            "an accepted split");
  recorded_baselines(metrics);
}

void fuzz_study(std::string_view input) {
  const MemoryFile memory("input/study.json", input);
  const Study study = read_study("input");
  const std::string text = study_json(study);
  const MemoryFile again("again/study.json", text);
  CDT_CHECK(study_json(read_study("again")) == text, "a study that does not read back");
  study_text(study);
  study_tsv(study);
}

void fuzz_summary(std::string_view input) {
  const MemoryFile memory(kFile, input);
  const AttributionSummary summary = read_summary(kFile, "");
  CDT_CHECK(summary.method("attention") != nullptr, "an accepted summary without attention");
}

void fuzz_audit(std::string_view input) {
  const MemoryFile memory(kFile, input);
  const std::optional<RecordedAudit> audit = read_audit_file(kFile, "");
  if (!audit) return;
  const nlohmann::json json = nlohmann::json::parse(findings_json(audit->findings).dump());
  CDT_CHECK(findings_json(read_findings(json, kFile)) == findings_json(audit->findings),
            "findings that do not read back");
  CDT_CHECK(count_warnings(audit->findings) <= std::ssize(audit->findings), "severities");
  findings_text(audit->findings);
}

}  // namespace cdt::test
