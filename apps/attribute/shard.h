// cdt-attribute --shard: the pairs of some of the enhancers, and the merge of such shards.
#pragma once

#include "apps/attribute/options.h"
#include "apps/common/shard_set.h"

namespace cdt {

/// Explains the pairs of one shard and writes its folder.
void attribute_shard(const AttributeOptions& options);

/// Puts shards together: writes and prints what a run without shards would have. One enhancer at a
/// time is in memory. `merge` names the output and, if they have moved, data set and model. Returns
/// the exit code.
int merge_attributions(const ShardSet& shards, const CommonOptions& merge);

}  // namespace cdt
