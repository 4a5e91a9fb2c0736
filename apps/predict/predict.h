// cdt-predict: predictions of one split and their evaluation.
#pragma once

namespace cdt {

/// Writes OUT/predictions.tsv and OUT/metrics.json; the summary goes to stdout. Returns the exit
/// code, or throws as run_main() expects.
int predict_main(int argc, char** argv);

}  // namespace cdt
