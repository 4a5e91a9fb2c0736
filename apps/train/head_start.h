// Where a training may begin from: --init-head mean.
#pragma once

#include "io/dataset/dataset.h"
#include "model/cdt.h"

namespace cdt {

/// Gives the last layer (task_layer.3 of the released variant, task_layer of the paper's) weights
/// of zero and as bias each gene's shrunken mean over the training pairs, of which there must be
/// some: until the first step the model predicts those means, whatever the DNA.
void start_head_at_gene_means(const Dataset& data, Cdt& model);

}  // namespace cdt
