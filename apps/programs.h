// The programs, each in a folder of apps/. Not listed is cdt-import (apps/import/import.h), the
// only one linked with HDF5.
#pragma once

namespace cdt {

/// Main function of a program, below run_main() (apps/common/program.h), which handles its
/// exceptions; returns the exit code.
int synth_main(int argc, char** argv);  // a data set with a planted mechanism
int split_main(int argc, char** argv);  // splits the pairs of a data set again
int audit_main(int argc, char** argv);  // what in a data set could mislead a conclusion
int train_main(int argc, char** argv);  // trains a model, resumes a run, or prints the plan
int convert_main(int argc,
                 char** argv);  // converts a checkpoint from PyTorch's form to ours and back
int predict_main(int argc, char** argv);    // predicts one split and evaluates the predictions
int attribute_main(int argc, char** argv);  // attention and gradient windows of chosen pairs
int merge_main(int argc, char** argv);      // puts the shards of one of these two together
int ceiling_main(int argc, char** argv);    // agreement of two tables of measurements
int report_main(int argc, char** argv);     // a run as one self-contained HTML page

}  // namespace cdt
