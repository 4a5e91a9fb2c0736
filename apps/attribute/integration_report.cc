#include "apps/attribute/integration_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/attribute/pair_names.h"
#include "apps/attribute/wanted_file.h"
#include "apps/common/format.h"
#include "io/format/text.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFile = "integrated_gradients.tsv";
constexpr const char* kHeader =
    "enhancer\tgene\tsteps\tchange\tcompleteness_error\tresolution\tcomplete\tzero_dna\n";

double largest(const std::vector<double>& values) {
  return values.empty() ? 0.0 : *std::max_element(values.begin(), values.end());
}

}  // namespace

IntegrationReport::IntegrationReport(const std::filesystem::path& folder, const Dataset& data,
                                     std::string baseline, bool wanted)
    : path_(folder / kFile), data_(data), baseline_(std::move(baseline)) {
  if (!wanted) return;
  file_.emplace(path_);
  file_->write(kHeader);
}

void IntegrationReport::add(const EnhancerGenes& wanted, std::size_t gene,
                            const IntegratedGradients& scores) {
  const Pair pair{.enhancer = wanted.enhancer, .gene = wanted.genes[gene]};
  const std::string& enhancer = enhancer_of(data_, pair).name;
  file_->write(tab_separated(
      {enhancer, gene_of(data_, pair), std::to_string(scores.steps), format_number(scores.change),
       format_number(scores.completeness_error), format_number(scores.resolution),
       scores.complete ? "1" : "0", wanted.zero_dna ? "1" : "0"}));
  if (!scores.complete) incomplete_.push_back(pair_name(data_, pair));
  if (wanted.zero_dna) {
    ++zero_dna_;
    return;
  }
  steps_.push_back(scores.steps);
  errors_.push_back(scores.completeness_error);
  if (scores.completeness_error <= gate_.relative) return;
  ++beyond_gate_;
  at_resolution_ += scores.complete ? 1 : 0;
}

void IntegrationReport::finish(Json* summary) {
  if (!commit_or_remove(file_, path_)) return;
  (*summary)["integrated_gradients"] = {
      {"file", kFile},
      {"baseline", baseline_},
      {"zero_dna_left_out", zero_dna_},
      {"steps", {{"mean", mean(steps_)}, {"most", largest(steps_)}}},
      {"completeness_error", {{"mean", mean(errors_)}, {"largest", largest(errors_)}}},
      {"gate", gate_.relative},
      {"beyond_gate_pairs", beyond_gate_},
      {"at_resolution_pairs", at_resolution_},
      {"incomplete_pairs", beyond_gate_ - at_resolution_}};
}

std::string IntegrationReport::table() const {
  if (!file_) return "";
  if (errors_.empty()) return "integrated gradients: no pair with DNA\n";
  return text(
      "integrated gradients: completeness error %.3g %% mean, %.3g %% largest; %lld of %zu pairs "
      "beyond %g %%: %lld as near as predictions resolve, %lld incomplete; %.0f steps mean, %.0f "
      "most\n",
      100.0 * mean(errors_), 100.0 * largest(errors_), static_cast<long long>(beyond_gate_),
      errors_.size(), 100.0 * gate_.relative, static_cast<long long>(at_resolution_),
      static_cast<long long>(beyond_gate_ - at_resolution_), mean(steps_), largest(steps_));
}

std::string IntegrationReport::warning() const {
  if (incomplete_.empty()) return "";
  return "integrated gradients: the scores of " + named(incomplete_, "pair") +
         text(" miss the prediction's change by more than %g %% at %d steps (",
              100.0 * gate_.relative, gate_.most_steps) +
         kFile + ")";
}

}  // namespace cdt
