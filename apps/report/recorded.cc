#include "apps/report/recorded.h"

#include <cmath>

#include "apps/report/material.h"

namespace cdt {
namespace {

constexpr const char* kRidgeWithoutDna = "ridge without DNA";

Control recorded_control(const nlohmann::json& entry, const char* name, const char* label) {
  return {name,
          label,
          count_at(entry, "draws"),
          number_at(entry, "pearson"),
          number_at(entry, "r2"),
          number_at(entry, "pearson_sd"),
          number_at(entry, "difference"),
          interval_at(entry, "difference_ci95")};
}

}  // namespace

TrainedHere recorded_trained_here(const nlohmann::json& metrics) {
  const nlohmann::json& found = value_at(metrics, "trained_on_these_pairs");
  if (!found.is_boolean()) return TrainedHere::kUnknown;
  return found.get<bool>() ? TrainedHere::kYes : TrainedHere::kNo;
}

std::optional<Replicate> recorded_replicate(const nlohmann::json& metrics) {
  const nlohmann::json& found = value_at(metrics, "replicate");
  for (const char* number : {"pearson", "pairs", "enhancers", "model_pearson"}) {
    if (!std::isfinite(number_at(found, number))) return std::nullopt;
  }
  Replicate out;
  out.source = string_at(found, "source");
  out.pairs = count_at(found, "pairs");
  out.enhancers = count_at(found, "enhancers");
  out.pearson = number_at(found, "pearson");
  out.interval = interval_at(found, "pearson_ci95");
  out.model_pearson = number_at(found, "model_pearson");
  return out;
}

std::vector<BaselinePrediction> recorded_baselines(const nlohmann::json& metrics) {
  std::vector<BaselinePrediction> out;
  for (const char* name : {"distance", "ridge"}) {
    const nlohmann::json& entry = value_at(metrics, std::string("baselines.") + name);
    if (!entry.is_object()) continue;
    const bool without_dna = string_at(entry, "label") == kRidgeWithoutDna;
    out.push_back({name, without_dna ? kRidgeWithoutDna : name, {}});
  }
  return out;
}

std::optional<Controls> recorded_controls(const nlohmann::json& metrics, const std::string& key,
                                          std::int64_t pairs) {
  const nlohmann::json& found = value_at(metrics, key);
  if (pairs == 0 || count_at(found, "n") != pairs) return std::nullopt;
  Controls out;
  out.pairs = count_at(found, "n");
  out.loci = count_at(found, "loci");
  out.pearson = number_at(found, "pearson");
  out.pearson_interval = interval_at(found, "pearson_ci95");
  const nlohmann::json& shuffled = value_at(found, "shuffled_dna");
  if (shuffled.is_object()) {
    out.shuffled_dna = recorded_control(shuffled, "shuffled_dna", "DNA shuffled");
  }
  out.variance_by_dna = number_at(found, "variance_by_dna");
  out.mean_dna = recorded_control(value_at(found, "mean_dna"), "mean_dna", "mean window");
  const nlohmann::json& genes = value_at(found, "shuffled_genes");
  out.shuffled_genes = recorded_control(genes, "shuffled_genes", "gene rows shuffled");
  out.change_by_genes = number_at(genes, "largest_change");
  return out;
}

}  // namespace cdt
