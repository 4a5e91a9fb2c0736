#include "apps/report/recorded.h"

#include "apps/common/program.h"
#include "apps/report/material.h"
#include "engine/error.h"
#include "io/format/json.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr const char* kRidgeWithoutDna = "ridge without DNA";

void name_controls(std::optional<Controls>* controls) {
  const auto name = [](Control* control, const char* its_name, const char* label) {
    control->name = its_name;
    control->label = label;
  };
  if (!*controls) return;
  Controls& c = **controls;
  if (c.shuffled_dna) name(&*c.shuffled_dna, "shuffled_dna", "DNA shuffled");
  name(&c.mean_dna, "mean_dna", "mean window");
  name(&c.shuffled_genes, "shuffled_genes", "gene rows shuffled");
}

/// The cdt-predict line that made a folder, as far as its metrics.json tells.
std::string predict_command(const nlohmann::json& metrics, const std::filesystem::path& directory) {
  std::string out = "cdt-predict";
  for (const char* option : {"data", "model", "split"}) {
    const std::string value = unescape_bytes(string_at(metrics, option));
    if (!value.empty()) out += std::string(" --") + option + " " + shell_word(value);
  }
  return out + " --out " + shell_word(directory.string());
}

}  // namespace

RecordedMetrics read_metrics(const std::filesystem::path& directory) {
  const std::string file = (directory / "metrics.json").string();
  const nlohmann::json json = parse_json_file(file);
  expect_version(json, file, "cdt-metrics", 2, "cdt-predict", predict_command(json, directory));
  auto out = read_fields<RecordedMetrics>(json, file);
  if (out.split != "train" && out.split != "val" && out.split != "test") {
    throw InputError(file, "split", expected_got("unknown", "train, val or test", out.split));
  }
  name_controls(&out.controls);
  name_controls(&out.tested_controls);
  return out;
}

std::vector<BaselinePrediction> recorded_baselines(const RecordedMetrics& metrics) {
  std::vector<BaselinePrediction> out;
  if (!metrics.baselines) return out;
  const auto add = [&](const char* name, const auto& found) {
    if (!found) return;
    out.push_back({name, found->label == kRidgeWithoutDna ? kRidgeWithoutDna : name, {}});
  };
  add("distance", metrics.baselines->distance);
  add("ridge", metrics.baselines->ridge);
  return out;
}

}  // namespace cdt
