#include "apps/attribute/path_report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/attribute/wanted_file.h"
#include "apps/common/interrupt.h"
#include "model/statistics.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kNormsFile = "paths.npy";
constexpr std::array<const char*, PathSplit::kPaths> kPathNames{"direct", "via_rna", "via_protein"};

}  // namespace

PathReport::PathReport(const std::filesystem::path& folder, const Inference& inference,
                       std::int64_t pairs, bool wanted)
    : path_(folder / kNormsFile),
      norms_(wanted_file(wanted, path_, {pairs, PathSplit::kPaths, inference.data.bins})) {}

void PathReport::add(Inference& inference, Attributor& attributor, const EnhancerGenes& wanted) {
  if (norms_ == nullptr) return;
  GradientPass& pass = attributor.pass();
  const std::vector<float> z = pass.project(wanted.dna);
  const std::vector<float> zero = pass.zero_projection(inference.data.bins);
  pass.forward(z);
  for (const std::int32_t gene : wanted.genes) {
    const PathSplit split =
        path_split(pass, attributor.norm(), inference.tape, z, zero, {gene}).front();
    for (const std::vector<float>& norm : split.norm)
      norms_->append(norm.data(), inference.data.bins);
    count(split, wanted.zero_dna);
    stop_if_interrupted();
  }
  inference.tape.clear();
}

void PathReport::count(const PathSplit& split, bool zero_dna) {
  if (zero_dna) {
    ++zero_dna_;
    return;
  }
  for (std::size_t path = 0; path < PathSplit::kPaths; ++path) {
    if (std::isfinite(split.share[path])) shares_[path].push_back(split.share[path]);
  }
  additivity_error_ = std::max(additivity_error_, split.additivity_error);
}

void PathReport::finish(Json* summary) {
  commit_or_remove(norms_, path_);
  if (norms_ == nullptr) return;
  Json shares = Json::object();
  for (std::size_t path = 0; path < PathSplit::kPaths; ++path) {
    shares[kPathNames[path]] = {{"mean", mean(shares_[path])}, {"median", median(shares_[path])}};
  }
  (*summary)["paths"] = {{"file", kNormsFile},
                         {"parts", kPathNames},
                         {"zero_dna_left_out", zero_dna_},
                         {"share", std::move(shares)},
                         {"additivity_error", additivity_error_}};
}

}  // namespace cdt
