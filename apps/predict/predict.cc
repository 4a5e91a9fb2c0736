#include <optional>

#include "apps/common/output_folder.h"
#include "apps/common/program.h"
#include "apps/common/progress.h"
#include "apps/common/provenance.h"
#include "apps/predict/combine.h"
#include "apps/predict/options.h"
#include "apps/predict/shard.h"
#include "apps/predict/split_evaluation.h"
#include "apps/programs.h"

namespace cdt {
namespace {

void run(const PredictOptions& options) {
  catch_interrupts("cdt-predict");
  const OutputFolder out(kPredictionOutput, options.common, inputs_of(options));
  Inference inference(options.common, options.overrides);
  const std::vector<Pair> pairs = pairs_to_predict(options, inference.data);
  SplitEvaluation evaluation(options, {*inference.file, inference.data, inference.fingerprint},
                             pairs, out.path());
  const Predicted predicted = predict_once(inference, pairs, options.passes());
  evaluation.finish(
      predicted, provenance_text(options.common, inference.fingerprint, inference.backend.get()));
  report_profile(*inference.backend, out.path());
}

}  // namespace

int predict_main(int argc, char** argv) {
  PredictOptions options;
  if (!parse_options(argc, argv, &options)) return kExitDone;
  if (options.shard.wanted()) {
    predict_shard(options);
  } else if (options.combine.empty()) {
    run(options);
  } else {
    const std::optional<std::int64_t> replicates(options.bootstrap);
    combine({options.common, options.combine, options.against, options.threshold(),
             options.bootstrap_given ? replicates : std::nullopt});
  }
  return kExitDone;
}

}  // namespace cdt
