// What the gradient methods say beyond scores: the split of gradients by path (--paths) and by head
// of the cross-attention (--path-heads), gradients at the RNA and protein inputs
// (--gene-gradients), how complete integrated gradients are, and how far occlusion bears gradients
// out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "apps/attribute/chance.h"
#include "apps/attribute/effect_correlations.h"
#include "apps/attribute/integration_report.h"
#include "apps/attribute/methods.h"
#include "apps/attribute/path_heads_report.h"
#include "apps/attribute/path_report.h"
#include "io/format/npy.h"

namespace cdt {

class GradientReports {
 public:
  /// pairs: how many will be scored. methods: those that run.
  GradientReports(const std::filesystem::path& folder, const GradientOptions& options,
                  const CommonOptions& common, const Inference& inference, const Methods& methods,
                  std::int64_t pairs);

  /// Filled by the scorer of integrated gradients.
  IntegrationReport& integration() { return integration_; }
  /// One enhancer's genes with their scores, in order. Uses the tape.
  void add(Inference& inference, Attributor& attributor, Baseline& baseline,
           const EnhancerGenes& wanted, const std::vector<PairScores>& scores);
  /// After the last pair: brings the files to their names, removes those of an earlier run that
  /// this one did not ask for, and adds "paths", "occlusion_vs_gradient" and "integrated_gradients"
  /// to the content of summary.json.
  void finish(nlohmann::ordered_json* summary);
  /// The same for a reader; empty if nothing of it was asked for.
  std::string table() const;
  /// Lines on stderr about what is incomplete. The exit code.
  int complain() const;

 private:
  void add_gene_gradients(Inference& inference, const EnhancerGenes& wanted);

  std::filesystem::path rna_path_, protein_path_;
  std::unique_ptr<NpyWriter> rna_, protein_;  // or null
  IntegrationReport integration_;
  PathReport paths_;
  PathHeadsReport path_heads_;
  EffectCorrelations correlations_;
};

}  // namespace cdt
