#include "apps/train/validate.h"

#include <algorithm>
#include <cmath>

#include "apps/common/predict_pairs.h"

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

/// What all batches of a validation share, in an arena that is reset for it.
struct Constants {
  Trunks trunks;
  Tensor outputs;  // (B, G)

  Constants(Cdt& model, Tape& tape, Arena& arena, const DeviceData& device, std::int64_t batch) {
    tape.eval();
    arena.reset();
    trunks = model.compute_trunks(tape, device.rna, device.protein, arena);
    outputs = arena.tensor({batch, model.config().genes});
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

std::optional<std::vector<float>> predict_split(Cdt& model, Tape& tape, Arena& constants,
                                                DnaFeed& feed, const DeviceData& device,
                                                const std::vector<Pair>& pairs,
                                                const std::function<bool()>& go_on) {
  const NoGradients guard(model);
  const Constants c(model, tape, constants, device, feed.batch());
  return predict_pairs(model, tape, feed, c.trunks, c.outputs, pairs,
                       [&go_on](std::int64_t /*done*/) { return go_on(); });
}

void validation_step(Cdt& model, Tape& tape, Arena& constants, const DeviceData& device,
                     const Tensor& dna) {
  const NoGradients guard(model);
  const Constants c(model, tape, constants, device, dna.shape[0]);
  model.forward_from_trunks(tape, tape.constant(dna), c.trunks);
  tape.clear();
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
