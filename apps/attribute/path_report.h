// The split of gradients by their way to DNA (--paths): paths.npy, paths_product.npy, the section
// "paths" of summary.json, a line for a reader, and the pairs whose parts do not add up by name.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "apps/attribute/methods.h"
#include "io/format/npy.h"
#include "model/explain/path_split.h"
#include "model/stats/bootstrap.h"

namespace cdt {

/// Largest additivity error that rounding explains, by --precision.
double additivity_gate(const std::string& precision);

class PathReport {
 public:
  /// pairs: how many will be split; wanted: --paths. data outlives the object.
  PathReport(const std::filesystem::path& folder, const Dataset& data, std::int64_t pairs,
             bool wanted, const CommonOptions& common);

  /// One enhancer's genes. Uses the tape.
  void add(Inference& inference, Attributor& attributor, const EnhancerGenes& wanted);
  /// The split of wanted.genes[gene].
  void add(const EnhancerGenes& wanted, std::size_t gene, const PathSplit& split);
  /// After the last pair: brings the files to their names, or removes those of an earlier run, and
  /// adds the section. Pairs whose DNA is all zeros count for none of its numbers.
  void finish(nlohmann::ordered_json* summary);
  /// One line; empty without --paths.
  std::string table() const;
  /// One line that names the first pairs beyond the gate; empty if there are none.
  std::string warning() const;

 private:
  const Dataset& data_;
  std::filesystem::path norms_path_, products_path_;
  std::unique_ptr<NpyWriter> norms_, products_;                       // or null
  std::array<std::vector<double>, PathSplit::kPaths> shares_, sums_;  // by pair with a gradient
  std::vector<std::int32_t> enhancers_;                               // of those pairs
  BootstrapOptions bootstrap_;
  double gate_;
  double additivity_error_ = 0;
  std::int64_t counted_beyond_gate_ = 0;
  std::vector<std::string> beyond_gate_;  // all
  std::int64_t zero_dna_ = 0, zero_gradient_ = 0;
};

}  // namespace cdt
