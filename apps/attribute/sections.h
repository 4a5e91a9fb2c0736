// The reports that a run has only with --annotations or with truth.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/attribute/annotation_report.h"
#include "apps/attribute/numbers.h"
#include "apps/attribute/truth_scores.h"
#include "model/stats/null_tests.h"

namespace cdt {

class Sections {
 public:
  /// annotations: empty without --annotations. data, sizes and truth outlive the object.
  Sections(const std::filesystem::path& directory, const Dataset& data,
           const ChromosomeSizes& sizes, const std::optional<Truth>& truth, const Methods& methods,
           std::vector<Annotations> annotations, const NullOptions& options);

  void add(const PairNumbers& numbers, const PairScores& scores);
  /// After the last pair: brings annotations.tsv to its name, or removes that of an earlier run,
  /// and adds the keys of the reports to summary.json's content.
  void finish(nlohmann::ordered_json* summary);
  /// The same for a reader.
  std::string table() const;

 private:
  std::filesystem::path rows_;
  std::optional<AnnotationReport> annotations_;
  std::optional<TruthScores> truth_;
};

}  // namespace cdt
