// A training pass split over processes: each has some samples of the batch, with their masks.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/ops.h"
#include "model/positions.h"
#include "tests/support/precision.h"
#include "tests/support/relative_error.h"
#include "tests/support/small_model.h"

namespace cdt::test {
namespace {

using Floats = std::vector<float>;

constexpr std::int64_t kBatch = 6;

struct SplitCase {
  const char* name;
  Variant variant;
  bool sampled = false;   // RNA of its own for each sample
  bool extended = false;  // gene readout, positions and windows
  std::int64_t layers = 1;
};

CdtConfig config_of(const SplitCase& c) {
  CdtConfig config = small_config(c.variant, 9, c.layers);
  config.rna_layers = config.protein_layers = c.layers;
  config.dropout = 0.4F;
  if (!c.extended) return config;
  config.readout = Readout::kGene;
  config.gene_window = config.gene_position = config.bin_position = true;
  config.bins = kBins;
  return config;
}

struct Pass {
  Floats predictions, gradients;
};

/// Samples [begin, end) of the batch, whose masks are those of samples from `first` on.
class SplitPass {
 public:
  SplitPass(const SplitCase& c, std::int64_t begin, std::int64_t end)
      : case_(c),
        config_(config_of(c)),
        begin_(begin),
        end_(end),
        model_(config_, *backend_, lasting_, true) {
    model_.initialise(5);
    model_.zero_gradients();
  }

  Pass run(std::int64_t first) {
    tape_.train(11, 2, first);
    const std::vector<std::int32_t> genes{2, 5, 2, 0, 1, 4};
    const Tensor index = lasting_.tensor({end_ - begin_}, Dtype::kInt32);
    backend_->upload(index, genes.data() + begin_);
    const Shape bins{kBatch, kBins, config_.dna_dim};
    const Shape rna{case_.sampled ? kBatch : 1, config_.genes, config_.rna_dim};
    const Var out = model_.forward_pairs(
        {.tape = tape_,
         .dna = put(bins, 1),
         .rna = put(rna, 2),
         .protein = put({1, config_.genes, config_.protein_dim}, 3),
         .gene_position = case_.extended ? put({kBatch, config_.genes, kGeneFeatures}, 4) : nullptr,
         .gene_dna = case_.extended ? put(bins, 5) : nullptr},
        index);
    const Var loss = huber(tape_, out, put({kBatch}, 6)->value, 0.5F);
    Pass pass{to_host(*backend_, out->value), {}};
    tape_.backward(loss, static_cast<float>(end_ - begin_) / static_cast<float>(kBatch));
    for (const Parameter& p : model_.parameters()) {
      const Floats gradient = to_host(*backend_, p.variable.grad);
      pass.gradients.insert(pass.gradients.end(), gradient.begin(), gradient.end());
    }
    return pass;
  }

 private:
  /// The rows of these samples, or the one row that all share.
  Var put(const Shape& whole, std::uint32_t stream) {
    const Floats values = draws(whole, stream);
    const bool shared = whole[0] != kBatch;
    const Tensor t = lasting_.tensor(shared ? whole : whole.with(0, end_ - begin_));
    backend_->upload(t, values.data() + (shared ? 0 : begin_ * whole.count() / kBatch));
    return tape_.constant(t);
  }

  const SplitCase& case_;
  CdtConfig config_;
  std::int64_t begin_, end_;
  std::unique_ptr<Backend> backend_ = make_test_backend();
  Arena lasting_{*backend_, "lasting"}, step_{*backend_, "step"}, scratch_{*backend_, "scratch"};
  Cdt model_;
  Tape tape_{*backend_, step_, scratch_};
};

class SampleMasksModel : public testing::TestWithParam<SplitCase> {};

// The same terms, added in another order: products of fewer rows may round differently, and a
// gradient has terms of 6 * 11 rows at most.
TEST_P(SampleMasksModel, PartsOfABatchMakeUpTheWhole) {
  const SplitCase c = GetParam();
  const Pass whole = SplitPass(c, 0, kBatch).run(0);
  for (const std::int64_t parts : {2, 3, 6}) {
    Pass sum{{}, Floats(whole.gradients.size())};
    for (std::int64_t begin = 0; begin < kBatch; begin += kBatch / parts) {
      const Pass part = SplitPass(c, begin, begin + kBatch / parts).run(begin);
      sum.predictions.insert(sum.predictions.end(), part.predictions.begin(),
                             part.predictions.end());
      for (std::size_t i = 0; i < sum.gradients.size(); ++i) sum.gradients[i] += part.gradients[i];
    }
    EXPECT_LE(relative_error(sum.predictions, whole.predictions), tolerance(1e-5, kModelValue));
    EXPECT_LE(relative_error(sum.gradients, whole.gradients), tolerance(1e-5, kModelGradient))
        << parts << " parts";
  }
}

TEST_P(SampleMasksModel, TheMasksOfOtherSamplesGiveSomethingElse) {
  const SplitCase c = GetParam();
  const Pass own = SplitPass(c, 2, 4).run(2), other = SplitPass(c, 2, 4).run(0);
  EXPECT_GT(relative_error(other.predictions, own.predictions), 0.1);
  EXPECT_GT(relative_error(other.gradients, own.gradients), 0.1);
}

INSTANTIATE_TEST_SUITE_P(
    Models, SampleMasksModel,
    testing::Values(SplitCase{"Released", Variant::kReleased}, SplitCase{"Paper", Variant::kPaper},
                    SplitCase{"NoLayers", Variant::kReleased, false, false, 0},
                    SplitCase{"SampledRna", Variant::kReleased, true},
                    SplitCase{"Extended", Variant::kReleased, false, true},
                    SplitCase{"ExtendedPaper", Variant::kPaper, true, true, 2}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace cdt::test
