#include "apps/attribute/gradient_options.h"

#include <numeric>
#include <utility>

#include "apps/common/interrupt.h"
#include "apps/common/mean_window.h"

namespace cdt {

void add_gradient_options(Cli* cli, GradientOptions* options) {
  cli->option("baseline", &options->baseline,
              "of integrated gradients and occlusion: zero, or the mean window of the data set");
  cli->choice("baseline", {"zero", "mean"});
  cli->option("occlude-bins", &options->occlude_bins,
              "bins that occlusion replaces at a time; 1 is bin by bin");
  cli->range("occlude-bins", 1, 1e9);
  cli->option("occlude-region", &options->occlude_regions,
              "predict with this region replaced by the baseline, into occlusion_regions.tsv: bins "
              "FIRST-LAST from 0, or chr8:127700001-127701000, first and last base from 1; may be "
              "repeated");
  cli->option(
      "rollout-end", &options->rollout_end,
      "row that attention_rollout and attention_gmar end in: rna, the gene's of dna_to_rna, "
      "or dna-pool, that of DNA pooling, which the prediction reads directly");
  cli->choice("rollout-end", {"rna", "dna-pool"});
  cli->option("gmar-norm", &options->gmar_norm,
              "norm of the gradients at the maps that weights the heads of attention_gmar");
  cli->choice("gmar-norm", {"l1", "l2"});
  cli->option("smooth-samples", &options->smooth_samples, "noisy copies that SmoothGrad averages");
  cli->range("smooth-samples", 1, 65536);
  cli->option("smooth-noise", &options->smooth_noise,
              "standard deviation of SmoothGrad's noise as a share of the DNA input's range");
  cli->range("smooth-noise", 0, 1000);
  cli->flag(
      "paths", &options->paths,
      "split each gradient by its way to DNA, direct, via RNA, via protein, into paths.npy (norms) "
      "and paths_product.npy (gradient x input, which adds up)");
  cli->flag(
      "path-heads", &options->path_heads,
      "with --paths: split what goes via RNA and protein by head of the cross-attention to DNA, "
      "values and pattern, into path_heads.tsv");
  cli->flag("gene-gradients", &options->gene_gradients,
            "gradient norms at the RNA and protein inputs, into rna_gradient.npy and "
            "protein_gradient.npy");
}

Baseline::Baseline(Inference& inference, GradientPass& pass, std::string name)
    : inference_(inference), pass_(pass), name_(std::move(name)) {}

std::vector<float> Baseline::mean_of_all() {
  std::vector<std::int32_t> all(inference_.data.enhancers.size());
  std::iota(all.begin(), all.end(), 0);
  return mean_window(inference_.data, all, [] {
    stop_if_interrupted();
    return true;
  });
}

const std::vector<float>& Baseline::z() {
  if (!z_.empty()) return z_;
  const Dataset& data = inference_.data;
  if (name_ == "zero") return z_ = pass_.zero_projection(data.bins);
  const std::vector<float> mean = mean_of_all();
  const Scratch window(inference_.scratch, {1, data.bins, data.dna_dim});
  inference_.backend->upload(*window, mean.data());
  return z_ = pass_.project(*window);
}

}  // namespace cdt
