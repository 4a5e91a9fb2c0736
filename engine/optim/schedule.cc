#include "engine/optim/schedule.h"

namespace cdt {

void ReduceLrOnPlateau::step(double metric) {
  if (metric > best * (1.0 + kThreshold)) {
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
  if (metric >= best + kMinDelta) {
    best = metric;
    bad_epochs = 0;
    return false;
  }
  return ++bad_epochs >= patience;
}

}  // namespace cdt
