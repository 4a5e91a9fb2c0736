// The attribution methods of cdt-attribute, one table row each. All code that loops over methods
// (files, peaks, columns, summary, tracks, options) loops over this table, or over the rows that
// run, and reads the properties of a method from its row.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "apps/attribute/options.h"
#include "apps/common/attribution_summary.h"
#include "apps/common/session.h"
#include "io/genome/tracks.h"
#include "model/explain/attribution.h"
#include "model/explain/averaged_gradients.h"

namespace cdt {

/// The baseline that replaces DNA: zeros, or the mean window over the data set's enhancers.
class Baseline {
 public:
  /// name is "zero" or "mean".
  Baseline(Inference& inference, Explainer& explainer, std::string name);
  /// The baseline (L, D) after the projector's linear map; computed at the first call.
  const std::vector<float>& z();

 private:
  Inference& inference_;
  Explainer& explainer_;
  std::string name_;
  std::vector<float> z_;
};

/// The window of one enhancer and the genes to explain for it.
class EnhancerWindow {
 public:
  EnhancerWindow(Explainer& on, const std::vector<Pair>& pairs, const Tensor& window, bool is_zero)
      : enhancer(pairs.front().enhancer),
        dna(window),
        genes(column(pairs, &Pair::gene)),
        zero_dna(is_zero),
        explainer_(on) {}

  std::int32_t enhancer;
  Tensor dna;  // (1, L, dna_dim), on the device
  std::vector<std::int32_t> genes;
  bool zero_dna;                      // all of the DNA is zero
  std::vector<PairWindows> defaults;  // by gene, from the pass that always runs

  /// The window (L, D) after the projector's linear map; computed at the first call.
  const std::vector<float>& z() {
    if (z_.empty()) z_ = explainer_.project(dna);
    return z_;
  }

 private:
  Explainer& explainer_;
  std::vector<float> z_;
};

/// What a scorer may use; everything outlives the scorer.
struct ScorerContext {
  Inference& inference;
  Explainer& explainer;
  Baseline& baseline;
  const GradientOptions& options;
  std::uint64_t seed = 0;
  bool& want_product;  // set by a scorer that reads PairWindows::gradient_x_input
};

/// Scores of the genes, in order.
struct MethodScores {
  std::vector<std::vector<float>> windows;     // (L) each
  std::vector<Completeness> completeness;      // only of a method whose scores add up
  std::vector<std::vector<double>> remarks{};  // by gene: what the method's report adds up, if any
};

/// Computes the windows of one attribution method.
class Scorer {
 public:
  explicit Scorer(const ScorerContext& context) : context_(context) {}
  virtual ~Scorer() = default;
  Scorer(const Scorer&) = delete;
  Scorer& operator=(const Scorer&) = delete;
  /// Scores each gene of the window; the scores of a gene do not depend on the other genes.
  virtual MethodScores score(EnhancerWindow& window) = 0;

 protected:
  ScorerContext context_;
};
using Scorers = std::vector<std::unique_ptr<Scorer>>;

/// What a method reports about itself over all pairs, besides its options. Needs no model, so that
/// it can be computed where the scores were not.
class MethodReport {
 public:
  MethodReport() = default;
  virtual ~MethodReport() = default;
  MethodReport(const MethodReport&) = delete;
  MethodReport& operator=(const MethodReport&) = delete;
  /// Takes the remarks on the next pair.
  virtual void add(const std::vector<double>& remarks, bool zero_dna) = 0;
  virtual void describe(MethodSummary* method) const = 0;
  /// One line of text about it; empty if there is none.
  virtual std::string text() const { return ""; }
};

template <class MethodScorer>
std::unique_ptr<Scorer> make_scorer(const ScorerContext& context) {
  return std::make_unique<MethodScorer>(context);
}

/// A scorer without state between enhancers: a function.
template <MethodScores (*kScore)(const ScorerContext& context, EnhancerWindow& window)>
class FunctionScorer : public Scorer {
 public:
  using Scorer::Scorer;
  MethodScores score(EnhancerWindow& window) override { return kScore(context_, window); }
};

/// What the sum of a method's scores over a range of bins says about the effect of that DNA:
/// nothing, a prediction of it (of its size, if the method has no sign), or the measured effect
/// itself.
enum class RangeSum : std::uint8_t {
  kNothing,
  kClaim,
  kClaimFromZero,  // as kClaim, for a baseline of zeros; for another it is gradient . (input -
                   // baseline)
  kEffect,
};

/// Methods with their own passes: gradient_scorers.cc, attention_scorers.cc.
MethodScores score_integrated_gradients(const ScorerContext& context, EnhancerWindow& window);
MethodScores score_occlusion(const ScorerContext& context, EnhancerWindow& window);
MethodScores score_rollout(const ScorerContext& context, EnhancerWindow& window);
MethodScores score_smoothgrad(const ScorerContext& context, EnhancerWindow& window);
MethodScores score_gmar(const ScorerContext& context, EnhancerWindow& window);
/// SmoothGrad: "monte_carlo_error" in its object in summary.json.
std::unique_ptr<MethodReport> make_smoothgrad_report(const GradientOptions& options,
                                                     const CdtConfig& config);
/// GMAR: "head_weights" in its object in summary.json: by attention block, mean and standard
/// deviation of each head's weight over pairs with DNA.
std::unique_ptr<MethodReport> make_gmar_report(const GradientOptions& options,
                                               const CdtConfig& config);

struct Method {
  const char* name;
  Rgb colour{};              // of its tracks and peaks
  bool is_signed = false;    // if so, peaks and top bins use the absolute value
  const char* meaning = "";  // one line
  std::unique_ptr<Scorer> (*make)(const ScorerContext& context) = nullptr;
  RangeSum range_sum = RangeSum::kNothing;
  bool adds_up = false;                     // to the prediction's change, so it has a completeness
  std::array<const char*, 2> options = {};  // command-line options it reads, or null
  /// Makes its report; null if it has none.
  std::unique_ptr<MethodReport> (*report)(const GradientOptions& options,
                                          const CdtConfig& config) = nullptr;
};
using Methods = std::vector<const Method*>;

/// All methods; the first two are the defaults, which always run.
std::span<const Method> all_methods();
constexpr std::size_t kAttention = 0;
constexpr std::size_t kGradient = 1;
constexpr std::size_t kDefaultMethods = 2;

/// Returns the defaults and the methods named in `list` (comma-separated, or "all"), in table
/// order. Throws InputError naming --methods for an unknown name.
Methods choose_methods(const std::string& list);

/// Records in summary.json the options that the method reads.
void describe_options(const Method& method, const GradientOptions& options, MethodSummary* out);

/// Whether gradient . (input - baseline) is needed, to be compared with measured effects.
bool claims_of_baseline(const Methods& methods, const std::string& baseline);

}  // namespace cdt
