// --init-from of cdt-train: starts a new run from a model of other data or other sizes
// (model/warm_start.h).
#pragma once

#include <ostream>

#include "apps/train/options.h"
#include "engine/backend.h"
#include "io/dataset/dataset.h"
#include "io/format/tensor_file.h"
#include "model/cdt.h"
#include "model/checkpoint.h"
#include "model/warm_start.h"

namespace cdt {

/// Copies what fits of `file`, the opened --init-from, into `model`, whose values are already
/// initialised, and reports it on stderr. units: of the model's outputs. Throws InputError as
/// start_from(), and for an invalid list of --init-from-genes.
void begin_from(const TensorFile& file, const TrainOptions& options, const Dataset& data,
                Backend& backend, Cdt& model, const OutputUnits& units = {});

/// Prints what was taken, by module; which parts of the model were not, with both shapes; which
/// parts of the file were not used.
void print_warm_start(std::ostream& out, const WarmStart& start, const Cdt& model,
                      const std::string& file);

}  // namespace cdt
