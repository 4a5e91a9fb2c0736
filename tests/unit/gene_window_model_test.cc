// Models in which genes read the DNA around their own start (docs/extensions.md): which predictions
// a window reaches, training against a plain difference, and what a data set must have.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "model/gene_windows.h"
#include "model/inputs.h"
#include "tests/support/gene_window_data.h"
#include "tests/support/input_error.h"
#include "tests/support/relative_error.h"
#include "tests/support/small_model.h"

namespace cdt::test {
namespace {

CdtConfig with_windows(Variant variant) {
  CdtConfig config = small_config(variant, 9, 1);
  config.readout = Readout::kGene;
  config.gene_window = true;
  config.bin_position = true;
  config.bins = kBins;
  return config;
}

/// A small model whose genes have windows, which tests exchange.
class GeneWindowModel : public testing::TestWithParam<Variant> {
 protected:
  Shape shape() const { return {m_.config.genes, kBins, m_.config.dna_dim}; }
  std::int64_t size() const { return kBins * m_.config.dna_dim; }
  std::vector<std::int32_t> all() const {
    std::vector<std::int32_t> out(static_cast<std::size_t>(m_.config.genes));
    std::iota(out.begin(), out.end(), 0);
    return out;
  }

  /// Predictions of all genes after those of `genes` have read their windows.
  std::vector<float> predict(const std::vector<float>& windows,
                             const std::vector<std::int32_t>& genes) {
    GeneWindowData data(shape(), windows, *m_.backend, m_.lasting, 4);
    m_.tape.clear();
    m_.tape.eval();
    const Trunks trunks = m_.model.compute_trunks(m_.tape, m_.rna, m_.protein, m_.lasting);
    read_gene_windows(m_.model, m_.tape, data.feed(), genes, trunks);
    return to_host(
        *m_.backend,
        m_.model.forward({.tape = m_.tape, .dna = m_.tape.constant(m_.dna), .trunks = &trunks})
            ->value);
  }
  std::vector<float> predict(const std::vector<float>& windows) { return predict(windows, all()); }

  SmallModel m_{with_windows(GetParam())};
  const std::vector<float> windows_ = draws(shape(), 9);
};

TEST_P(GeneWindowModel, AWindowReachesItsGeneAlone) {
  const std::vector<float> before = predict(windows_);
  std::vector<float> changed = windows_;
  for (std::int64_t i = 0; i < size(); ++i) changed[static_cast<std::size_t>(2 * size() + i)] *= -1;
  const std::vector<float> after = predict(changed);
  for (std::size_t gene = 0; gene < before.size(); ++gene) {
    if (gene == 2) {
      EXPECT_GT(std::fabs(after[gene] - before[gene]), 1e-4F);
    } else {
      EXPECT_EQ(after[gene], before[gene]) << gene;
    }
  }
}

// Genes 0 and 1 differ in nothing but their windows, so exchanging these exchanges their
// predictions.
TEST_P(GeneWindowModel, ExchangedWindowsOfEqualGenesExchangeTheirPredictions) {
  for (const auto& [tensor, width] :
       {std::pair{m_.rna, m_.config.rna_dim}, {m_.protein, m_.config.protein_dim}}) {
    std::vector<float> rows = to_host(*m_.backend, tensor);
    std::copy_n(rows.begin(), width, rows.begin() + width);
    m_.backend->upload(tensor, rows.data());
  }
  const std::vector<float> before = predict(windows_);
  EXPECT_GT(std::fabs(before[0] - before[1]), 1e-4F);
  std::vector<float> exchanged = windows_;
  std::swap_ranges(exchanged.begin(), exchanged.begin() + size(), exchanged.begin() + size());
  std::vector<float> after = predict(exchanged);
  std::swap(after[0], after[1]);
  EXPECT_LT(relative_error(after, before), 1e3 * m_.backend->product_unit());
}

TEST_P(GeneWindowModel, GenesThatAreNotAskedAboutNeedNoWindow) {
  const std::vector<float> whole = predict(windows_), some = predict(windows_, {4, 1});
  EXPECT_EQ(some[1], whole[1]);
  EXPECT_EQ(some[4], whole[4]);
  EXPECT_NE(some[0], whole[0]);
}

TEST_P(GeneWindowModel, PairsAndAllGenesAgree) {
  const std::vector<float> whole = predict(windows_);
  for (const std::int32_t gene : {0, 3}) {
    m_.tape.clear();
    const Tensor window = m_.tape.saved({1, kBins, m_.config.dna_dim});
    m_.backend->upload(window, windows_.data() + gene * size());
    const Tensor index = m_.tape.saved({1}, Dtype::kInt32);
    m_.backend->upload(index, &gene);
    const Var one = m_.model.forward_pairs({.tape = m_.tape,
                                            .dna = m_.tape.constant(m_.dna),
                                            .rna = m_.tape.constant(m_.rna),
                                            .protein = m_.tape.constant(m_.protein),
                                            .gene_dna = m_.tape.constant(window)},
                                           index);
    EXPECT_NEAR(to_host(*m_.backend, one->value)[0], whole[static_cast<std::size_t>(gene)],
                1e3 * m_.backend->product_unit());
  }
}

// In training every sample of a batch has RNA with dropout masks of its own, and a gene may be
// there twice.
TEST_P(GeneWindowModel, GradientsReachBothWindowsInTraining) {
  SmallModel m(with_windows(GetParam()));
  Cdt model(m.config, *m.backend, m.lasting, true);
  model.initialise(5);
  model.zero_gradients();
  m.tape.clear();
  m.tape.train(3, 0);
  const std::vector<std::int32_t> genes{2, 5, 2};
  const Tensor index = m.lasting.tensor({3}, Dtype::kInt32);
  m.backend->upload(index, genes.data());
  const Var dna = m.tape.input(m.random_tensor({3, kBins, m.config.dna_dim}, 21));
  const Var windows = m.tape.input(m.random_tensor({3, kBins, m.config.dna_dim}, 22));
  const Var out = model.forward_pairs({.tape = m.tape,
                                       .dna = dna,
                                       .rna = m.tape.constant(m.rna),
                                       .protein = m.tape.constant(m.protein),
                                       .gene_dna = windows},
                                      index);
  const Tensor cotangent = m.lasting.tensor({3});
  m.backend->upload(cotangent, std::vector<float>{1.0F, 0.0F, 0.0F}.data());
  m.tape.backward(out, cotangent);
  const std::vector<float> own = to_host(*m.backend, windows->grad);
  const auto second = own.begin() + size();
  EXPECT_TRUE(std::any_of(own.begin(), second, [](float x) { return x != 0.0F; }));
  EXPECT_TRUE(std::all_of(second, own.end(), [](float x) { return x == 0.0F; }));
}

INSTANTIATE_TEST_SUITE_P(Variants, GeneWindowModel,
                         testing::Values(Variant::kReleased, Variant::kPaper),
                         [](const auto& info) { return std::string(variant_name(info.param)); });

TEST(GeneWindowModel, NeedsTheGeneReadoutAndADataSetThatHasThem) {
  CdtConfig config = with_windows(Variant::kReleased);
  EXPECT_EQ(config_problem(config), "");
  EXPECT_EQ(extensions_text(config), "gene readout, bin position, gene window");
  EXPECT_TRUE(parse_model_config(model_config_json(config), "file").gene_window);
  config.readout = Readout::kColumn;
  EXPECT_EQ(config_problem(config), "a model with gene windows needs the readout gene");
  Dataset data;
  data.directory = "data";
  EXPECT_EQ(input_error([&] { check_gene_inputs(config, data); }),
            "data/dataset.json: dna_gene: missing; a model with gene windows reads the DNA at each "
            "gene's start");
  config.gene_window = false;
  EXPECT_NO_THROW(check_gene_inputs(config, data));
  config.gene_position = true;
  EXPECT_EQ(input_error([&] { check_gene_inputs(config, data); }),
            "data/dataset.json: gene_starts: missing; a model with gene positions needs the starts "
            "of genes");
}

}  // namespace
}  // namespace cdt::test
