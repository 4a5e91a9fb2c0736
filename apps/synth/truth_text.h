// truth.json and sites.bed (docs/formats.md): what was planted, and how well a perfect model could
// do.
#pragma once

#include <string>
#include <vector>

#include "apps/synth/mechanism.h"
#include "io/dataset/dataset.h"

namespace cdt {

/// Pearson of noiseless against noisy beta over the pairs of a split; NaN where undefined.
double noise_ceiling(const std::vector<SynthPair>& pairs, Split split);

/// The whole file; names by index as in the data set.
std::string truth_text(const SynthPlan& plan, const Mechanism& mechanism,
                       const std::vector<Enhancer>& enhancers,
                       const std::vector<std::string>& genes);

/// BED6 of the planted sites, class (causal or decoy) in column 6; what lies before the
/// chromosome's first base is cut off.
std::string sites_bed(const SynthPlan& plan, const Mechanism& mechanism,
                      const std::vector<Enhancer>& enhancers);

}  // namespace cdt
