// Validation by whether train has pairs of a pair's gene. The model has an output per gene; that of
// a gene without training pairs stays about as it was drawn, so what it predicts says nothing of
// the training and moves the correlation over all pairs at random.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"
#include "model/stats/statistics.h"

namespace cdt {

/// Of an epoch; of fewer than three seen or unseen pairs all but n is NaN.
struct ValidationMetrics {
  Metrics all, seen, unseen;
  double steering_r = 0;  // moves the schedule, chooses the best model, stops early
};

class ValidationParts {
 public:
  /// steer_by: "seen" or "all" (--steer-by). val may be empty.
  ValidationParts(const std::vector<Pair>& train, const std::vector<Pair>& val,
                  const std::string& steer_by);

  std::int64_t unseen_pairs() const { return unseen_pairs_; }
  std::int64_t unseen_genes() const { return unseen_genes_; }
  /// Pairs of genes without training pairs do not steer. False if there are none of them, or fewer
  /// than three others.
  bool leaves_out_unseen() const { return leaves_out_unseen_; }
  /// Effects of the pairs that steer.
  std::vector<float> steering_effects() const;
  /// predictions: one for each pair of val, which is not empty.
  ValidationMetrics measure(const std::vector<float>& predictions) const;

 private:
  /// Those of all val's values that belong to seen or to unseen pairs.
  std::vector<float> part(const std::vector<float>& values, bool seen) const;
  Metrics measure_part(const std::vector<float>& predictions, bool seen) const;

  std::vector<float> effects_;  // by pair of val
  std::vector<bool> seen_;      // train has pairs of its gene
  std::int64_t unseen_pairs_ = 0, unseen_genes_ = 0;
  bool leaves_out_unseen_ = false;
};

/// The fields of metrics.jsonl beside those over all pairs, with a comma before each.
std::string seen_and_unseen_fields(const ValidationMetrics& metrics);

}  // namespace cdt
