// The programs, each a folder of apps/. Beside these cdt-import (apps/import/import.h), which alone
// is linked with HDF5.
#pragma once

namespace cdt {

/// A whole program below run_main() (apps/common/program.h), whose exceptions it leaves to it; the
/// exit code.
int synth_main(int argc, char** argv);      // a data set with a planted mechanism
int train_main(int argc, char** argv);      // trains a model, resumes a run, or prints its plan
int convert_main(int argc, char** argv);    // a checkpoint from PyTorch's form to ours and back
int predict_main(int argc, char** argv);    // predicts one split and evaluates the predictions
int attribute_main(int argc, char** argv);  // attention and gradient windows of chosen pairs
int report_main(int argc, char** argv);     // a run as one self-contained HTML page

}  // namespace cdt
