#include "apps/train/validation_metrics.h"

#include <limits>
#include <set>

#include "apps/evaluation/controls.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::int64_t kFewest = 3;  // pairs with an r worth the name: two have 1 or -1

}  // namespace

ValidationParts::ValidationParts(const std::vector<Pair>& train, const std::vector<Pair>& val,
                                 const std::string& steer_by) {
  std::set<std::int32_t> trained;
  std::set<std::int32_t> untrained;
  for (const Pair& pair : train) trained.insert(pair.gene);
  for (const Pair& pair : val) {
    const bool seen = trained.count(pair.gene) > 0;
    effects_.push_back(pair.beta);
    seen_.push_back(seen);
    if (seen) continue;
    untrained.insert(pair.gene);
    ++unseen_pairs_;
  }
  unseen_genes_ = static_cast<std::int64_t>(untrained.size());
  const auto seen_pairs = static_cast<std::int64_t>(val.size()) - unseen_pairs_;
  leaves_out_unseen_ = steer_by == "seen" && unseen_pairs_ > 0 && seen_pairs >= kFewest;
}

std::vector<float> ValidationParts::part(const std::vector<float>& values, bool seen) const {
  std::vector<bool> flags = seen_;
  if (!seen) flags.flip();
  return chosen<float>(values, flags);
}

std::vector<float> ValidationParts::steering_effects() const {
  return leaves_out_unseen_ ? part(effects_, true) : effects_;
}

Metrics ValidationParts::measure_part(const std::vector<float>& predictions, bool seen) const {
  const std::vector<float> effects = part(effects_, seen);
  const auto n = static_cast<std::int64_t>(effects.size());
  if (n >= kFewest) return compute_metrics(part(predictions, seen), effects);
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  return {n, kNone, kNone, kNone, kNone, kNone, kNone, kNone};
}

ValidationMetrics ValidationParts::measure(const std::vector<float>& predictions) const {
  ValidationMetrics out;
  out.all = compute_metrics(predictions, effects_);
  out.seen = measure_part(predictions, true);
  out.unseen = measure_part(predictions, false);
  out.steering_r = leaves_out_unseen_ ? out.seen.pearson : out.all.pearson;
  return out;
}

std::string seen_and_unseen_fields(const ValidationMetrics& metrics) {
  return ",\"val_seen_pearson\":" + json_number(metrics.seen.pearson) +
         ",\"val_seen_r2\":" + json_number(metrics.seen.r2) +
         ",\"val_unseen_pearson\":" + json_number(metrics.unseen.pearson) +
         ",\"val_unseen_r2\":" + json_number(metrics.unseen.r2) +
         ",\"val_pairs_of_unseen_genes\":" + std::to_string(metrics.unseen.n);
}

}  // namespace cdt
