// Options of the methods beyond the defaults, and the baseline that some share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/common/inference.h"
#include "model/explain/gradient_pass.h"

namespace cdt {

struct GradientOptions {
  std::string baseline = "zero";
  std::int64_t occlude_bins = 8;
  std::int64_t smooth_samples = 25;
  double smooth_noise = 0.1;
  bool paths = false, path_heads = false, gene_gradients = false;
  std::vector<std::string> occlude_regions;
  std::string rollout_end = "rna";
  std::string gmar_norm = "l1";
};

void add_gradient_options(Cli* cli, GradientOptions* options);

/// Enhancers per forward pass of occlusion.
constexpr std::int64_t kOcclusionBatch = 4;

/// What DNA is replaced by: zeros, or the mean window over the data set's enhancers.
class Baseline {
 public:
  Baseline(Inference& inference, GradientPass& pass, std::string name);
  const std::string& name() const { return name_; }
  /// (L, D), after the projector's linear map; computed at the first call. Clears the tape.
  const std::vector<float>& z();

 private:
  std::vector<float> mean_of_all();

  Inference& inference_;
  GradientPass& pass_;
  std::string name_;
  std::vector<float> z_;
};

}  // namespace cdt
