#include <string>
#include <utility>

#include "apps/attribute/explain.h"
#include "apps/attribute/output.h"
#include "apps/attribute/shard.h"
#include "apps/common/output_folder.h"
#include "apps/common/program.h"
#include "apps/common/progress.h"
#include "apps/common/provenance.h"
#include "apps/programs.h"
#include "engine/error.h"

namespace cdt {
namespace {

/// Explains all pairs; returns the exit code.
int run(const AttributeOptions& options) {
  catch_interrupts("cdt-attribute");
  const OutputFolder out(kAttributionOutput, options.common, inputs_of(options));
  Inference inference(options.common, options.overrides);
  if (!options.maps.list.empty() && inference.data.samples_count() > 1) {
    throw InputError("command line", "--maps",
                     "whole attention maps are not written where RNA differs between samples");
  }
  const AttributionPlan plan(options, inference.data);
  AttributionOutput output(out.path(), options, plan, inference.config, inference.fingerprint,
                           inference.data);
  expect_memory(inference, plan.pairs);
  EnhancerPasses passes(inference, options, plan.methods, plan.regions, plan.pairs);
  explain(inference, options, plan.pairs, &passes, [&](std::vector<EnhancerResult> results) {
    std::int64_t pairs = 0;
    for (EnhancerResult& result : results) {
      pairs += std::ssize(result.pairs);
      output.add(std::move(result));
    }
    return pairs;
  });
  output.finish(provenance_text(options.common, inference.fingerprint, inference.backend.get()));
  report_profile(*inference.backend, out.path());
  return output.report_failures();
}

}  // namespace

int attribute_main(int argc, char** argv) {
  AttributeOptions options;
  if (!parse_options(argc, argv, &options)) return kExitDone;
  if (!options.shard.wanted()) return run(options);
  attribute_shard(options);
  return kExitDone;
}

}  // namespace cdt
