#include "apps/predict/forward.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_map>

#include "apps/common/dna_feed.h"
#include "apps/common/interrupt.h"
#include "engine/error.h"

namespace cdt {
namespace {

/// Indices of pairs by enhancer.
std::unordered_map<std::int32_t, std::vector<std::size_t>> pairs_by_enhancer(
    const std::vector<Pair>& pairs) {
  std::unordered_map<std::int32_t, std::vector<std::size_t>> out;
  for (std::size_t i = 0; i < pairs.size(); ++i) out[pairs[i].enhancer].push_back(i);
  return out;
}

std::vector<std::int32_t> part(const std::vector<std::int32_t>& all, std::size_t begin,
                               std::int64_t count) {
  const std::size_t end = std::min(all.size(), begin + static_cast<std::size_t>(count));
  if (begin >= end) return {};
  return {all.begin() + static_cast<std::ptrdiff_t>(begin),
          all.begin() + static_cast<std::ptrdiff_t>(end)};
}

/// (N, G) predictions for dna (N, L, dna_dim), on the host; outputs (batch, G) is memory for them.
std::vector<float> predict_genes(Inference& inference, const Trunks& trunks, const Tensor& dna,
                                 const Tensor& outputs) {
  const std::int64_t count = dna.shape[0];
  const Tensor out = outputs.slice(0, count);
  Tape& tape = inference.tape;
  inference.backend->run_recorded("predict " + std::to_string(count), [&] {
    const Var predicted = inference.model->forward_from_trunks(tape, tape.constant(dna), trunks);
    inference.backend->copy(out, predicted->value);
    tape.clear();
  });
  std::vector<float> host(static_cast<std::size_t>(out.count()));
  inference.backend->download(host.data(), out);
  return host;
}

void expect_finite(const Inference& inference, const Pair& pair, float prediction) {
  if (std::isfinite(prediction)) return;
  throw Error("the prediction for enhancer " +
              inference.data.enhancers[static_cast<std::size_t>(pair.enhancer)].name + ", gene " +
              inference.data.genes[static_cast<std::size_t>(pair.gene)] +
              " is not a finite number");
}

}  // namespace

std::vector<std::int32_t> distinct_enhancers(const std::vector<Pair>& pairs) {
  std::vector<std::int32_t> out;
  out.reserve(pairs.size());
  for (const Pair& p : pairs) out.push_back(p.enhancer);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<float> predict_pairs(Inference& inference, const std::vector<Pair>& pairs,
                                 std::int64_t batch, Progress& progress) {
  const std::vector<std::int32_t> enhancers = distinct_enhancers(pairs);
  const auto wanted = pairs_by_enhancer(pairs);
  inference.model->freeze();
  const std::int64_t most = std::min(batch, static_cast<std::int64_t>(enhancers.size()));
  DnaFeed feed(inference.data, *inference.backend, inference.lasting, most);
  feed.start(part(enhancers, 0, most));
  const Tensor outputs = inference.lasting.tensor({most, inference.config.genes});
  const Trunks trunks = inference.model->compute_trunks(inference.tape, inference.rna,
                                                        inference.protein, inference.lasting);
  std::vector<float> predictions(pairs.size());
  for (std::size_t begin = 0; begin < enhancers.size();) {
    const std::vector<std::int32_t> rows = part(enhancers, begin, most);
    begin += rows.size();
    stop_if_interrupted();
    const Tensor dna = feed.take();
    if (begin < enhancers.size()) feed.start(part(enhancers, begin, most));
    const std::vector<float> by_gene = predict_genes(inference, trunks, dna, outputs);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      for (const std::size_t i : wanted.at(rows[row])) {
        const std::size_t genes = by_gene.size() / rows.size();
        predictions[i] = by_gene[row * genes + static_cast<std::size_t>(pairs[i].gene)];
        expect_finite(inference, pairs[i], predictions[i]);
      }
    }
    progress.update(static_cast<std::int64_t>(begin));
  }
  progress.finish();
  return predictions;
}

}  // namespace cdt
