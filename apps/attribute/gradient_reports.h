// What the gradient methods say beyond scores: the split of gradients by path (--paths), gradients
// at the RNA and protein inputs (--gene-gradients), and how far occlusion bears gradients out.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "apps/attribute/methods.h"
#include "apps/attribute/numbers.h"
#include "io/npy.h"
#include "model/path_split.h"

namespace cdt {

class GradientReports {
 public:
  /// pairs: how many will be scored. methods: those that run.
  GradientReports(std::filesystem::path folder, const GradientOptions& options,
                  const Inference& inference, Methods methods, std::int64_t pairs,
                  std::uint64_t seed);

  /// One enhancer's genes with their scores, in order. Uses the tape.
  void add(Inference& inference, Attributor& attributor, const EnhancerGenes& wanted,
           const std::vector<PairScores>& scores);
  /// After the last pair: brings the files to their names, removes those of an earlier run that
  /// this one did not ask for, and adds "paths", "occlusion_vs_gradient" and "integrated_gradients"
  /// to the content of summary.json.
  void finish(nlohmann::ordered_json* summary);
  /// A line for a reader on what is incomplete; empty if all is well.
  static std::string warning(const nlohmann::ordered_json& summary);

 private:
  void add_paths(Inference& inference, Attributor& attributor, const EnhancerGenes& wanted);
  void add_gene_gradients(Inference& inference, const EnhancerGenes& wanted);
  void add_correlations(std::int32_t enhancer, const PairScores& scores);
  nlohmann::ordered_json paths_json() const;
  nlohmann::ordered_json correlations_json() const;

  std::filesystem::path folder_;
  GradientOptions options_;
  Methods methods_;
  std::uint64_t seed_;
  std::unique_ptr<NpyWriter> paths_, rna_, protein_;  // or null
  std::array<std::vector<double>, PathSplit::kPaths> shares_;
  double additivity_error_ = 0;
  std::size_t occlusion_;                          // its place in methods_, or past the end
  std::vector<std::vector<double>> correlations_;  // by method, one per pair
  std::vector<std::int32_t> enhancers_;            // of those pairs
};

}  // namespace cdt
