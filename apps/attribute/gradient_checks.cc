// Checks of the gradient methods: how completely the scores of integrated gradients add up, and how
// well gradients agree with measured effects.
#include <algorithm>
#include <cmath>

#include "apps/attribute/sections.h"
#include "apps/common/tables.h"
#include "io/format/output.h"
#include "io/format/text.h"
#include "io/format/text_file.h"
#include "model/stats/range_effects.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr const char* kFile = "integrated_gradients.tsv";
constexpr const char* kColumns =
    "\tsteps\tchange\tcompleteness_error\tresolution\tcomplete\tzero_dna\n";

/// Completeness of the method whose scores add up. Pairs whose DNA is all zeros are excluded.
class CompletenessSection : public Section {
 public:
  explicit CompletenessSection(const SectionContext& context)
      : Section(context), file_(context.folder / kFile) {
    file_.write(pair_header(data_) + kColumns);
  }

  void publish() override { file_.commit(); }

  void finish(AttributionSummary* summary) override {
    file_.flush_to_disk();
    const MeanLargest steps = mean_largest(steps_);
    summary->completeness = {{kFile, context_.options.gradient.baseline, zero_dna_},
                             steps.mean,
                             steps.largest,
                             mean_largest(errors_),
                             gate_.relative,
                             beyond_gate_,
                             at_resolution_,
                             beyond_gate_ - at_resolution_};
  }

  std::string text() const override {
    if (errors_.empty()) return "integrated gradients: no pair with DNA\n";
    const MeanLargest steps = mean_largest(steps_), error = mean_largest(errors_);
    return cdt::text(
        "integrated gradients: completeness error %.3g %% mean, %.3g %% largest; %lld of %zu pairs "
        "beyond %g %%: %lld within the resolution of predictions, %lld incomplete; %.0f steps "
        "mean, %.0f most\n",
        100.0 * error.mean, 100.0 * error.largest, static_cast<long long>(beyond_gate_),
        errors_.size(), 100.0 * gate_.relative, static_cast<long long>(at_resolution_),
        static_cast<long long>(beyond_gate_ - at_resolution_), steps.mean, steps.largest);
  }

  /// Names the first incomplete pairs.
  std::string failure() const override {
    if (incomplete_.empty()) return "";
    return "integrated gradients: the scores of " + named(incomplete_, "pair") +
           cdt::text(" miss the prediction's change by more than %g %% at %d steps (",
                     100.0 * gate_.relative, gate_.most_steps) +
           kFile + ")";
  }

 private:
  void add_pair(const EnhancerResult& result, std::size_t i) override {
    const Pair& pair = result.pairs[i];
    const Completeness& c = result.completeness[i];
    file_.write(
        tab_separated({pair_cells(data_, pair), std::to_string(c.steps), format_number(c.change),
                       format_number(c.completeness_error), format_number(c.resolution),
                       c.complete ? "1" : "0", result.zero_dna ? "1" : "0"}));
    if (!c.complete) incomplete_.push_back(pair_name(data_, pair));
    if (result.zero_dna) return;
    steps_.push_back(c.steps);
    errors_.push_back(c.completeness_error);
    if (c.completeness_error <= gate_.relative) return;
    ++beyond_gate_;
    at_resolution_ += c.complete ? 1 : 0;
  }

  AtomicFile file_;
  IntegrationGate gate_;
  std::vector<double> steps_, errors_;  // by pair with DNA
  std::int64_t beyond_gate_ = 0;        // of these pairs
  std::int64_t at_resolution_ = 0;  // of these pairs, complete within the resolution of predictions
  std::vector<std::string> incomplete_;  // names of all of them
};

bool is_claim(const Method& method) {
  return method.range_sum == RangeSum::kClaim || method.range_sum == RangeSum::kClaimFromZero;
}

/// Correlation of the measured effects with what each method predicts for the same whole ranges of
/// bins. A pair is excluded if the window of the method or of the measurement is undefined.
class EffectSection : public Section {
 public:
  EffectSection(const SectionContext& context, std::size_t measured)
      : Section(context),
        options_(context.options.gradient),
        measured_(measured),
        of_baseline_(claims_of_baseline(methods_, options_.baseline)),
        seed_(context.options.choice.seed),
        correlations_(methods_.size()) {}

  void finish(AttributionSummary* summary) override {
    EffectCorrelations& out = summary->effects.emplace();
    out.bins_at_a_time = options_.occlude_bins;
    out.ranges = whole_ranges(data_.bins, options_.occlude_bins);
    out.baseline = options_.baseline;
    out.zero_dna_left_out = zero_dna_;
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      if (is_claim(*methods_[m])) out.methods.emplace_back(methods_[m]->name, correlation(m));
    }
  }

 private:
  // A signed score predicts the effect of a range, a norm only its size. Scores computed for a
  // baseline of zeros do not predict effects against another baseline.
  void add_pair(const EnhancerResult& result, std::size_t i) override {
    if (result.zero_dna) return;
    enhancers_.push_back(result.enhancer);
    const std::vector<std::vector<float>>& windows = result.scores[i].windows;
    const std::vector<float>& measured = windows[measured_];
    std::vector<float> sizes;
    for (const float effect : measured) sizes.push_back(std::fabs(effect));
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      const Method& method = *methods_[m];
      if (!is_claim(method)) continue;
      const bool from_baseline = of_baseline_ && method.range_sum == RangeSum::kClaimFromZero;
      const std::vector<float>& claims = from_baseline ? result.claims[i].by_bin : windows[m];
      const RangeEffects ranges =
          range_effects(claims, method.is_signed ? measured : sizes, options_.occlude_bins);
      correlations_[m].push_back(pearson(ranges.scores, ranges.effects));
    }
  }

  EffectCorrelation correlation(std::size_t m) const {
    const Method& method = *methods_[m];
    const PairMean r = mean_interval(correlations_[m], enhancers_, seed_);
    return {
        method.range_sum == RangeSum::kClaimFromZero ? "gradient . (input - baseline)" : "score",
        method.is_signed ? "effect" : "absolute effect",
        r.n,
        std::ssize(enhancers_) - r.n,
        r.mean,
        r.median};
  }

  const GradientOptions& options_;
  std::size_t measured_;  // index of the method that measures effects
  bool of_baseline_;
  std::uint64_t seed_;
  std::vector<std::vector<double>> correlations_;  // by method, then by pair with DNA; may be NaN
  std::vector<std::int32_t> enhancers_;            // of these pairs
};

}  // namespace

std::unique_ptr<Section> make_completeness(const SectionContext& context) {
  const bool runs = std::any_of(context.methods.begin(), context.methods.end(),
                                [](const Method* method) { return method->adds_up; });
  return runs ? std::make_unique<CompletenessSection>(context) : nullptr;
}

std::unique_ptr<Section> make_effect_correlations(const SectionContext& context) {
  for (std::size_t m = 0; m < context.methods.size(); ++m) {
    if (context.methods[m]->range_sum != RangeSum::kEffect) continue;
    return std::make_unique<EffectSection>(context, m);
  }
  return nullptr;
}

}  // namespace cdt
