// cdt-predict --shard: some of the passes of a split, whole batches of contexts in all rounds, so
// that every forward pass is one that a run without shards makes too.
#pragma once

#include "apps/common/shard_set.h"
#include "apps/predict/options.h"

namespace cdt {

/// Runs the passes of one shard and writes its folder.
void predict_shard(const PredictOptions& options);

/// Puts shards together: writes and prints what a run without shards would have. `merge` names the
/// output and, if they have moved, data set and model.
void merge_predictions(const ShardSet& shards, const CommonOptions& merge);

}  // namespace cdt
