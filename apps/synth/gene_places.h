// Starts of the genes of a synthetic data set, for models and baselines that read positions. The
// planted effects do not depend on them.
#pragma once

#include <optional>
#include <vector>

#include "apps/synth/plan.h"
#include "io/dataset/dataset.h"

namespace cdt {

/// Places every gene relative to the first enhancer that it is tested with, by turns: inside the
/// enhancer's window; on either side of it, up to eleven windows away; on another chromosome;
/// inside again. The start of the last gene, and of one without a pair, is unknown.
std::vector<std::optional<GeneStart>> place_genes(const SynthPlan& plan,
                                                  const std::vector<Enhancer>& enhancers,
                                                  const std::vector<Pair>& pairs);

}  // namespace cdt
