// The attribution methods of cdt-attribute. Everything that goes over methods (files, peaks,
// columns, summary, tracks) walks this table and the list of those that run; a new method is one
// row and one scorer.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "apps/attribute/gradient_options.h"
#include "apps/common/inference.h"
#include "model/explain/attribution.h"

namespace cdt {

class IntegrationReport;

/// What a scorer may use; all of it outlives the scorer.
struct ScorerContext {
  Inference& inference;
  Attributor& attributor;
  std::uint64_t seed = 0;
  const GradientOptions& options;
  Baseline& baseline;
  IntegrationReport& integration;  // receives what integrated gradients say of themselves
};

/// One enhancer and the genes wanted for it. The tape is free to use: a scorer clears it.
struct EnhancerGenes {
  std::int32_t enhancer = 0;
  Tensor dna;  // (1, L, dna_dim), on the device
  const std::vector<std::int32_t>& genes;
  bool zero_dna = false;  // the DNA is all zeros: scored, but in no mean of the summary
};

/// Computes the windows of one method.
class Scorer {
 public:
  Scorer() = default;
  virtual ~Scorer() = default;
  Scorer(const Scorer&) = delete;
  Scorer& operator=(const Scorer&) = delete;
  /// L scores for each gene, in order. They do not depend on which other genes are asked for.
  virtual std::vector<std::vector<float>> score(const EnhancerGenes& wanted) = 0;
  /// What else is to be said about the method, once all scores are made: fields added to its
  /// object in summary.json.
  virtual void describe(nlohmann::ordered_json* /*method*/) const {}
  /// The same for a reader, a line; empty if there is nothing to say.
  virtual std::string table() const { return ""; }
};

struct Method {
  using Make = std::unique_ptr<Scorer> (*)(const ScorerContext& context);
  const char* name;
  bool is_signed;                           // peaks and tops then go by the absolute value
  const char* meaning;                      // one line
  std::vector<float> PairWindows::*window;  // comes with the default pass, or null:
  Make make;                                // has a scorer of its own
};

/// The table; the first two are the defaults, which always run.
std::span<const Method> all_methods();
constexpr std::size_t kAttention = 0;
constexpr std::size_t kGradient = 1;
constexpr std::size_t kDefaultMethods = 2;

/// The defaults and the methods named in `list` (comma separated, or "all"), in table order.
/// InputError naming --methods for a name that is not in the table.
std::vector<const Method*> choose_methods(const std::string& list);

/// One pair: the prediction, and the scores (L) of each method that runs, in its order.
struct PairScores {
  float prediction = 0;
  std::vector<std::vector<float>> windows;
};

}  // namespace cdt
