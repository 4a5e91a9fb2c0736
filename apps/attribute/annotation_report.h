// Which annotated elements the peaks hit: annotations.tsv and the section "annotations" of
// summary.json (docs/formats.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/attribute/numbers.h"
#include "apps/common/annotation_files.h"
#include "io/dataset/dataset.h"
#include "io/format/output.h"
#include "model/stats/enrichment.h"
#include "model/stats/null_tests.h"

namespace cdt {

inline constexpr const char* kAnnotationRows = "annotations.tsv";

/// Top bins of one method on the elements of one class.
struct ClassEnrichment {
  std::string method, file, class_name;
  std::int64_t pairs = 0;  // with a peak of the method
  Enrichment numbers;
  double q = 0, fisher_q = 0;  // Benjamini-Hochberg over all methods, files and classes
};

class AnnotationReport {
 public:
  AnnotationReport(const std::filesystem::path& directory, const Dataset& data,
                   const ChromosomeSizes& sizes, Methods methods,
                   std::vector<Annotations> annotations, const NullOptions& options);

  /// Rows of annotations.tsv: each top bin with the element it hits or the nearest one.
  void add(const PairNumbers& numbers);
  /// Brings annotations.tsv to its name and tests every class, for each method over its defined
  /// windows; a method without any has no test.
  void finish();

  nlohmann::ordered_json json() const;
  /// The same for a reader: the classes with the smallest q first.
  std::string table() const;
  const std::vector<Annotations>& annotations() const { return annotations_; }

 private:
  /// The peaks (first top bins) of one method against one file.
  struct PeakHits {
    std::int64_t peaks = 0, on_element = 0;
    std::vector<double> distances;  // absolute, bp; of peaks on chromosomes that have elements
  };
  /// The top bins of the pairs of one enhancer.
  struct EnhancerTops {
    Pair pair;                                                 // any of them, for the window
    std::vector<bool> eligible;                                // (L): on the chromosome
    std::vector<std::vector<std::vector<std::int64_t>>> tops;  // by method, by pair with a peak
  };
  void add_row(const PairNumbers& numbers, std::size_t method, std::size_t rank, std::size_t file);
  /// For one class: a window per enhancer, its tops left empty.
  std::vector<EnrichmentWindow> windows(std::size_t file, std::size_t class_index) const;
  /// Those of them with a peak of the method, with its tops.
  std::vector<EnrichmentWindow> windows_of(std::size_t method,
                                           const std::vector<EnrichmentWindow>& all) const;

  const Dataset& data_;
  const ChromosomeSizes& sizes_;
  Methods methods_;
  std::vector<Annotations> annotations_;
  NullOptions options_;
  AtomicFile rows_;
  std::int64_t pairs_ = 0, without_dna_ = 0;
  std::vector<std::vector<PeakHits>> hits_;  // by method, by file
  std::vector<EnhancerTops> enhancers_;
  std::vector<ClassEnrichment> classes_;
};

}  // namespace cdt
