// Before the first step: what cdt-train says on stderr, of odd pairs and of what the training will
// take, and where its last layer begins.
#pragma once

#include <filesystem>
#include <string>

#include "apps/train/memory_plan.h"
#include "apps/train/options.h"
#include "apps/train/state.h"
#include "apps/train/validation.h"
#include "io/dataset/dataset.h"
#include "model/cdt.h"

namespace cdt {

/// Warnings on stderr, one line each: a pair of enhancer and gene in two splits, val pairs of genes
/// without training pairs, effects to learn from or to steer by that are all equal.
void warn_about_pairs(const Dataset& data, const ValidationParts& validation,
                      const TrainSettings& settings);

/// Parameters, memory and steps in one line on stderr; a second one where the model dwarfs the data
/// and its sizes are the defaults.
void say_what_it_takes(const Cdt& model, const MemoryPlan& plan, const Dataset& data,
                       const TrainOptions& options);

/// Of a run that goes on with the optimiser of a file: at which epoch, after how many updates.
void say_where_it_begins(const TrainState& state, const std::filesystem::path& optimiser);

/// Where a resumed run continues on another device than it began on, and where nothing is left to
/// do: it then ends at once, and with success.
void say_what_is_resumed(const TrainState& state, const TrainSettings& settings,
                         const std::string& began_on, const std::string& device);

/// --init-head mean: gives the last layer (task_layer.3 of the released variant, task_layer of the
/// paper's) weights of zero and as bias each gene's shrunken mean over the training pairs, of which
/// there must be some: until the first step the model predicts those means, whatever the DNA.
void start_head_at_gene_means(const Dataset& data, Cdt& model);

}  // namespace cdt
