#include "engine/optim/schedule.h"

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
