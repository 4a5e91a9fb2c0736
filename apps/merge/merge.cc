// cdt-merge: the shards of a run (docs/shards.md) as what the run would have written without them.
#include <string>
#include <vector>

#include "apps/attribute/shard.h"
#include "apps/common/cli.h"
#include "apps/common/program.h"
#include "apps/common/shard_set.h"
#include "apps/predict/shard.h"
#include "apps/programs.h"
#include "engine/error.h"

namespace cdt {
namespace {

struct MergeOptions {
  CommonOptions common;
  std::vector<std::string> shards;
};

bool parse_options(int argc, char** argv, MergeOptions* options) {
  Cli cli("cdt-merge",
          "Puts the shards of a prediction or an attribution together (cdt-predict --shard I/N, "
          "cdt-attribute --shard I/N): checks that they are all there and of one run, and writes "
          "to OUT what the run would have written without shards.");
  cli.positional("OUT", &options->common.out, "folder to write the results to");
  cli.positional("SHARD", &options->shards, "folder of a shard; all of them, in any order");
  cli.flag("overwrite", &options->common.overwrite, "replace the results of an earlier run in OUT");
  cli.common(&options->common, {"data", "model", "quiet"});
  return cli.parse(argc, argv);
}

}  // namespace

int merge_main(int argc, char** argv) {
  MergeOptions options;
  if (!parse_options(argc, argv, &options)) return kExitDone;
  catch_interrupts("cdt-merge");
  const ShardSet shards(options.shards);
  if (shards.program() == "cdt-attribute") return merge_attributions(shards, options.common);
  if (shards.program() != "cdt-predict") {
    throw InputError(shards.source(), "program", "is not one whose shards can be merged");
  }
  merge_predictions(shards, options.common);
  return kExitDone;
}

}  // namespace cdt
