// The planted mechanism. Every DNA window has two sites. In each, a motif (a direction in feature
// space, one for the first sites and one for the second) replaces part of the background, by an
// amount drawn for the site. The amount at the site that acts on a gene lowers its expression:
//
//   beta[e, g] = offset[g] - sensitivity[g] * activity[e, g] + noise,    activity in [0, 1)
//
// --mechanism chooses offsets, sensitivities and which site acts; windows, sites, pairs and noise
// are the same for all five mechanisms:
//
//   name       offset                   sensitivity                          effects depend on
//   none       0                        0                                    nothing
//   gene-only  -0.8 to 0, by gene       0                                    the gene
//   dna        -0.04 of every gene      0.4 of every gene                    the activity
//   product    -0.07 to -0.01, by gene  0.25 to 0.55, 0 of every fourth gene both together
//   specific   -0.07 to -0.01, by gene  0.25 to 0.55                         the gene's own site
//
// The first site acts on every gene and the second, a decoy, on none; but under specific the genes
// have two classes, and the second site acts on those of class b, the first on those of class a.
//
// The offsets of gene-only have a standard deviation of 0.23, nearly three times the default noise.
//
// All bins have the same norm, as rows of a trained encoder nearly do, so that neither a site's
// norm nor the LayerNorm after the model's first projection gives it away. The background contains
// some of both motifs everywhere, so that a plain sum over bins does not reveal the activity: a
// model must find the site. CDT sees no positions, and the mechanism does not need them.
#pragma once

#include <cstdint>
#include <vector>

#include "apps/synth/plan.h"
#include "io/dataset/dataset.h"

namespace cdt {

/// A site covers the bins centre - reach ... centre + reach.
struct PlantedSite {
  std::int64_t centre = 0;
  double amount = 0;  // share of the motif in the centre bin, [0.3, 0.95)
  /// The amount rescaled to [0, 1).
  double activity() const;
};

/// Planted sites of one enhancer, so far apart that no bin is within 2 bins of both.
struct PlantedSites {
  PlantedSite first, second;
};

struct SynthGene {
  double offset = 0;       // beta without activity
  double sensitivity = 0;  // reduction of beta by an activity of 1
  bool of_second = false;  // whether the second site acts on it (class b), not the first (class a)
};

struct SynthPair {
  Pair pair;  // beta as measured, with noise
  double noiseless_beta = 0;
  bool has_effect = false;  // whether the gene is sensitive
};

class Mechanism {
 public:
  explicit Mechanism(const SynthPlan& plan);

  const std::vector<PlantedSites>& sites() const { return sites_; }
  const std::vector<SynthGene>& genes() const { return genes_; }
  /// All pairs, by enhancer. The split is by enhancer: of every 20, 16 are train, 3 val, 1 test.
  const std::vector<SynthPair>& pairs() const { return pairs_; }

  /// Writes the (bins, dna_dim) window of an enhancer. It depends only on the plan and the
  /// enhancer, so windows may be made in any order and in parallel.
  void fill_dna(std::int64_t enhancer, float* out) const;
  /// RNA embeddings (G, rna_dim), rows of norm 1 like scGPT's in the published files. Along one
  /// direction a gene's sensitivity can be read, or under specific its class; if all genes have the
  /// same sensitivity, the rows contain no information about effects.
  std::vector<float> rna() const;
  /// Protein embeddings (G, protein_dim), rows of norm 1 without information about effects.
  std::vector<float> protein() const;

 private:
  void draw_directions();
  void draw_sites();
  void draw_genes();
  void draw_pairs();

  SynthPlan plan_;
  std::vector<double> first_motif_, second_motif_, common_;  // (dna_dim), orthonormal
  std::vector<PlantedSites> sites_;
  std::vector<SynthGene> genes_;
  std::vector<SynthPair> pairs_;
};

/// Split of an enhancer, by its index.
Split synth_split(std::int64_t enhancer);

}  // namespace cdt
