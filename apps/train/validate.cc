#include "apps/train/validate.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "apps/common/interrupt.h"

namespace cdt {
namespace {

/// While it lives the parameters want no gradient, so forward passes keep nothing for backward.
class NoGradients {
 public:
  explicit NoGradients(Cdt& model) : model_(model) { set(false); }
  ~NoGradients() { set(true); }
  NoGradients(const NoGradients&) = delete;
  NoGradients& operator=(const NoGradients&) = delete;

 private:
  void set(bool wanted) {
    for (Parameter& p : model_.parameters()) p.variable.needs_grad = wanted;
  }
  Cdt& model_;
};

/// Enhancers in order of appearance, and for each pair the position of its own.
struct DistinctEnhancers {
  std::vector<std::int32_t> rows;
  std::vector<std::size_t> of_pair;
  explicit DistinctEnhancers(const std::vector<Pair>& pairs) {
    std::map<std::int32_t, std::size_t> seen;
    for (const Pair& pair : pairs) {
      const auto [at, fresh] = seen.emplace(pair.enhancer, rows.size());
      if (fresh) rows.push_back(pair.enhancer);
      of_pair.push_back(at->second);
    }
  }
  std::vector<std::int32_t> batch(std::size_t first, std::size_t size) const {
    const std::size_t end = std::min(rows.size(), first + size);
    return {rows.begin() + static_cast<std::ptrdiff_t>(first),
            rows.begin() + static_cast<std::ptrdiff_t>(end)};
  }
};

}  // namespace

DeviceData upload_data(const Dataset& data, Backend& backend, Arena& lasting) {
  DeviceData out{lasting.tensor({1, data.genes_count(), data.rna_dim}),
                 lasting.tensor({1, data.genes_count(), data.protein_dim})};
  backend.upload(out.rna, data.rna.data());
  backend.upload(out.protein, data.protein.data());
  return out;
}

std::optional<std::vector<float>> predict_pairs(Cdt& model, Tape& tape, Arena& constants,
                                                DnaFeed& feed, const DeviceData& device,
                                                const std::vector<Pair>& pairs) {
  const NoGradients guard(model);
  const DistinctEnhancers enhancers(pairs);
  const auto batch = static_cast<std::size_t>(feed.batch());
  const auto genes = static_cast<std::size_t>(model.config().genes);
  tape.eval();
  constants.reset();
  const Trunks trunks = model.compute_trunks(tape, device.rna, device.protein, constants);
  const Tensor outputs = constants.tensor({feed.batch(), model.config().genes});
  std::vector<float> all(enhancers.rows.size() * genes);  // (distinct enhancers, G)
  feed.start(enhancers.batch(0, batch));
  for (std::size_t first = 0; first < enhancers.rows.size(); first += batch) {
    const std::size_t size = std::min(batch, enhancers.rows.size() - first);
    const Tensor dna = feed.take();
    if (first + size < enhancers.rows.size()) feed.start(enhancers.batch(first + size, batch));
    const Tensor output = outputs.slice(0, static_cast<std::int64_t>(size));
    tape.backend().run_recorded("predict " + std::to_string(size), [&] {
      const Var predicted = model.forward_from_trunks(tape, tape.constant(dna), trunks);
      tape.backend().copy(output, predicted->value);
      tape.clear();
    });
    tape.backend().download(all.data() + first * genes, output);
    if (interrupted()) return std::nullopt;
  }
  std::vector<float> prediction;
  prediction.reserve(pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    prediction.push_back(
        all[enhancers.of_pair[i] * genes + static_cast<std::size_t>(pairs[i].gene)]);
  }
  return prediction;
}

double epoch_loss(const std::vector<float>& prediction, const std::vector<Pair>& pairs,
                  std::int64_t batch, double delta) {
  const auto size = static_cast<std::size_t>(batch);
  double sum = 0.0;
  std::int64_t batches = 0;
  for (std::size_t first = 0; first < pairs.size(); first += size) {
    const std::size_t end = std::min(pairs.size(), first + size);
    double batch_sum = 0.0;
    for (std::size_t i = first; i < end; ++i) {
      const double error = std::abs(static_cast<double>(prediction[i]) - pairs[i].beta);
      batch_sum += error <= delta ? 0.5 * error * error : delta * (error - 0.5 * delta);
    }
    sum += batch_sum / static_cast<double>(end - first);
    ++batches;
  }
  return sum / static_cast<double>(batches);
}

}  // namespace cdt
