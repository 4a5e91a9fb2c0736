// cdt-train: trains a model on a data set directory, resumes a run, or prints what it would train.
#pragma once

namespace cdt {

/// The whole program below run_main(); returns the exit code.
int train_main(int argc, char** argv);

}  // namespace cdt
