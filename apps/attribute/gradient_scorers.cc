// Integrated gradients, SmoothGrad and occlusion as methods.
#include <algorithm>
#include <cmath>

#include "apps/attribute/methods.h"
#include "apps/common/program.h"
#include "apps/common/tables.h"
#include "io/format/text.h"
#include "model/explain/averaged_gradients.h"
#include "model/explain/occlusion.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr std::int64_t kOcclusionBatch = 4;  // enhancers per forward pass
constexpr std::size_t kGenesAtOnce = 64;     // whose sums are held in memory

/// work(genes[begin .. end)) for runs of at most kGenesAtOnce genes.
template <class Work>
void in_runs(const std::vector<std::int32_t>& genes, const Work& work) {
  for (std::size_t begin = 0; begin < genes.size(); begin += kGenesAtOnce) {
    const std::size_t end = std::min(genes.size(), begin + kGenesAtOnce);
    work(std::vector<std::int32_t>(genes.begin() + static_cast<std::ptrdiff_t>(begin),
                                   genes.begin() + static_cast<std::ptrdiff_t>(end)));
    stop_if_interrupted();
  }
}

class IntegratedScorer : public Scorer {
 public:
  explicit IntegratedScorer(const ScorerContext& context) : context_(context) {}

  MethodScores score(EnhancerWindow& window) override {
    const std::vector<float>& baseline = context_.baseline.z();
    MethodScores out;
    in_runs(window.genes, [&](const std::vector<std::int32_t>& genes) {
      for (IntegratedGradients& of_gene :
           integrated_gradients(context_.explainer, window.z, baseline, genes, IntegrationGate{})) {
        out.windows.push_back(std::move(of_gene.scores));
        out.completeness.push_back(of_gene);
      }
    });
    return out;
  }

  void describe(MethodSummary* method) const override {
    method->baseline = context_.baseline.name();
  }

 private:
  ScorerContext context_;
};

class SmoothScorer : public Scorer {
 public:
  explicit SmoothScorer(const ScorerContext& context)
      : context_(context),
        options_{.samples = static_cast<int>(context.options.smooth_samples),
                 .noise = context.options.smooth_noise,
                 .seed = context.seed} {}

  MethodScores score(EnhancerWindow& window) override {
    MethodScores out;
    in_runs(window.genes, [&](const std::vector<std::int32_t>& genes) {
      for (SmoothGrad& of_gene : smoothgrad(context_.explainer, window.dna, genes, options_)) {
        if (!window.zero_dna && !std::isnan(of_gene.error)) errors_.push_back(of_gene.error);
        out.windows.push_back(std::move(of_gene.scores));
      }
    });
    return out;
  }

  void describe(MethodSummary* method) const override {
    method->samples = options_.samples;
    method->noise = options_.noise;
    Nullable<MonteCarloError>& error = method->monte_carlo_error.emplace();
    if (errors_.empty()) return;
    error.emplace(mean(errors_), *std::max_element(errors_.begin(), errors_.end()));
  }

  std::string text() const override {
    const std::string of_samples =
        "Monte Carlo error of smoothgrad, of " + number_of(options_.samples, "sample") + ": ";
    if (errors_.empty()) {
      return of_samples + "undefined, it needs two samples and a pair whose scores are not all 0\n";
    }
    const double largest = *std::max_element(errors_.begin(), errors_.end());
    return of_samples + cdt::text("%.2g %% of a pair's scores on average, %.2g %% at most\n",
                                  100.0 * mean(errors_), 100.0 * largest);
  }

 private:
  ScorerContext context_;
  SmoothGradOptions options_;
  std::vector<double> errors_;  // Monte Carlo, of the pairs with DNA where it is defined
};

class OcclusionScorer : public Scorer {
 public:
  explicit OcclusionScorer(const ScorerContext& context)
      : context_(context),
        ranges_(occlusion_ranges(context.inference.data.bins, context.options.occlude_bins)) {}

  MethodScores score(EnhancerWindow& window) override {
    const std::int64_t bins = context_.inference.data.bins;
    const std::vector<float>& baseline = context_.baseline.z();
    const auto by_range =
        occlusion_effects(context_.explainer, window.z, baseline, ranges_, window.genes,
                          {.batch = kOcclusionBatch, .after_each = stop_if_interrupted});
    MethodScores out;
    for (std::size_t gene = 0; gene < window.genes.size(); ++gene) {
      std::vector<float> effects;
      for (const std::vector<float>& of_range : by_range) effects.push_back(of_range[gene]);
      out.windows.push_back(spread(ranges_, effects, bins));
    }
    return out;
  }

  void describe(MethodSummary* method) const override {
    method->baseline = context_.baseline.name();
    method->bins_at_a_time = context_.options.occlude_bins;
  }

 private:
  ScorerContext context_;
  std::vector<BinRange> ranges_;
};

}  // namespace

std::unique_ptr<Scorer> make_integrated_gradients(const ScorerContext& context) {
  return std::make_unique<IntegratedScorer>(context);
}

std::unique_ptr<Scorer> make_smoothgrad(const ScorerContext& context) {
  return std::make_unique<SmoothScorer>(context);
}

std::unique_ptr<Scorer> make_occlusion(const ScorerContext& context) {
  return std::make_unique<OcclusionScorer>(context);
}

}  // namespace cdt
