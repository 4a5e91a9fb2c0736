#include "apps/evaluation/position_baselines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/random.h"
#include "io/dataset/dataset_writer.h"
#include "io/dataset/gene_starts.h"
#include "model/stats/statistics.h"
#include "tests/support/input_error.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

constexpr std::int32_t kEnhancers = 120;
constexpr std::int32_t kGenes = 20;

struct Embeddings {
  std::int64_t bins = 2;
  std::vector<float> rna = std::vector<float>(kGenes, 1.0F);  // one value per gene
};

/// Enhancers at 0, 10 kb, ... of chr1, the last five on chr2; Starts gives the gene starts.
class PositionBaselinesTest : public testing::Test {
 protected:
  /// Windows of `features` standard normal numbers per bin.
  Dataset write(std::int64_t features, const std::vector<Pair>& pairs,
                const Embeddings& given = {}) {
    DatasetWriter::Sizes sizes{.enhancers = kEnhancers,
                               .bins = given.bins,
                               .dna_dim = features,
                               .genes = kGenes,
                               .rna_dim = 1,
                               .protein_dim = 1};
    DatasetWriter writer(dir_.path / "data", sizes, true);
    std::vector<Enhancer> enhancers;
    std::vector<std::string> genes;
    for (std::int32_t e = 0; e < kEnhancers; ++e) {
      std::vector<float> window(static_cast<std::size_t>(given.bins * features));
      for (float& x : window) x = normal();
      writer.append_dna(window.data(), given.bins * features);
      first_feature_.push_back((window[0] + window[static_cast<std::size_t>(features)]) / 2);
      const std::int64_t start = 10000L * e;
      enhancers.push_back(
          {e < kEnhancers - 5 ? "chr1" : "chr2", start, start + 500, "E" + std::to_string(e)});
      locus_.push_back(e / 6);
    }
    for (std::int32_t g = 0; g < kGenes; ++g) genes.push_back("G" + std::to_string(g));
    writer.write_rna(given.rna, genes);
    writer.write_protein(std::vector<float>(kGenes, 1.0F), genes);
    writer.write_enhancers(enhancers);
    writer.write_pairs(pairs);
    writer.finish("{}");
    return Dataset(dir_.path / "data");
  }

  /// All baselines that use positions or DNA.
  std::vector<BaselinePrediction> fitted(const Dataset& data, const GeneStarts& starts,
                                         const std::vector<Pair>& train,
                                         const std::vector<Pair>& pairs) const {
    const PlacedPairs of_train{train, places_of(data, starts, train)};
    const PlacedPairs of_pairs{pairs, places_of(data, starts, pairs)};
    std::vector<BaselinePrediction> out = position_baselines(of_train, of_pairs);
    for (BaselinePrediction& b : ridge_baselines(data, of_train, of_pairs, locus_)) {
      out.push_back(std::move(b));
    }
    return out;
  }

  float normal() { return static_cast<float>(random_.normal()); }
  std::int32_t below(std::int32_t n) {
    return static_cast<std::int32_t>(random_.below(static_cast<std::uint64_t>(n)));
  }

  test::TempDir dir_;
  RandomStream random_{3, 5};
  std::vector<float> first_feature_;
  std::vector<std::int32_t> locus_;
};

GeneStarts starts_along_chr1() {
  GeneStarts out;
  for (std::int32_t g = 0; g < kGenes; ++g) {
    out.of_gene.emplace_back(GeneStart{"chr1", 60000 * g + 777, g % 2 == 0 ? 1 : -1});
  }
  return out;
}

double log_distance(const Pair& p) {
  return std::log1p(std::abs(10000.0 * p.enhancer + 250 - (60000.0 * p.gene + 777)));
}

double contact(const Pair& p) { return std::pow(std::max(std::expm1(log_distance(p)), 5e3), -0.7); }

double mse(const BaselinePrediction& b, const std::vector<Pair>& pairs) {
  std::vector<float> effects;
  for (const Pair& p : pairs) effects.push_back(p.beta);
  return compute_metrics(b.predictions, effects).mse;
}

const BaselinePrediction& named(const std::vector<BaselinePrediction>& list,
                                const std::string& name) {
  return *std::find_if(list.begin(), list.end(), [&](const auto& b) { return b.name == name; });
}

TEST_F(PositionBaselinesTest, WhereOnlyDistanceMatters) {
  const auto draw = [&](std::size_t n) {
    std::vector<Pair> out;
    for (std::size_t i = 0; i < n; ++i) {
      Pair p{.enhancer = below(kEnhancers - 5), .gene = below(kGenes)};
      p.beta = static_cast<float>(-2 + 0.3 * log_distance(p)) + 0.1F * normal();
      out.push_back(p);
    }
    return out;
  };
  const std::vector<Pair> train = draw(150);
  std::vector<Pair> pairs = draw(100);
  const Dataset data = write(3, train);
  const auto b = fitted(data, starts_along_chr1(), train, pairs);
  const auto of_gene = gene_baselines(train, pairs);
  const double distance = mse(named(b, "distance"), pairs);
  EXPECT_LT(distance, 0.02);  // the noise's variance is 0.01
  EXPECT_LT(mse(named(b, "ridge"), pairs), 1.2 * distance);
  EXPECT_LT(mse(named(b, "ridge"), pairs), 0.5 * mse(named(of_gene, "gene_mean"), pairs));
}

TEST_F(PositionBaselinesTest, UnknownPlaces) {
  std::vector<Pair> train;
  double sum = 0;
  for (std::int32_t e = 0; e < kEnhancers; ++e) {
    train.push_back({.enhancer = e, .gene = e % kGenes, .beta = normal()});
    sum += train.back().beta;
  }
  const Dataset data = write(2, train);
  GeneStarts starts = starts_along_chr1();
  starts.of_gene[4].reset();
  const std::vector<Pair> pairs{{.enhancer = 0, .gene = 4},
                                {.enhancer = kEnhancers - 1, .gene = 5},
                                {.enhancer = 1, .gene = 5}};
  const auto b = fitted(data, starts, train, pairs);
  const auto all = static_cast<float>(sum / kEnhancers);
  const std::vector<float>& distance = named(b, "distance").predictions;
  EXPECT_FLOAT_EQ(distance[0], all);
  EXPECT_FLOAT_EQ(distance[1], all);
  EXPECT_NE(distance[2], all);
  for (const auto& one : b) {
    for (const float p : one.predictions) EXPECT_TRUE(std::isfinite(p)) << one.name;
  }
  starts.of_gene.assign(kGenes, std::nullopt);  // nothing known at all
  for (const auto& none : fitted(data, starts, train, pairs)) {
    for (const float p : none.predictions) EXPECT_TRUE(std::isfinite(p));
  }
  const std::vector<Pair> one{train[3]};
  for (const auto& single : fitted(data, starts, one, pairs)) {
    EXPECT_EQ(single.predictions, std::vector<float>(3, train[3].beta)) << single.name;
  }
}

TEST_F(PositionBaselinesTest, TheDataSetsOwnStartsAreTheDefault) {
  std::vector<Pair> train;
  for (std::int32_t e = 0; e < kEnhancers; ++e) {
    train.push_back({.enhancer = e, .gene = e % kGenes, .beta = normal()});
  }
  Dataset data = write(2, train);
  EXPECT_TRUE(fit_baselines({}, data, train, true).gene_starts.empty());
  data.gene_starts = starts_along_chr1().of_gene;
  data.gene_table = data.directory / "genes.bed";
  const std::filesystem::path file = dir_.path / "starts.bed";
  test::write_bytes(file, gene_table_text(data.gene_starts, data.genes));
  const FittedBaselines own = fit_baselines({}, data, train, true);
  const FittedBaselines given = fit_baselines({.genes = file}, data, train, true);
  EXPECT_EQ(own.gene_starts, data.gene_table);
  EXPECT_EQ(given.gene_starts, file);
  EXPECT_EQ(named(own.predictions, "distance").predictions,
            named(given.predictions, "distance").predictions);
  for (Pair& pair : data.pairs) pair.split = Split::kTest;
  EXPECT_TRUE(fit_baselines({}, data, train, true).predictions.empty()) << "no training pairs";
  EXPECT_NE(
      test::input_error([&] { fit_baselines({.genes = file}, data, train, true); }).find("--genes"),
      std::string::npos);
}

TEST_F(PositionBaselinesTest, TheMeanWindowIsSeen) {
  std::vector<Pair> train;
  std::vector<Pair> pairs;
  const Dataset data = write(8, {{.beta = 1.0F}});
  for (std::int32_t e = 0; e < kEnhancers; ++e) {
    const float effect = first_feature_[static_cast<std::size_t>(e)] + 0.1F * normal();
    (e % 3 == 0 ? pairs : train).push_back({.enhancer = e, .gene = e % kGenes, .beta = effect});
  }
  const auto b = fitted(data, starts_along_chr1(), train, pairs);
  EXPECT_LT(mse(named(b, "ridge"), pairs), 0.05);  // noise 0.01, window means 0.5
  EXPECT_GT(mse(named(b, "ridge_no_dna"), pairs), 0.3);
}

/// A window of five bins, an effect of the middle one that falls with distance.
TEST_F(PositionBaselinesTest, TheCentreActsByContact) {
  std::vector<Pair> train;
  std::vector<Pair> pairs;
  const Dataset data = write(3, {{.beta = 1.0F}}, {.bins = 5});
  std::vector<float> window(15);
  for (std::int32_t e = 0; e < kEnhancers - 5; ++e) {
    data.read_dna(e, window.data());
    for (std::int32_t g = 0; g < kGenes; ++g) {
      Pair pair{.enhancer = e, .gene = g};
      pair.beta = window[2 * 3] * static_cast<float>(400 * contact(pair)) + 0.01F * normal();
      (e % 3 == 0 ? pairs : train).push_back(pair);
    }
  }
  const auto b = fitted(data, starts_along_chr1(), train, pairs);
  const double mean_square = mse(named(b, "ridge_no_dna"), pairs);
  EXPECT_GT(mean_square, 0.01);
  EXPECT_LT(mse(named(b, "ridge"), pairs), 0.05 * mean_square);
}

/// Without DNA: a gene's embedding says how strongly it responds to what is near.
TEST_F(PositionBaselinesTest, GenesRespondByContact) {
  std::vector<Pair> train;
  std::vector<Pair> pairs;
  std::vector<float> rna;
  for (int g = 0; g < kGenes; ++g) rna.push_back(normal());
  const Dataset data = write(1, {{.beta = 1.0F}}, {.rna = rna});
  for (std::int32_t e = 0; e < kEnhancers - 5; ++e) {
    for (std::int32_t g = 0; g < kGenes; ++g) {
      Pair pair{.enhancer = e, .gene = g};
      pair.beta = rna[static_cast<std::size_t>(g)] * static_cast<float>(400 * contact(pair));
      (e % 3 == 0 ? pairs : train).push_back(pair);
    }
  }
  const auto b = fitted(data, starts_along_chr1(), train, pairs);
  EXPECT_LT(mse(named(b, "ridge_no_dna"), pairs), 0.05 * mse(named(b, "distance"), pairs));
}

/// Pairs of a gene at one locus share an effect that other loci do not: at new loci the gene's mean
/// says nothing, at the training loci nearly everything.
TEST_F(PositionBaselinesTest, GeneMeansCountAsMuchAsAtTheLociOfThePairs) {
  const Dataset data = write(kMostPooledFeatures + 1, {{.beta = 1.0F}});
  std::vector<Pair> train;
  std::vector<Pair> here;
  std::vector<Pair> elsewhere;
  for (std::int32_t g = 0; g < kGenes; ++g) {
    for (int place = 0; place < 2; ++place) {
      const std::int32_t first = 6 * ((g + 7 * place) % 19);
      const float effect = place == 0 ? normal() : 0.0F;
      for (std::int32_t e = first; e < first + 6; ++e) {
        Pair pair{.enhancer = e, .gene = g, .beta = effect + 0.1F * normal()};
        (place == 1 ? elsewhere : e == first ? here : train).push_back(pair);
      }
    }
  }
  const GeneStarts unknown{.of_gene = std::vector<std::optional<GeneStart>>(kGenes)};
  EXPECT_LT(mse(fitted(data, unknown, train, here).back(), here), 0.1);
  std::vector<Pair> only_new;
  std::vector<Pair> only_old = train;
  for (const Pair& pair : elsewhere) {
    if (locus_[static_cast<std::size_t>(pair.enhancer)] >= 15) only_new.push_back(pair);
  }
  std::erase_if(only_old, [&](const Pair& pair) {
    return locus_[static_cast<std::size_t>(pair.enhancer)] >= 15;
  });
  ASSERT_FALSE(only_new.empty());
  EXPECT_LT(mse(fitted(data, unknown, only_old, only_new).back(), only_new), 0.1);
}

TEST_F(PositionBaselinesTest, TheNearestGeneIsFoundAmongAll) {
  std::vector<Pair> pairs;
  for (std::int32_t e = 0; e < kEnhancers; ++e) {
    for (std::int32_t g = 0; g < kGenes; ++g) pairs.push_back({.enhancer = e, .gene = g});
  }
  const Dataset data = write(1, pairs);
  GeneStarts starts = starts_along_chr1();
  starts.of_gene[3].reset();
  starts.of_gene[7] = starts.of_gene[8];  // a tie: both are nearest
  const Places places = places_of(data, starts, pairs);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const Enhancer& enhancer = data.enhancers[static_cast<std::size_t>(pairs[i].enhancer)];
    const auto distance_to = [&](const std::optional<GeneStart>& start) {
      return !start || start->chrom != enhancer.chrom
                 ? std::numeric_limits<std::int64_t>::max()
                 : std::abs(enhancer.centre() - start->position);
    };
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (const auto& start : starts.of_gene) least = std::min(least, distance_to(start));
    const auto& start = starts.of_gene[static_cast<std::size_t>(pairs[i].gene)];
    const bool known = start && enhancer.chrom == "chr1";
    ASSERT_EQ(places[i].has_value(), known);
    if (!known) continue;
    EXPECT_EQ(places[i]->distance, distance_to(start));
    EXPECT_EQ(places[i]->nearest, distance_to(start) == least);
  }
}

TEST_F(PositionBaselinesTest, TwoMeansForTheNearestGeneAndTheOthers) {
  // Enhancer 0 (chr1:250) is nearest to gene 0, enhancer 118 is on chr2, where no gene starts.
  const std::vector<Pair> train{{.enhancer = 0, .gene = 0, .beta = -3.0F},
                                {.enhancer = 1, .gene = 0, .beta = -1.0F},
                                {.enhancer = 0, .gene = 9, .beta = 0.5F},
                                {.enhancer = 118, .gene = 0, .beta = 1.5F}};
  const Dataset data = write(1, train);
  const std::vector<Pair> pairs{
      {.enhancer = 6, .gene = 1}, {.enhancer = 6, .gene = 2}, {.enhancer = 117, .gene = 2}};
  const auto b = fitted(data, starts_along_chr1(), train, pairs);
  EXPECT_EQ(named(b, "nearest_gene").predictions, (std::vector<float>{-2.0F, 1.0F, 1.0F}));
  const std::vector<Pair> none{train.begin() + 2, train.end()};
  const auto of_none = fitted(data, starts_along_chr1(), none, pairs);
  EXPECT_EQ(named(of_none, "nearest_gene").predictions, std::vector<float>(3, 1.0F));
}

/// If a gene mean included the pair's own effect, the regression would learn to undo the shrinkage.
TEST_F(PositionBaselinesTest, TheGeneMeanIsThatOfTheOtherPairs) {
  double error_raw = 0;
  double error_ridge = 0;
  const Dataset data = write(kMostPooledFeatures + 1, {{.beta = 1.0F}});
  for (int world = 0; world < 20; ++world) {
    std::vector<Pair> train;
    std::vector<Pair> pairs;
    for (std::int32_t g = 0; g < kGenes; ++g) {
      const float effect = 0.5F * normal();
      for (int i = 0; i < 3; ++i) {
        train.push_back({.enhancer = below(kEnhancers), .gene = g, .beta = effect + normal()});
      }
      pairs.push_back({.enhancer = below(kEnhancers), .gene = g, .beta = effect});
    }
    const GeneStarts unknown{.of_gene = std::vector<std::optional<GeneStart>>(kGenes)};
    const auto b = fitted(data, unknown, train, pairs);
    EXPECT_EQ(b.back().name, "ridge_no_dna");  // too many features for the other
    error_ridge += mse(b.back(), pairs);
    error_raw += mse(named(gene_baselines(train, pairs), "gene_mean"), pairs);
  }
  // Raw means have a mean squared error of 1/3; the best possible is 1 / (1/0.25 + 3) = 1/7.
  EXPECT_LT(error_ridge, 0.7 * error_raw);
}

}  // namespace
}  // namespace cdt
