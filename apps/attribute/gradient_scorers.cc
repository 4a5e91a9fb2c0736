// Integrated gradients, SmoothGrad and occlusion as attribution methods.
#include <algorithm>
#include <cmath>

#include "apps/attribute/methods.h"
#include "apps/attribute/numbers.h"
#include "apps/common/program.h"
#include "apps/common/tables.h"
#include "io/format/text.h"
#include "model/explain/averaged_gradients.h"
#include "model/explain/occlusion.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr std::int64_t kOcclusionBatch = 4;  // enhancers per forward pass
constexpr std::size_t kGenesAtOnce = 64;     // genes whose sums are in memory together

/// Calls work(genes[begin .. end)) for runs of at most kGenesAtOnce genes.
template <class Work>
void in_runs(const std::vector<std::int32_t>& genes, const Work& work) {
  for (std::size_t begin = 0; begin < genes.size(); begin += kGenesAtOnce) {
    const std::size_t end = std::min(genes.size(), begin + kGenesAtOnce);
    work(std::vector<std::int32_t>(genes.begin() + static_cast<std::ptrdiff_t>(begin),
                                   genes.begin() + static_cast<std::ptrdiff_t>(end)));
    stop_if_interrupted();
  }
}

/// Remark: the Monte Carlo error of the pair's scores.
class SmoothReport : public MethodReport {
 public:
  explicit SmoothReport(const GradientOptions& options) : samples_(options.smooth_samples) {}

  void add(const std::vector<double>& remarks, bool zero_dna) override {
    if (!zero_dna && !std::isnan(remarks.front())) errors_.push_back(remarks.front());
  }

  void describe(MethodSummary* method) const override {
    method->monte_carlo_error.emplace();
    if (!errors_.empty()) method->monte_carlo_error->emplace(mean_largest(errors_));
  }

  std::string text() const override {
    const std::string of_samples =
        "Monte Carlo error of smoothgrad, of " + number_of(samples_, "sample") + ": ";
    if (errors_.empty()) {
      return of_samples + "undefined; it needs two samples and a pair whose scores are not all 0\n";
    }
    const MeanLargest error = mean_largest(errors_);
    return of_samples + cdt::text("%.2g %% of a pair's scores on average, %.2g %% at most\n",
                                  100.0 * error.mean, 100.0 * error.largest);
  }

 private:
  std::int64_t samples_;
  std::vector<double> errors_;  // Monte Carlo errors, by pair with DNA where defined
};

}  // namespace

MethodScores score_integrated_gradients(const ScorerContext& context, EnhancerWindow& window) {
  MethodScores out;
  in_runs(window.genes, [&](const std::vector<std::int32_t>& genes) {
    for (IntegratedGradients& of_gene :
         integrated_gradients(context.explainer, window.z(), context.baseline.z(), genes, {})) {
      out.windows.push_back(std::move(of_gene.scores));
      out.completeness.push_back(of_gene);
    }
  });
  return out;
}

MethodScores score_occlusion(const ScorerContext& context, EnhancerWindow& window) {
  const std::int64_t bins = context.inference.data.bins;
  const std::vector<BinRange> ranges = occlusion_ranges(bins, context.options.occlude_bins);
  const auto by_range =
      occlusion_effects(context.explainer, window.z(), context.baseline.z(), ranges, window.genes,
                        {.batch = kOcclusionBatch, .after_each = stop_if_interrupted});
  MethodScores out;
  for (std::size_t gene = 0; gene < window.genes.size(); ++gene) {
    std::vector<float> effects;
    for (const std::vector<float>& of_range : by_range) effects.push_back(of_range[gene]);
    out.windows.push_back(spread(ranges, effects, bins));
  }
  return out;
}

MethodScores score_smoothgrad(const ScorerContext& context, EnhancerWindow& window) {
  const SmoothGradOptions options{.samples = static_cast<int>(context.options.smooth_samples),
                                  .noise = context.options.smooth_noise,
                                  .seed = context.seed};
  MethodScores out;
  in_runs(window.genes, [&](const std::vector<std::int32_t>& genes) {
    for (SmoothGrad& of_gene : smoothgrad(context.explainer, window.dna, genes, options)) {
      out.windows.push_back(std::move(of_gene.scores));
      out.remarks.push_back({of_gene.error});
    }
  });
  return out;
}

std::unique_ptr<MethodReport> make_smoothgrad_report(const GradientOptions& options,
                                                     const CdtConfig& /*config*/) {
  return std::make_unique<SmoothReport>(options);
}

}  // namespace cdt
