#include "apps/attribute/gradient_reports.h"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/attribute/gradient_scorers.h"
#include "apps/attribute/wanted_file.h"
#include "io/format/text.h"
#include "model/explain/gene_gradients.h"

namespace cdt {
namespace {

bool integrates(const Method* method) { return method->make == make_integrated_gradients; }

}  // namespace

GradientReports::GradientReports(const std::filesystem::path& folder,
                                 const GradientOptions& options, const CommonOptions& common,
                                 const Inference& inference, const Methods& methods,
                                 std::int64_t pairs)
    : rna_path_(folder / "rna_gradient.npy"),
      protein_path_(folder / "protein_gradient.npy"),
      rna_(wanted_file(options.gene_gradients, rna_path_, {pairs, inference.config.genes})),
      protein_(wanted_file(options.gene_gradients, protein_path_, {pairs, inference.config.genes})),
      integration_(folder, inference.data, options.baseline,
                   std::any_of(methods.begin(), methods.end(), integrates)),
      paths_(folder, inference.data, pairs, options.paths, common),
      path_heads_(folder, inference, options.path_heads, static_cast<std::uint64_t>(common.seed)),
      correlations_(options, methods, static_cast<std::uint64_t>(common.seed)) {}

void GradientReports::add(Inference& inference, Attributor& attributor, Baseline& baseline,
                          const EnhancerGenes& wanted, const std::vector<PairScores>& scores) {
  paths_.add(inference, attributor, wanted);
  path_heads_.add(inference, attributor, wanted);
  if (rna_ != nullptr) add_gene_gradients(inference, wanted);
  correlations_.add(inference, attributor, baseline, wanted, scores);
}

void GradientReports::add_gene_gradients(Inference& inference, const EnhancerGenes& wanted) {
  for (const GeneGradients& of_gene :
       gene_gradients(*inference.model, inference.tape, wanted.dna, inference.rna,
                      inference.protein, wanted.genes)) {
    rna_->append(of_gene.rna.data(), static_cast<std::int64_t>(of_gene.rna.size()));
    protein_->append(of_gene.protein.data(), static_cast<std::int64_t>(of_gene.protein.size()));
  }
}

void GradientReports::finish(nlohmann::ordered_json* summary) {
  commit_or_remove(rna_, rna_path_);
  commit_or_remove(protein_, protein_path_);
  paths_.finish(summary);
  path_heads_.finish(summary);
  correlations_.finish(summary);
  integration_.finish(summary);
}

std::string GradientReports::table() const { return integration_.table() + paths_.table(); }

int GradientReports::complain() const {
  const std::string apart = paths_.warning();
  if (!apart.empty()) warn(apart);
  const std::string incomplete = integration_.warning();
  if (incomplete.empty()) return 0;
  std::cerr << "cdt-attribute: " << incomplete << "\n";
  return 1;
}

}  // namespace cdt
