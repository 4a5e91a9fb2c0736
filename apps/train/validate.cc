#include "apps/train/validate.h"

#include <algorithm>
#include <cmath>

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

}  // namespace

DeviceData upload_data(const Dataset& data, Backend& backend, Arena& lasting) {
  DeviceData out{lasting.tensor({1, data.genes_count(), data.rna_dim}),
                 lasting.tensor({1, data.genes_count(), data.protein_dim})};
  backend.upload(out.rna, data.rna.data());
  backend.upload(out.protein, data.protein.data());
  return out;
}

std::optional<ControlPasses> validation_passes(const PassPlace& place,
                                               const std::vector<std::int32_t>& enhancers,
                                               std::span<const float> window, std::uint64_t seed,
                                               const std::function<bool()>& go_on) {
  const NoGradients guard(place.model);
  return control_passes(place, enhancers, window, seed,
                        [&go_on](std::int64_t /*done*/) { return go_on(); });
}

void plan_validation(Cdt& model, Tape& tape, Arena& constants, const Tensor& dna) {
  const NoGradients guard(model);
  plan_passes(model, tape, constants, dna);
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
