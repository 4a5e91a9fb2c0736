#include "apps/predict/forward.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "apps/common/dna_feed.h"
#include "apps/common/interrupt.h"
#include "apps/common/predict_pairs.h"
#include "apps/common/progress.h"
#include "engine/error.h"

namespace cdt {
namespace {

void expect_finite(const Dataset& data, const Pair& pair, float prediction) {
  if (std::isfinite(prediction)) return;
  throw Error("the prediction for enhancer " +
              data.enhancers[static_cast<std::size_t>(pair.enhancer)].name + ", gene " +
              data.genes[static_cast<std::size_t>(pair.gene)] + " is not a finite number");
}

}  // namespace

std::vector<float> predict_once(Inference& inference, const std::vector<Pair>& pairs,
                                std::int64_t batch, bool quiet) {
  const auto enhancers = static_cast<std::int64_t>(distinct_enhancers(pairs).size());
  Progress progress("predict", enhancers, quiet);
  inference.model->freeze();
  const std::int64_t most = std::min(batch, enhancers);
  DnaFeed feed(inference.data, *inference.backend, inference.lasting, most);
  const Tensor outputs = inference.lasting.tensor({most, inference.config.genes});
  const Trunks trunks = inference.model->compute_trunks(inference.tape, inference.rna,
                                                        inference.protein, inference.lasting);
  std::vector<float> predictions = *predict_pairs(*inference.model, inference.tape, feed, trunks,
                                                  outputs, pairs, [&](std::int64_t done) {
                                                    stop_if_interrupted();
                                                    progress.update(done);
                                                    return true;
                                                  });
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    expect_finite(inference.data, pairs[i], predictions[i]);
  }
  progress.finish();
  return predictions;
}

}  // namespace cdt
