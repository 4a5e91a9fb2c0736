// --init-from of cdt-train: a new run that begins where a model of other data, or of other sizes,
// ended (model/warm_start.h).
#pragma once

#include <ostream>

#include "apps/train/options.h"
#include "engine/backend.h"
#include "io/dataset/dataset.h"
#include "io/format/tensor_file.h"
#include "model/cdt.h"
#include "model/warm_start.h"

namespace cdt {

/// Gives `model`, whose values are drawn, what fits of `file`, the opened --init-from, and says on
/// stderr what that was. InputError as start_from(), and for a bad list of --init-from-genes.
void begin_from(const TensorFile& file, const TrainOptions& options, const Dataset& data,
                Backend& backend, Cdt& model);

/// What was taken, by module; what of the model was not, with both shapes; what of the file was not
/// used.
void print_warm_start(std::ostream& out, const WarmStart& start, const Cdt& model,
                      const std::string& file);

}  // namespace cdt
