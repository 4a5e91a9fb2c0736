// The attribution methods of cdt-attribute, one row of a table each. Whatever goes over methods
// (files, peaks, columns, summary, tracks, options) walks this table or the rows that run, and
// reads what it needs to know of a method from its row.
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

/// What DNA is replaced by: zeros, or the mean window over the data set's enhancers.
class Baseline {
 public:
  /// name: "zero" or "mean".
  Baseline(Inference& inference, Explainer& explainer, std::string name);
  /// (L, D), after the projector's linear map; computed at the first call.
  const std::vector<float>& z();

 private:
  Inference& inference_;
  Explainer& explainer_;
  std::string name_;
  std::vector<float> z_;
};

/// One enhancer and the genes wanted for it.
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
  bool zero_dna;                      // the DNA is all zeros
  std::vector<PairWindows> defaults;  // by gene, of the pass that always runs

  /// (L, D), after the projector's linear map; computed at the first call.
  const std::vector<float>& z() {
    if (z_.empty()) z_ = explainer_.project(dna);
    return z_;
  }

 private:
  Explainer& explainer_;
  std::vector<float> z_;
};

/// What a scorer may use; all of it outlives the scorer.
struct ScorerContext {
  Inference& inference;
  Explainer& explainer;
  Baseline& baseline;
  const GradientOptions& options;
  std::uint64_t seed = 0;
  bool& want_product;  // set by a scorer that reads PairWindows::gradient_x_input
};

/// By gene, in order.
struct MethodScores {
  std::vector<std::vector<float>> windows;  // (L) each
  std::vector<Completeness> completeness;   // of a method that adds up, else empty
};

/// Computes the windows of one method.
class Scorer {
 public:
  explicit Scorer(const ScorerContext& context) : context_(context) {}
  virtual ~Scorer() = default;
  Scorer(const Scorer&) = delete;
  Scorer& operator=(const Scorer&) = delete;
  /// Scores do not depend on which other genes are asked for.
  virtual MethodScores score(EnhancerWindow& window) = 0;
  /// What the scores leave to say about the method beside its options, once all are made.
  virtual void describe(MethodSummary* /*method*/) const {}
  /// A line of text on that; empty if there is nothing to say.
  virtual std::string text() const { return ""; }

 protected:
  ScorerContext context_;
};
using Scorers = std::vector<std::unique_ptr<Scorer>>;

template <class MethodScorer>
std::unique_ptr<Scorer> make_scorer(const ScorerContext& context) {
  return std::make_unique<MethodScorer>(context);
}

/// A scorer that keeps nothing from one enhancer to the next: a function.
template <MethodScores (*kScore)(const ScorerContext& context, EnhancerWindow& window)>
class FunctionScorer : public Scorer {
 public:
  using Scorer::Scorer;
  MethodScores score(EnhancerWindow& window) override { return kScore(context_, window); }
};

/// What the sum of a method's scores over a range of bins says of the effect of its DNA: nothing, a
/// claim about it (its size, if the method has no sign), or the effect itself as it was measured.
enum class RangeSum : std::uint8_t {
  kNothing,
  kClaim,
  kClaimFromZero,  // made for a baseline of zeros: of another it is gradient . (input - baseline)
  kEffect,
};

/// Methods with passes of their own: gradient_scorers.cc, attention_scorers.cc.
MethodScores score_integrated_gradients(const ScorerContext& context, EnhancerWindow& window);
MethodScores score_occlusion(const ScorerContext& context, EnhancerWindow& window);
MethodScores score_rollout(const ScorerContext& context, EnhancerWindow& window);
/// Adds "monte_carlo_error" to its object in summary.json.
std::unique_ptr<Scorer> make_smoothgrad(const ScorerContext& context);
/// Adds "head_weights" to its object in summary.json: by attention block, mean and standard
/// deviation of each head's weight over pairs with DNA.
std::unique_ptr<Scorer> make_gmar(const ScorerContext& context);

struct Method {
  const char* name;
  Rgb colour{};              // of its tracks and peaks
  bool is_signed = false;    // peaks and tops then go by the absolute value
  const char* meaning = "";  // one line
  std::unique_ptr<Scorer> (*make)(const ScorerContext& context) = nullptr;
  RangeSum range_sum = RangeSum::kNothing;
  bool adds_up = false;                     // to the prediction's change: gives its completeness
  std::array<const char*, 2> options = {};  // of the command line that it reads, or null
};
using Methods = std::vector<const Method*>;

/// The table; the first two are the defaults, which always run.
std::span<const Method> all_methods();
constexpr std::size_t kAttention = 0;
constexpr std::size_t kGradient = 1;
constexpr std::size_t kDefaultMethods = 2;

/// The defaults and the methods named in `list` (comma separated, or "all"), in table order.
/// InputError naming --methods for a name that is not in the table.
Methods choose_methods(const std::string& list);

/// Sets what summary.json says of the options that the method reads.
void describe_options(const Method& method, const GradientOptions& options, MethodSummary* out);

/// Is gradient . (input - baseline) asked for, as a claim held against measured effects?
bool claims_of_baseline(const Methods& methods, const std::string& baseline);

}  // namespace cdt
