#include "apps/common/output_kind.h"

#include <array>
#include <string>
#include <system_error>

#include "engine/error.h"
#include "io/format/file.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 17> kDataSetFiles{
    "dataset.json",  "dna.f32",           "dna.bf16",        "rna.f32",   "rna.genes.txt",
    "protein.f32",   "protein.genes.txt", "enhancers.bed",   "pairs.tsv", "truth.json",
    "sites.bed",     "audit.json",        "provenance.json", "genes.bed", "dna_gene.f32",
    "dna_gene.bf16", "rna.samples.txt"};
constexpr std::array<const char*, 5> kRunFiles{"config.json", "provenance.json", "metrics.jsonl",
                                               "model.safetensors", "profile.json"};
constexpr std::array<const char*, 5> kRunFolders{"last", "last.new", "last.old", "last.damaged",
                                                 "previous"};
constexpr std::array<const char*, 5> kPredictionFiles{
    "predictions.tsv", "controls.tsv", "metrics.json", "provenance.json", "profile.json"};
// command.json is of attributions that were made before provenance.json existed.
constexpr std::array<const char*, 17> kAttributionFiles{"summary.json",
                                                        "provenance.json",
                                                        "command.json",
                                                        "pairs.tsv",
                                                        "peaks.tsv",
                                                        "attention.npy",
                                                        "gradient.npy",
                                                        "attention_sharpened.npy",
                                                        "paths.npy",
                                                        "paths_product.npy",
                                                        "path_heads.tsv",
                                                        "rna_gradient.npy",
                                                        "protein_gradient.npy",
                                                        "occlusion_regions.tsv",
                                                        "integrated_gradients.tsv",
                                                        "annotations.tsv",
                                                        "profile.json"};
constexpr std::array<const char*, 3> kConvertedFiles{"model.safetensors", "state.safetensors",
                                                     "provenance.json"};
constexpr std::array<const char*, 4> kStudyFiles{"study.json", "study.tsv", "predictions.tsv",
                                                 "provenance.json"};
constexpr std::array<const char*, 3> kShardFiles{"shard.cdt", "shard.journal", "provenance.json"};
constexpr std::array<const char*, 3> kAttributionFolders{"methods", "maps", "tracks"};

bool has_data_set(const fs::path& folder) { return is_there(folder / "dataset.json"); }

bool has_run(const fs::path& folder) {
  return is_there(folder / "last" / "state.safetensors") || is_there(folder / "last.old") ||
         is_there(folder / "previous") || is_there(folder / "metrics.jsonl") ||
         (has_sign(folder, kRunOutput) && is_there(folder / "model.safetensors"));
}

bool has_prediction(const fs::path& folder) { return has_sign(folder, kPredictionOutput); }
bool has_attribution(const fs::path& folder) { return has_sign(folder, kAttributionOutput); }
bool has_study(const fs::path& folder) { return has_sign(folder, kStudyOutput); }
bool has_converted(const fs::path& folder) { return has_sign(folder, kConvertedOutput); }
bool has_shard(const fs::path& folder) {
  return is_there(folder / "shard.cdt") || is_there(folder / "shard.journal");
}

constexpr std::array<const OutputKind*, 7> kKinds{
    &kDataSetOutput,     &kRunOutput,       &kPredictionOutput, &kStudyOutput,
    &kAttributionOutput, &kConvertedOutput, &kShardOutput};

}  // namespace

constexpr OutputKind kDataSetOutput{"a data set", "dataset.json", "\"cdt-dataset\"", kDataSetFiles,
                                    {},           has_data_set};
constexpr OutputKind kRunOutput{"a run",   "config.json", "\"cdt-train ",
                                kRunFiles, kRunFolders,   has_run};
constexpr OutputKind kPredictionOutput{
    "a prediction", "metrics.json", "\"cdt-metrics\"", kPredictionFiles, {}, has_prediction};
constexpr OutputKind kStudyOutput{"a study",   "study.json", "\"cdt-study\"",
                                  kStudyFiles, {},           has_study};
constexpr OutputKind kAttributionOutput{"an attribution",      "summary.json",
                                        "\"cdt-attribution\"", kAttributionFiles,
                                        kAttributionFolders,   has_attribution};

constexpr OutputKind kConvertedOutput{"a converted checkpoint",
                                      "state.safetensors",
                                      "\"cdt-optimiser-state\"",
                                      kConvertedFiles,
                                      {},
                                      has_converted};

constexpr OutputKind kShardOutput{"a shard",   "shard.cdt", "\"cdt-shard\"",
                                  kShardFiles, {},          has_shard};

std::span<const OutputKind* const> all_output_kinds() { return kKinds; }

bool has_sign(const fs::path& folder, const OutputKind& kind) {
  return file_contains(folder / kind.sign, kind.word);
}

std::vector<fs::path> existing_files(const fs::path& folder, const OutputKind& kind) {
  std::vector<fs::path> out;
  for (const char* name : kind.files) {
    if (is_there(folder / name)) out.push_back(folder / name);
  }
  for (const char* name : kind.folders) {
    for (const fs::path& entry : entries_of(folder / name)) {
      std::error_code error;
      if (!fs::is_directory(entry, error)) out.push_back(entry);
    }
  }
  return out;
}

bool file_contains(const fs::path& file, const char* text) {
  constexpr std::size_t kLimit = std::size_t{64} << 20U;
  try {
    return InputFile(file).head(kLimit).find(text) != std::string::npos;
  } catch (const InputError&) {
    return false;
  }
}

}  // namespace cdt
