// What an attribution reads besides the passes, and what it writes from their results, wherever
// these were computed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/attribute/options.h"
#include "apps/attribute/sections.h"
#include "io/dataset/truth.h"
#include "io/genome/annotations.h"
#include "io/genome/assembly.h"

namespace cdt {

/// The choice of pairs, methods and regions, and the files that tell what is known about them.
struct AttributionPlan {
  /// Throws InputError for what is wrong with options or files; warns of what is doubtful.
  AttributionPlan(const AttributeOptions& options, const Dataset& data);

  Methods methods;
  std::vector<Pair> pairs;  // those of one enhancer adjacent
  std::optional<Truth> truth;
  ChromosomeSizes sizes;
  std::vector<Region> regions;
  std::vector<Annotations> annotations;
};

class AttributionOutput {
 public:
  /// Makes the sections. Throws InputError if `folder` has no space. The references must outlive
  /// this.
  AttributionOutput(const std::filesystem::path& folder, const AttributeOptions& options,
                    const AttributionPlan& plan, const CdtConfig& config,
                    const Fingerprint& fingerprint, const Dataset& data);

  /// Takes the next enhancer, in the order of the pairs; computes its numbers first.
  void add(EnhancerResult result);
  /// Writes all files, warns of what is doubtful and prints the text.
  void finish(const std::string& provenance);
  /// Says what is incomplete, if anything, and returns the exit code.
  int report_failures() const;

 private:
  std::filesystem::path folder_;
  const Methods& methods_;
  Sections sections_;
};

}  // namespace cdt
