// What cdt-train prints on stderr before the first step: warnings about odd pairs and what the
// training will take; also the initial values of the last layer.
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

/// Warns on stderr, one line each: enhancer-gene pairs in two splits, val pairs of genes without
/// training pairs, effects in train or in the val pairs that steer that are all equal.
void warn_about_pairs(const Dataset& data, const ValidationParts& validation,
                      const TrainSettings& settings);

/// Prints parameters, memory (of each rank), steps and the name of the number that steers in one
/// line on stderr, and a second one if the model is far larger than the data warrant and has the
/// default sizes.
void say_what_it_takes(const Cdt& model, const MemoryPlan& plan, const Dataset& data,
                       const std::string& steered_by, const TrainOptions& options, int ranks);

/// For a run that continues a file's optimiser: prints the first epoch, the updates already done,
/// and the learning rate of the next one.
void say_where_it_begins(const TrainState& state, double lr,
                         const std::filesystem::path& optimiser);

/// Notes if a resumed run continues on another device, and if nothing is left to do, in which case
/// it ends at once and successfully.
void say_what_is_resumed(const TrainState& state, const TrainSettings& settings,
                         const std::string& began_on, const std::string& device);

/// --init-head mean: gives the last layer (task_layer.3 of the released variant, task_layer of the
/// paper's) zero weights and, as its bias, each gene's shrunk mean over the training pairs, of
/// which there must be some; with the gene readout, the mean effect of all of them. Until the first
/// step the model predicts those means, whatever the DNA.
void start_head_at_gene_means(const std::vector<Pair>& train, Cdt& model);

}  // namespace cdt
