#include "apps/train/step_results.h"

#include "engine/error.h"

namespace cdt {

StepResults::StepResults(Arena& lasting, std::int64_t batch, Backend& backend)
    : backend_(backend),
      all_(lasting.tensor({3 + batch})),
      host_(static_cast<float*>(
          backend.reserve_host(static_cast<std::size_t>(kSlots * all_.bytes())))) {}

void StepResults::fetch(const std::vector<Pair>& batch) {
  CDT_CHECK(pending() < kSlots, "more results pending than there are slots");
  backend_.download_later(slot_memory(next_slot_), all_, next_slot_);
  pending_.push_back({batch, next_slot_});
  next_slot_ = (next_slot_ + 1) % kSlots;
}

StepResult StepResults::take() {
  CDT_CHECK(!pending_.empty(), "no result is pending");
  const auto [batch, slot] = pending_.front();
  pending_.pop_front();
  backend_.wait(slot);
  const float* values = slot_memory(slot);
  return {batch, values[0], values[1], {values + 3, values + all_.count()}};
}

}  // namespace cdt
