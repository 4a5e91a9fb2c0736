// cdt-synth: a data set directory with a planted mechanism (mechanism.h) and its truth.json.
#pragma once

#include "apps/synth/plan.h"

namespace cdt {

/// Streams the data set to options.common.out, window by window; the same plan gives the same bytes
/// at any number of threads. Says on stderr how large it will be before it starts. InputError if
/// the folder holds a data set already or the volume lacks the room.
void synthesise(const SynthOptions& options);

int synth_main(int argc, char** argv);

}  // namespace cdt
