// evaluate() for tests: every enhancer is its own locus, and the model was trained on `train`.
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "apps/evaluation/evaluation.h"

namespace cdt::test {

inline Pair pair(std::int32_t enhancer, std::int32_t gene, float beta) {
  return {.split = Split::kTrain, .enhancer = enhancer, .gene = gene, .beta = beta, .label = -1};
}

inline const std::vector<Pair> kTrain{pair(0, 0, -1.0F), pair(1, 0, -3.0F), pair(1, 1, 0.5F)};
inline const std::vector<Pair> kVal{pair(1, 0, -2.5F), pair(2, 1, 0.25F), pair(3, 2, -1.0F),
                                    pair(2, 0, -1.5F)};

inline Evaluation evaluated(const std::vector<Pair>& pairs, const std::vector<float>& predictions,
                            const std::vector<Pair>& train, double noise_ceiling,
                            std::int64_t replicates, const ControlSource& controls = {},
                            const std::vector<Pair>& chose = {},
                            const Fingerprint& fingerprint = {}, bool ranks = false) {
  std::int32_t enhancers = 0;
  for (const std::vector<Pair>* list : {&pairs, &train, &chose}) {
    for (const Pair& one : *list) enhancers = std::max(enhancers, one.enhancer + 1);
  }
  std::vector<std::int32_t> loci(static_cast<std::size_t>(enhancers));  // a locus for each
  std::iota(loci.begin(), loci.end(), 0);
  std::vector<BaselinePrediction> baselines;
  if (!train.empty()) baselines = gene_baselines(train, pairs);
  Evaluation out = evaluate({.pairs = pairs,
                             .predictions = predictions,
                             .train = train,
                             .chose = chose,
                             .locus_of = loci,
                             .controls = controls,
                             .baselines = baselines,
                             .noise_ceiling = noise_ceiling,
                             .fingerprint = fingerprint,
                             .ranks = ranks},
                            {.replicates = replicates});
  out.trained_here = TrainedHere::kYes;
  return out;
}

}  // namespace cdt::test
