// cdt-synth: a data set directory with a planted mechanism (mechanism.h) and its truth.json.
#pragma once

#include <string>
#include <vector>

#include "apps/synth/mechanism.h"
#include "apps/synth/plan.h"
#include "io/dataset/dataset.h"

namespace cdt {

/// Streams the data set to options.common.out, window by window; the same plan gives the same bytes
/// at any number of threads. Says on stderr how large it will be before it starts. InputError if
/// the folder holds a data set already or the volume lacks the room.
void synthesise(const SynthOptions& options);

/// Pearson of noiseless against noisy beta over the pairs of a split; NaN where undefined.
double noise_ceiling(const std::vector<SynthPair>& pairs, Split split);

/// truth.json (docs/formats.md): what was planted, and how well a perfect model could do. Names by
/// index as in the data set.
std::string truth_text(const SynthPlan& plan, const Mechanism& mechanism,
                       const std::vector<Enhancer>& enhancers,
                       const std::vector<std::string>& genes);

/// sites.bed: BED6 of the planted sites, class (causal or decoy) in column 6; what lies before the
/// chromosome's first base is cut off.
std::string sites_bed(const SynthPlan& plan, const Mechanism& mechanism,
                      const std::vector<Enhancer>& enhancers);

}  // namespace cdt
