#include "apps/predict/forward.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include "apps/common/predictions.h"
#include "apps/common/program.h"
#include "apps/common/progress.h"
#include "engine/error.h"
#include "model/dna_feed.h"

namespace cdt {
namespace {

void expect_finite(const Dataset& data, const Pair& pair, float prediction) {
  if (std::isfinite(prediction)) return;
  throw Error("the prediction for enhancer " +
              data.enhancers[static_cast<std::size_t>(pair.enhancer)].name + ", gene " +
              data.genes[static_cast<std::size_t>(pair.gene)] + " is not a finite number");
}

}  // namespace

Predicted predict_once(Inference& inference, const std::vector<Pair>& pairs,
                       const PredictSettings& settings) {
  const std::vector<std::int32_t> enhancers = distinct_enhancers(pairs);
  const auto count = static_cast<std::int64_t>(enhancers.size());
  Progress progress("predict", settings.with_controls ? 2 * count : count, settings.quiet);
  const auto go_on = [&](std::int64_t done) {
    stop_if_interrupted();
    progress.update(done);
    return true;
  };
  inference.model->freeze();
  DnaFeed feed(inference.data, *inference.backend, inference.lasting,
               std::min(settings.batch, count));
  Arena constants(*inference.backend, "trunks");
  const PassPlace place{*inference.model, inference.tape, constants, feed, inference.data};
  Predicted out;
  if (settings.with_controls) {
    const std::vector<float> window = mean_window(inference.data, enhancers, [] {
      stop_if_interrupted();
      return true;
    });
    const auto passes = std::make_shared<const ControlPasses>(
        *control_passes(place, enhancers, window, settings.seed, go_on));
    out.predictions = passes->real.of(pairs);
    out.controls = [passes, seed = settings.seed](const std::vector<Pair>& some) {
      return control_predictions(*passes, some, kControlDraws, seed);
    };
  } else {
    out.predictions = plain_passes(place, enhancers, go_on)->of(pairs);
  }
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    expect_finite(inference.data, pairs[i], out.predictions[i]);
  }
  progress.finish();
  return out;
}

}  // namespace cdt
