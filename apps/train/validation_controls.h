// What stands beside the r of a validation: the same model with its DNA or its genes' embeddings
// shuffled or averaged away, and the strongest baseline (apps/evaluation).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "apps/evaluation/controls.h"
#include "io/dataset/dataset.h"

namespace cdt {

/// One validation, compared.
struct ComparedValidation {
  std::vector<float> predictions;  // one per val pair
  Controls controls;
  double gain = 0;  // r minus that of the strongest baseline; NaN where one has none
  Interval gain_interval;

  /// "DNA shuffled r 0.37, DNA averaged r 0.38, 0.012 above the gene mean, ", for a line of text.
  std::string note(const std::string& baseline) const;
  /// Fields of a line of metrics.jsonl, each with a comma before it.
  std::string json(const std::string& baseline) const;
};

class ValidationControls {
 public:
  /// seed: of the controls. The data set has train and val pairs and outlives this.
  ValidationControls(const Dataset& data, std::uint64_t seed);

  /// The mean window (L, dna_dim) of the val pairs' enhancers, read at the first call; empty if
  /// go_on(), asked between rows, says no.
  const std::vector<float>& window(const std::function<bool()>& go_on);
  const std::vector<std::int32_t>& enhancers() const { return enhancers_; }
  std::uint64_t seed() const { return seed_; }
  /// Label of the strongest baseline on the val pairs.
  const std::string& baseline() const { return baseline_label_; }

  ComparedValidation compare(const ControlPasses& passes) const;

 private:
  const Dataset& data_;
  std::uint64_t seed_;
  std::vector<Pair> pairs_;
  std::vector<std::int32_t> enhancers_, loci_;  // distinct; of each pair
  std::vector<float> window_;
  std::string baseline_label_;
  std::vector<std::vector<float>> baseline_;  // one: its predictions
  double baseline_pearson_ = 0;               // NaN: none has an r
};

}  // namespace cdt
