#include "apps/train/epoch_order.h"

#include <numeric>
#include <utility>

#include "apps/common/cli_words.h"
#include "engine/error.h"
#include "engine/permutation.h"
#include "model/torch_initial.h"

namespace cdt {
namespace {

// First random stream of the shuffles, apart from those of initialisation and bootstrap.
constexpr std::uint32_t kShuffleStream = 0x40000000U;
// torch draws an int64 as two numbers of the generator.
constexpr std::uint64_t kDrawsOfInt64 = 2;

}  // namespace

std::vector<std::int32_t> epoch_order(std::int64_t n, std::uint64_t seed, std::int64_t epoch) {
  return permutation(n, {seed, kShuffleStream + static_cast<std::uint32_t>(epoch)});
}

EpochOrders::EpochOrders(std::int64_t n, const TrainSettings& settings, CdtParameters& model)
    : n_(n),
      seed_(static_cast<std::uint64_t>(settings.seed)),
      shared_(settings.order == kGlobalOrder) {
  const std::optional<std::uint64_t> init = torch_seed(settings.init);
  if (shared_) {
    CDT_CHECK(init.has_value(), "no seed for the order of a DataLoader");
    start_ = torch_after_construction(*init, model);
  } else if (const auto own = torch_seed(settings.order)) {
    start_ = TorchGenerator(*own);
  }
}

std::vector<std::int32_t> EpochOrders::of(std::int64_t epoch) {
  if (!start_) return epoch_order(n_, seed_, epoch);
  if (!now_ || epoch < next_) {
    now_ = start_;
    next_ = 1;
  }
  for (; next_ < epoch; ++next_) next_epoch();
  ++next_;
  return next_epoch();
}

// Draws what a loop `for batch in loader` draws (torch/utils/data/dataloader.py and sampler.py).
std::vector<std::int32_t> EpochOrders::next_epoch() {
  now_->skip(kDrawsOfInt64);  // base seed of the workers, drawn even without workers
  if (shared_) {
    // The sampler seeds its own generator, and the validation loader also draws a base seed.
    TorchGenerator own(now_->next_u64());
    now_->skip(kDrawsOfInt64);
    return own.permutation(n_);
  }
  std::vector<std::int32_t> order = now_->permutation(n_);
  now_->skip(static_cast<std::uint64_t>(n_ - 1));  // the end of the loop requests one more number
  return order;
}

}  // namespace cdt
