// The validation number that steers training (--monitor): it moves the learning rate, chooses the
// best model and stops early.
#pragma once

#include <string>
#include <vector>

#include "apps/train/options.h"
#include "apps/train/target_transform.h"
#include "apps/train/validation.h"
#include "engine/optim/schedule.h"
#include "io/dataset/dataset.h"

namespace cdt {

class Monitor {
 public:
  /// parts: the partition of the data set's val pairs; it must outlive this. Throws InputError if
  /// --monitor auprc has no positive or no other pair among those that steer.
  Monitor(const TrainSettings& settings, const Dataset& data, const ValidationParts& parts);

  /// Whether the number is another than the correlation that steers by default.
  bool is_chosen() const { return kind_ != "pearson"; }
  /// Whether it depends on the labels of the pairs.
  bool reads_labels() const { return kind_ == kMonitorAuprc && !by_effect_; }
  Better better() const { return kind_ == kMonitorLoss ? Better::kLower : Better::kHigher; }
  /// Its name: "val_loss"; "val_seen_loss" if val pairs of genes without training pairs are left
  /// out.
  std::string name() const;
  /// Its value; predictions has one value for each val pair, of which `metrics` are the metrics.
  double value(const std::vector<float>& predictions, const ValidationMetrics& metrics) const;

 private:
  std::string kind_;
  bool by_effect_ = false;  // positive pairs are those below --positive-below
  const ValidationParts& parts_;
  TargetTransform targets_;     // of the loss
  std::vector<Pair> pairs_;     // those that steer
  std::vector<bool> positive_;  // by pair that steers; empty unless it is the average precision
  std::int64_t batch_;
  double delta_;
};

}  // namespace cdt
