// What models have beyond the released one: the gene readout, bin and gene positions
// (docs/extensions.md).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "engine/relative_error.h"
#include "model/positions.h"
#include "tests/support/input_error.h"
#include "tests/support/small_model.h"

namespace cdt::test {
namespace {

TEST(BinFeatures, AreWavesOfTheSignedDistanceFromTheCentre) {
  const std::vector<float> even = bin_features(4);  // middles at -1.5, -0.5, 0.5, 1.5
  ASSERT_EQ(std::ssize(even), 4 * kBinFeatures);
  for (std::size_t k = 0; k < 16; ++k) {
    const double wavelength = std::pow(10000.0, static_cast<double>(k) / 16.0);
    EXPECT_FLOAT_EQ(even[2 * k], static_cast<float>(std::sin(-1.5 / wavelength)));
    EXPECT_FLOAT_EQ(even[2 * k + 1], static_cast<float>(std::cos(1.5 / wavelength)));
  }
  const std::vector<float> odd = bin_features(3);  // the middle bin is at 0
  for (std::size_t k = 0; k < 16; ++k) {
    EXPECT_EQ(odd[kBinFeatures + 2 * k], 0.0F);
    EXPECT_EQ(odd[kBinFeatures + 2 * k + 1], 1.0F);
  }
}

std::vector<float> gene_at(std::optional<std::int64_t> distance) {
  std::vector<float> out(kGeneFeatures, 7.0F);
  gene_features(distance, 10, 1000, out.data());
  return out;
}

TEST(GeneFeatures, OfAnUnknownStartAreZero) {
  EXPECT_EQ(gene_at({}), std::vector<float>(kGeneFeatures, 0.0F));
}

TEST(GeneFeatures, InsideTheWindowAreThoseOfAPlaceAmongTheBins) {
  const std::vector<float> inside = gene_at(-4500);  // the middle of bin 0
  const std::vector<float> bins = bin_features(10);
  EXPECT_TRUE(std::equal(bins.begin(), bins.begin() + kBinFeatures, inside.begin()));
  EXPECT_EQ(inside[33], 1.0F);
  EXPECT_EQ(gene_at(5000)[33], 1.0F);
  const std::vector<float> outside = gene_at(5001);
  EXPECT_EQ(outside[33], 0.0F);
  EXPECT_TRUE(std::all_of(outside.begin(), outside.begin() + kBinFeatures,
                          [](float x) { return x == 0.0F; }));
}

TEST(GeneFeatures, SideAndSizeOfTheDistance) {
  const std::vector<float> left = gene_at(-99'000), right = gene_at(99'000);
  EXPECT_EQ(left[32], 1.0F);
  EXPECT_FLOAT_EQ(right[34], 2.0F / 3.0F);  // log10(1 + 99) / 3
  EXPECT_EQ(left[34], -right[34]);
  EXPECT_TRUE(std::equal(left.begin() + 35, left.end(), right.begin() + 35));
  const auto bump = std::max_element(right.begin() + 36, right.end());
  EXPECT_EQ(bump - (right.begin() + 36), 7);  // 10^5.1 is nearest to 99 kb
}

CdtConfig extended() {
  CdtConfig config = small_config(Variant::kReleased, 29, 2);
  config.readout = Readout::kGene;
  return config;
}

TEST(Extensions, AreRecordedAndNamedOnlyIfTheModelHasThem) {
  EXPECT_EQ(extensions_text({}), "");
  EXPECT_EQ(model_config_json({}).find("readout"), std::string::npos);
  CdtConfig config = extended();
  config.bin_position = config.gene_position = true;
  config.bins = 12;
  EXPECT_EQ(extensions_text(config), "gene readout, bin position, gene position");
  const CdtConfig read = parse_model_config(model_config_json(config), "file");
  EXPECT_EQ(model_config_json(read), model_config_json(config));
  config.bins = 0;
  EXPECT_EQ(config_problem(config), "bins is 0, not in 1 to 1000000");
  EXPECT_EQ(input_error([] { parse_readout("row", "file"); }),
            "file: readout: unknown readout (expected column or gene, got row)");
}

/// Predictions (B, G) of a model for its DNA, of which bins may be swapped.
std::vector<float> predict(SmallModel& m, const Tensor& dna) {
  m.tape.clear();
  m.tape.eval();
  return to_host(*m.backend, m.forward(m.tape.constant(dna))->value);
}

/// The DNA with the first two bins of every window exchanged.
Tensor swapped(SmallModel& m) {
  std::vector<float> values = to_host(*m.backend, m.dna);
  const std::int64_t window = m.dna.shape[1] * m.dna.cols(), bin = m.dna.cols();
  for (auto at = values.begin(); at != values.end(); at += window) {
    std::swap_ranges(at, at + bin, at + bin);
  }
  const Tensor out = m.lasting.tensor(m.dna.shape);
  m.backend->upload(out, values.data());
  return out;
}

TEST(Extensions, OnlyBinPositionsTellBinsApart) {
  CdtConfig config = extended();
  SmallModel without(config);
  // A permutation changes only the order of sums.
  EXPECT_LT(relative_error(predict(without, swapped(without)), predict(without, without.dna)),
            1e3 * without.backend->product_unit());
  config.bin_position = true;
  config.bins = kBins;
  SmallModel with(config);
  EXPECT_GT(relative_error(predict(with, swapped(with)), predict(with, with.dna)), 1e-3);
}

// With the gene readout, a gene's prediction reads its own RNA embedding, not only the mixture of
// all genes: exchanging the embeddings of two genes exchanges more than noise of their predictions.
TEST(Extensions, AGenesOwnEmbeddingReachesItsPrediction) {
  for (const Readout readout : {Readout::kColumn, Readout::kGene}) {
    CdtConfig config = extended();
    config.readout = readout;
    SmallModel m(config);
    const std::vector<float> before = predict(m, m.dna);
    for (const auto& [tensor, width] :
         {std::pair{m.rna, config.rna_dim}, {m.protein, config.protein_dim}}) {
      std::vector<float> rows = to_host(*m.backend, tensor);
      std::swap_ranges(rows.begin(), rows.begin() + width, rows.begin() + width);
      m.backend->upload(tensor, rows.data());
    }
    std::vector<float> after = predict(m, m.dna);
    if (readout == Readout::kGene) std::swap(after[0], after[1]);
    // The column readout does not notice the exchange; the gene readout follows it.
    EXPECT_LT(relative_error(after, before), 1e3 * m.backend->product_unit());
  }
}

}  // namespace
}  // namespace cdt::test
