#include "engine/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace cdt {

void ReduceLrOnPlateau::step(double metric) {
  const bool improves = better == Better::kHigher ? metric > best * (1.0 + kThreshold)
                                                  : metric < best * (1.0 - kThreshold);
  if (improves) {
    best = metric;
    bad_epochs = 0;
    return;
  }
  if (++bad_epochs <= kPatience) return;
  bad_epochs = 0;
  const double reduced = lr * kFactor;
  if (lr - reduced > kEps) lr = reduced;
}

double StepSchedule::factor(std::int64_t step) const {
  if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup);
  if (decay == Decay::kNone) return 1.0;
  const double done =
      std::min(1.0, static_cast<double>(step - warmup) / static_cast<double>(steps - warmup));
  const double left =
      decay == Decay::kLinear ? 1.0 - done : 0.5 * (1.0 + std::cos(std::numbers::pi * done));
  return final_share + (1.0 - final_share) * left;
}

bool EarlyStopping::step(double metric) {
  const bool gains =
      better == Better::kHigher ? metric >= best + kMinDelta : metric <= best * (1.0 - kMinDelta);
  if (gains) {
    best = metric;
    bad_epochs = 0;
    return false;
  }
  return ++bad_epochs >= patience;
}

}  // namespace cdt
