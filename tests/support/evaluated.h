// evaluate() for tests: each enhancer is a locus of its own, and the model was trained on `train`.
#pragma once

#include <numeric>
#include <vector>

#include "apps/evaluation/evaluation.h"

namespace cdt::test {

inline Evaluation evaluated(const std::vector<Pair>& pairs, const std::vector<float>& predictions,
                            const std::vector<Pair>& train, double noise_ceiling,
                            std::int64_t replicates, const ControlSource& controls = {},
                            const std::vector<Pair>& chose = {}) {
  std::vector<std::int32_t> loci(64);
  std::iota(loci.begin(), loci.end(), 0);
  Evaluation out = evaluate({pairs, predictions, train, chose, loci, controls, {}, noise_ceiling},
                            {.replicates = replicates});
  out.trained_here = TrainedHere::kYes;
  return out;
}

}  // namespace cdt::test
