// cdt-synth: writes a data set directory with a planted mechanism (mechanism.h) and its truth.json.
#pragma once

#include <string>
#include <vector>

#include "apps/synth/mechanism.h"
#include "apps/synth/plan.h"
#include "io/dataset/dataset.h"

namespace cdt {

/// Streams the data set to options.common.out, window by window. The same plan gives the same bytes
/// with any number of threads. Prints the size of the data set on stderr before it starts. Throws
/// InputError if the folder already holds a data set or the volume lacks the space.
void synthesise(const SynthOptions& options);

/// Pearson r of noiseless against noisy beta over the pairs of a split; NaN if undefined.
double noise_ceiling(const std::vector<SynthPair>& pairs, Split split);

/// truth.json (docs/data-sets.md): what was planted, and the score that a perfect model could
/// reach. Names by index as in the data set.
std::string truth_text(const SynthPlan& plan, const Mechanism& mechanism,
                       const std::vector<Enhancer>& enhancers,
                       const std::vector<std::string>& genes);

/// sites.bed: BED6 of the planted sites, in column 6 their class (causal or decoy, or with classes
/// of genes acts_on_a or acts_on_b); clipped at the first base of the chromosome.
std::string sites_bed(const SynthPlan& plan, const Mechanism& mechanism,
                      const std::vector<Enhancer>& enhancers);

}  // namespace cdt
