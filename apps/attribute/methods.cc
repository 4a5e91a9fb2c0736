#include "apps/attribute/methods.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>

#include "apps/attribute/gradient_l1.h"
#include "apps/common/cli_words.h"
#include "apps/common/predictions.h"
#include "apps/common/program.h"
#include "engine/random.h"

namespace cdt {
namespace {

/// Returns windows that the pass that always runs has computed.
template <std::vector<float> PairWindows::*kWindow>
class DefaultScorer : public Scorer {
 public:
  explicit DefaultScorer(const ScorerContext& context) : Scorer(context) {
    if (kWindow == &PairWindows::gradient_x_input) context.want_product = true;
  }

  MethodScores score(EnhancerWindow& window) override {
    MethodScores out;
    for (PairWindows& of_gene : window.defaults) {
      out.windows.push_back(std::move(of_gene.*kWindow));
    }
    return out;
  }
};

/// Independent uniform scores in [0, 1) that depend only on seed, enhancer, gene and bin.
MethodScores random_control(const ScorerContext& context, EnhancerWindow& window) {
  constexpr std::uint32_t kStream = 0xC0DE;
  const auto key0 = static_cast<std::uint32_t>(context.seed);
  const auto key1 = static_cast<std::uint32_t>(context.seed >> 32U);
  const auto bins = static_cast<std::uint32_t>(context.inference.data.bins);
  MethodScores out;
  for (const std::int32_t gene : window.genes) {
    std::vector<float>& scores = out.windows.emplace_back();
    for (std::uint32_t bin = 0; bin < bins; ++bin) {
      const auto words = philox4x32({bin, static_cast<std::uint32_t>(window.enhancer),
                                     static_cast<std::uint32_t>(gene), kStream},
                                    key0, key1);
      scores.push_back(static_cast<float>(words[0] >> 8U) * 0x1p-24F);
    }
  }
  return out;
}

/// The table. Colours are those of Okabe and Ito's colour-blind-safe palette, then darker hues for
/// relatives of the gradient, black and grey.
constexpr std::array kMethods{
    Method{.name = "attention",
           .colour = {0, 114, 178},
           .meaning = "attention of the gene to the DNA bins, mean over heads",
           .make = make_scorer<DefaultScorer<&PairWindows::attention>>},
    Method{.name = "gradient",
           .colour = {213, 94, 0},
           .meaning = "norm of the gradient of the prediction with respect to the DNA bins",
           .make = make_scorer<DefaultScorer<&PairWindows::gradient>>,
           .range_sum = RangeSum::kClaim},
    Method{.name = "attention_rollout",
           .colour = {0, 158, 115},
           .meaning = "attention of the gene, followed through the DNA self-attention layers",
           .make = make_scorer<FunctionScorer<score_rollout>>,
           .options = {"rollout-end"}},
    Method{.name = "attention_gmar",
           .colour = {204, 121, 167},
           .meaning = "attention rollout with heads weighted by the gradient at their maps",
           .make = make_scorer<FunctionScorer<score_gmar>>,
           .options = {"rollout-end", "gmar-norm"},
           .report = make_gmar_report},
    Method{
        .name = "gradient_x_input",
        .colour = {86, 180, 233},
        .is_signed = true,
        .meaning =
            "inner product of the DNA bins and the gradient of the prediction with respect to them",
        .make = make_scorer<DefaultScorer<&PairWindows::gradient_x_input>>,
        .range_sum = RangeSum::kClaimFromZero},
    Method{.name = "integrated_gradients",
           .colour = {230, 159, 0},
           .is_signed = true,
           .meaning = "contribution of each DNA bin to the prediction's change from the baseline",
           .make = make_scorer<FunctionScorer<score_integrated_gradients>>,
           .range_sum = RangeSum::kClaim,
           .adds_up = true,
           .options = {"baseline"}},
    Method{.name = "smoothgrad",
           .colour = {136, 124, 0},
           .meaning = "norm of the mean gradient over noisy copies of the DNA",
           .make = make_scorer<FunctionScorer<score_smoothgrad>>,
           .range_sum = RangeSum::kClaim,
           .options = {"smooth-samples", "smooth-noise"},
           .report = make_smoothgrad_report},
    Method{.name = "gradient_l1",
           .colour = {153, 0, 76},
           .meaning = "L1 norm of the gradient of the prediction with respect to the DNA bins",
           .make = make_scorer<FunctionScorer<gradient_l1>>,
           .range_sum = RangeSum::kClaim},
    Method{.name = "occlusion",
           .colour = {0, 0, 0},
           .is_signed = true,
           .meaning = "decrease of the prediction when the DNA bins are replaced",
           .make = make_scorer<FunctionScorer<score_occlusion>>,
           .range_sum = RangeSum::kEffect,
           .options = {"baseline", "occlude-bins"}},
    Method{.name = "random",
           .colour = {96, 96, 96},
           .meaning = "control: independent uniform scores",
           .make = make_scorer<FunctionScorer<random_control>>},
};

bool any_is(const Methods& methods, RangeSum kind) {
  return std::any_of(methods.begin(), methods.end(),
                     [&](const Method* method) { return method->range_sum == kind; });
}

}  // namespace

Baseline::Baseline(Inference& inference, Explainer& explainer, std::string name)
    : inference_(inference), explainer_(explainer), name_(std::move(name)) {}

const std::vector<float>& Baseline::z() {
  if (!z_.empty()) return z_;
  const Dataset& data = inference_.data;
  if (name_ == "zero") return z_ = explainer_.zero_projection(data.bins);
  std::vector<std::int32_t> all(data.enhancers.size());
  std::iota(all.begin(), all.end(), 0);
  const std::vector<float> mean = mean_window(data, all, [] {
    stop_if_interrupted();
    return true;
  });
  const Scratch window(inference_.scratch, {1, data.bins, data.dna_dim});
  inference_.backend->upload(*window, mean.data());
  return z_ = explainer_.project(*window);
}

std::span<const Method> all_methods() { return kMethods; }

Methods choose_methods(const std::string& list) {
  std::vector<std::string> known;
  for (const Method& method : kMethods) known.emplace_back(method.name);
  const std::vector<std::string> names = names_of_list("methods", list, known);
  Methods chosen;
  for (std::size_t i = 0; i < kMethods.size(); ++i) {
    if (i < kDefaultMethods ||
        std::find(names.begin(), names.end(), kMethods[i].name) != names.end()) {
      chosen.push_back(&kMethods[i]);
    }
  }
  return chosen;
}

void describe_options(const Method& method, const GradientOptions& options, MethodSummary* out) {
  const auto set = [&](std::string_view option, auto* field, const auto& value) {
    for (const char* read : method.options) {
      if (read != nullptr && read == option) *field = value;
    }
  };
  set("baseline", &out->baseline, options.baseline);
  set("occlude-bins", &out->bins_at_a_time, options.occlude_bins);
  set("rollout-end", &out->end, options.rollout_end);
  set("gmar-norm", &out->norm, options.gmar_norm);
  set("smooth-samples", &out->samples, options.smooth_samples);
  set("smooth-noise", &out->noise, options.smooth_noise);
}

bool claims_of_baseline(const Methods& methods, const std::string& baseline) {
  return baseline != "zero" && any_is(methods, RangeSum::kEffect) &&
         any_is(methods, RangeSum::kClaimFromZero);
}

}  // namespace cdt
