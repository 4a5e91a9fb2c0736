#include "apps/train/loss_watch.h"

#include <algorithm>
#include <numeric>

#include "apps/common/tables.h"
#include "io/format/text.h"

namespace cdt {
namespace {

std::string shown(double loss) { return text("%.3g", loss); }

std::string too_high(double lr) {
  return "the learning rate, " + format_number(lr) +
         ", is too high: it diverges; begin again with "
         "a lower --lr";
}

}  // namespace

void LossWatch::add(double loss) {
  if (count_ == 0) first_ = loss;
  latest_[place(count_++)] = loss;
}

double LossWatch::recent() const {
  const std::int64_t n = std::min(count_, kSteps);
  return std::accumulate(latest_.begin(), latest_.begin() + n, 0.0) / static_cast<double>(n);
}

double LossWatch::bound() const { return kTooMuch * std::max(first_, nothing_); }

std::string LossWatch::before_the_end(double lr, bool checks_numerics) const {
  if (count_ == 0) return checks_numerics ? "" : "; --check-numerics names the op";
  const double last = latest_[place(count_ - 1)];
  if (last > bound()) {
    return "; the loss had grown from " + shown(first_) + " to " + shown(last) + ": " +
           too_high(lr);
  }
  return "; the loss was " + shown(last) + " a step before" +
         (checks_numerics ? "" : "; --resume --check-numerics names the op");
}

std::string LossWatch::after_epoch(double mean, double lr) {
  if (told_ || count_ < kSteps || std::min(mean, recent()) <= bound()) return "";
  told_ = true;
  return "the loss has grown from " + shown(first_) + " in the first step to " + shown(recent()) +
         " (that of predictions of 0 is " + shown(nothing_) + "): " + too_high(lr);
}

}  // namespace cdt
