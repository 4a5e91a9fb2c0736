// When a run saves its state between the ends of epochs: --save-every.
#pragma once

#include <algorithm>
#include <chrono>

namespace cdt {

class SaveClock {
 public:
  using Clock = std::chrono::steady_clock;  // which setting the time of day does not move
  using Time = Clock::time_point;

  /// minutes: from the end of a save to the next; 0: never. stretch: if saves are slow, as much
  /// longer as keeps them at kMostShare of the time.
  SaveClock(double minutes, bool stretch, Time now = Clock::now())
      : every_(minutes * 60.0), stretch_(stretch), last_(now) {}

  /// Whether it is time.
  bool due(Time now = Clock::now()) const { return every_ > Seconds(0) && now - last_ >= wait(); }
  /// A save that began at `began` is over.
  void saved(Time began, Time now = Clock::now()) {
    took_ = now - began;
    last_ = now;
  }

  static constexpr double kMostShare = 0.01;

 private:
  using Seconds = std::chrono::duration<double>;
  Seconds wait() const {
    return stretch_ ? std::max(every_, took_ * ((1.0 - kMostShare) / kMostShare)) : every_;
  }

  Seconds every_;
  bool stretch_;
  Seconds took_{0.0};
  Time last_;
};

}  // namespace cdt
