#include "apps/attribute/sections.h"

#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

namespace cdt {

Sections::Sections(const std::filesystem::path& directory, const Dataset& data,
                   const ChromosomeSizes& sizes, const std::optional<Truth>& truth,
                   const Methods& methods, std::vector<Annotations> annotations,
                   const NullOptions& options)
    : rows_(directory / kAnnotationRows) {
  if (!annotations.empty()) {
    annotations_.emplace(directory, data, sizes, methods, std::move(annotations), options);
  }
  if (truth) truth_.emplace(data, *truth, methods, options.seed);
}

void Sections::add(const PairNumbers& numbers, const PairScores& scores) {
  if (annotations_) annotations_->add(numbers);
  if (truth_) truth_->add(numbers, scores);
}

void Sections::finish(nlohmann::ordered_json* summary) {
  if (annotations_) {
    annotations_->finish();
    (*summary)["annotations"] = annotations_->json();
  } else {
    std::error_code absent;
    std::filesystem::remove(rows_, absent);
  }
  if (truth_) (*summary)["truth_scores"] = truth_->json();
}

std::string Sections::table() const {
  return (annotations_ ? annotations_->table() : "") + (truth_ ? truth_->table() : "");
}

}  // namespace cdt
