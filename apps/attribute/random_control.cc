#include "apps/attribute/random_control.h"

#include "engine/random.h"

namespace cdt {
namespace {

constexpr std::uint32_t kControlStream = 0xC0DE;

class RandomControl : public Scorer {
 public:
  RandomControl(std::uint64_t seed, std::int64_t bins)
      : key0_(static_cast<std::uint32_t>(seed)),
        key1_(static_cast<std::uint32_t>(seed >> 32U)),
        bins_(static_cast<std::uint32_t>(bins)) {}

  std::vector<std::vector<float>> score(const EnhancerGenes& wanted) override {
    std::vector<std::vector<float>> out;
    for (const std::int32_t gene : wanted.genes) {
      std::vector<float>& scores = out.emplace_back();
      for (std::uint32_t bin = 0; bin < bins_; ++bin) {
        const auto words = philox4x32({bin, static_cast<std::uint32_t>(wanted.enhancer),
                                       static_cast<std::uint32_t>(gene), kControlStream},
                                      key0_, key1_);
        scores.push_back(static_cast<float>(words[0] >> 8U) * 0x1p-24F);
      }
    }
    return out;
  }

 private:
  std::uint32_t key0_, key1_, bins_;
};

}  // namespace

std::unique_ptr<Scorer> make_random_control(const ScorerContext& context) {
  return std::make_unique<RandomControl>(context.seed, context.inference.data.bins);
}

}  // namespace cdt
