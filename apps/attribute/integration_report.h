// How complete integrated gradients are, by pair: integrated_gradients.tsv, the section of
// summary.json, a line for a reader, and the pairs that missed the gate by name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/attribute/methods.h"
#include "io/dataset/dataset.h"
#include "io/format/output.h"
#include "model/explain/integrated_gradients.h"

namespace cdt {

class IntegrationReport {
 public:
  /// wanted: integrated gradients run. data outlives the object.
  IntegrationReport(const std::filesystem::path& folder, const Dataset& data, std::string baseline,
                    bool wanted);

  const IntegrationGate& gate() const { return gate_; }
  /// Of wanted.genes[gene], pairs in their order.
  void add(const EnhancerGenes& wanted, std::size_t gene, const IntegratedGradients& scores);
  /// After the last pair: brings the file to its name, or removes that of an earlier run, and adds
  /// "integrated_gradients" to summary.json's content. Pairs whose DNA is all zeros count for none
  /// of its numbers.
  void finish(nlohmann::ordered_json* summary);
  /// One line; empty where integrated gradients did not run.
  std::string table() const;
  /// One line that names the first incomplete pairs; empty if there are none.
  std::string warning() const;

 private:
  std::filesystem::path path_;
  const Dataset& data_;
  std::string baseline_;
  IntegrationGate gate_;
  std::optional<AtomicFile> file_;
  std::vector<double> steps_, errors_;  // by pair with DNA
  std::int64_t beyond_gate_ = 0;        // of those
  std::int64_t at_resolution_ = 0;      // of those, complete by the resolution of predictions
  std::int64_t zero_dna_ = 0;
  std::vector<std::string> incomplete_;  // all
};

}  // namespace cdt
