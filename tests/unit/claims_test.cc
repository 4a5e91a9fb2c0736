// What an evaluation may claim: each sentence appears exactly if its numbers allow it.
#include "apps/evaluation/claims.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/random.h"
#include "model/stats/statistics.h"
#include "tests/support/evaluated.h"

namespace cdt {
namespace {

constexpr Estimate kAbove{0.2, {0.1, 0.3}}, kAround{0.1, {-0.1, 0.2}}, kBelow{-0.2, {-0.3, -0.1}},
    kNone{kNaN, {kNaN, kNaN}};

/// Numbers that allow a claim about DNA.
DnaEvidence dna() {
  return {.split = "test",
          .pairs = 200,
          .loci = {80, 80},
          .r = {0.4, {0.3, 0.5}},
          .over_shuffled = kAbove,
          .over_mean = kAbove};
}

/// Numbers of a model whose r exceeds that of a baseline by `over`.
BaselineEvidence baseline(const Estimate& over, const char* split = "test") {
  return {.split = split,
          .label = "gene mean",
          .pairs = 200,
          .loci = {80, 80},
          .pearson = 0.5,
          .over = over};
}

bool holds(const Claim& claim, const std::string& words) {
  return claim.text.find(words) != std::string::npos;
}

TEST(DnaClaimTest, SpeaksWhereBothControlsLose) {
  const Claim claim = dna_claim(dna());
  EXPECT_TRUE(claim.said);
  EXPECT_EQ(claim.text,
            "r loses 0.200 [0.100, 0.300] when each enhancer is given another's DNA, and 0.200 "
            "[0.100, 0.300] when all are given one mean window: DNA adds something.");
}

TEST(DnaClaimTest, SilentWithoutAnEffectOfDna) {
  for (Estimate DnaEvidence::*control : {&DnaEvidence::over_shuffled, &DnaEvidence::over_mean}) {
    for (const Estimate& gain : {kAround, kBelow, Estimate{0.1, {0.0, 0.2}}}) {
      DnaEvidence e = dna();
      e.*control = gain;
      EXPECT_FALSE(dna_claim(e).said);
      EXPECT_TRUE(holds(dna_claim(e), "nothing here shows that the model uses DNA"));
    }
  }
  DnaEvidence worse = dna();  // worse than no model, although its controls are worse still
  worse.r = {0.02, {-0.18, 0.2}};
  EXPECT_FALSE(dna_claim(worse).said);
  EXPECT_TRUE(holds(dna_claim(worse), "r itself, 0.020 [-0.180, 0.200], is not above 0"));
  worse.r = kNone;
  EXPECT_FALSE(dna_claim(worse).said);
}

TEST(DnaClaimTest, SilentOnASplitThatMadeTheModel) {
  for (const char* split : {"val", "train"}) {
    DnaEvidence e = dna();
    e.split = split;
    EXPECT_FALSE(dna_claim(e).said);
    EXPECT_FALSE(holds(dna_claim(e), "DNA adds something"));
  }
}

TEST(DnaClaimTest, SilentAboutLociThatWereTrainedOn) {
  DnaEvidence unknown = dna();
  unknown.has_train = false;
  EXPECT_FALSE(dna_claim(unknown).said);
  EXPECT_TRUE(holds(dna_claim(unknown), "may have been trained on"));
  const std::vector<Pair> pairs = {{Split::kTest, 0, 0, 0.1F, -1}, {Split::kTest, 1, 1, 0.4F, -1}};
  const ControlSource controls = [](const std::vector<Pair>& /*pairs*/) {
    return ControlPredictions{{{0.3F, 0.2F}}, {0.2F, 0.2F}, {0.2F, 0.3F}};
  };
  const auto has_train = [&](const std::vector<Pair>& train) {
    return dna_evidence(test::evaluated(pairs, {0.2F, 0.3F}, train, kNaN, 10, controls)).has_train;
  };
  EXPECT_FALSE(has_train({}));
  EXPECT_TRUE(has_train(pairs));
  DnaEvidence e = dna();
  e.left_out = 300;
  e.pairs = 0;
  e.loci = {};
  EXPECT_FALSE(dna_claim(e).said);
  EXPECT_TRUE(holds(dna_claim(e), "No pair here is of a trained gene at a locus that had"));
  e.pairs = 40;
  e.loci = {20, 20};
  EXPECT_TRUE(dna_claim(e).said);
  EXPECT_EQ(
      dna_claim(e).text.rfind(
          "Over the 40 pairs of trained genes at loci that had no part in training, r loses", 0),
      0U);
}

TEST(ClaimTest, SilentOfAModelThatMayHaveBeenTrainedOnThesePairs) {
  for (const auto& [trained_here, reason] :
       {std::pair(TrainedHere::kNo, "; but the model was trained or chosen on other pairs"),
        {TrainedHere::kUnknown, "; but the model file does not say which pairs"}}) {
    DnaEvidence d = dna();
    BaselineEvidence b = baseline(kAbove);
    GeneEvidence g{"test", {80, 80}, 0.5, kAbove};
    EXPECT_TRUE(dna_claim(d).said && baseline_claim(b).said && gene_claim(g).said);
    d.trained_here = b.trained_here = g.trained_here = trained_here;
    for (const Claim& claim : {dna_claim(d), baseline_claim(b), gene_claim(g)}) {
      EXPECT_FALSE(claim.said);
      EXPECT_TRUE(holds(claim, reason)) << claim.text;
    }
  }
}

TEST(DnaClaimTest, SilentAboutFewLoci) {
  constexpr double kEnough = kLeastLoci;
  DnaEvidence e = dna();
  e.loci = {kLeastLoci, kEnough};
  EXPECT_TRUE(dna_claim(e).said);
  // Many loci are few if one of them holds most pairs.
  for (const LociCount& few : {LociCount{kLeastLoci - 1, kEnough - 1}, LociCount{97, 2.77}}) {
    e.loci = few;
    EXPECT_FALSE(dna_claim(e).said);
    BaselineEvidence b = baseline(kAbove);
    b.loci = few;
    EXPECT_FALSE(baseline_claim(b).said);
    EXPECT_FALSE(gene_claim({"test", few, 0.5, kAbove}).said);
  }
  EXPECT_TRUE(holds(dna_claim(e),
                    "; but these pairs are of 97 loci (effective number 2.8), and fewer than 20"));
}

TEST(LociCountTest, UnequalLociCountLess) {
  const std::vector<std::int32_t> equal{4, 9, 4, 9, 7, 7};
  EXPECT_EQ(count_loci(equal).number, 3);
  EXPECT_EQ(count_loci(equal).effective, 3.0);
  EXPECT_EQ(loci_text(count_loci(equal)), "3 loci");
  const std::vector<std::int32_t> unequal{1, 1, 1, 1, 1, 1, 2, 2, 3, 3};
  EXPECT_DOUBLE_EQ(count_loci(unequal).effective, 100.0 / (36 + 4 + 4));
  EXPECT_EQ(loci_text(count_loci(unequal)), "3 loci (effective number 2.3)");
  EXPECT_EQ(count_loci({}).number, 0);
  EXPECT_EQ(count_loci({}).effective, 0.0);
  EXPECT_EQ(loci_text({1, 1}), "1 locus");
}

TEST(DnaClaimTest, SilentWithoutAnInterval) {
  DnaEvidence e = dna();
  e.over_shuffled = kNone;
  EXPECT_FALSE(dna_claim(e).said);
  EXPECT_TRUE(holds(dna_claim(e), "cannot be said"));
}

TEST(BaselineClaimTest, SpeaksOnlyAboveZeroAndOnATest) {
  EXPECT_TRUE(baseline_claim(baseline(kAbove)).said);
  EXPECT_FALSE(baseline_claim(baseline(kAbove, "val")).said);
  EXPECT_FALSE(baseline_claim(baseline(kNone)).said);
  const Claim equal = baseline_claim(baseline(kAround));
  EXPECT_FALSE(equal.said);
  EXPECT_TRUE(holds(equal, "does not beat the baseline"));
  const Claim worse = baseline_claim(baseline(kBelow, "val"));
  EXPECT_FALSE(worse.said);
  EXPECT_TRUE(holds(worse, "predicts worse than the baseline"));
}

TEST(BaselineClaimTest, SilentWhereNothingIsBeaten) {
  BaselineEvidence e = baseline(kAbove);
  e.mse = e.baseline_mse = 0.02;
  EXPECT_TRUE(baseline_claim(e).said);
  e.mse = 0.0398;  // a higher r means little if the predictions are far off
  e.baseline_mse = 0.0032;
  EXPECT_FALSE(baseline_claim(e).said);
  EXPECT_TRUE(holds(baseline_claim(e), "its mean squared error is larger, 0.04 against 0.0032"));
  e = baseline(kAbove);
  e.pearson = -0.1;
  EXPECT_FALSE(baseline_claim(e).said);
  e = baseline(kAbove);
  e.has_r = false;
  EXPECT_EQ(
      baseline_claim(e).text,
      "No baseline has an r above 0; the model's is 0.200 [0.100, 0.300]: the model beats the "
      "baseline.");
  e = baseline(kAbove);
  e.pairs = 0;
  EXPECT_FALSE(baseline_claim(e).said);
}

TEST(GeneClaimTest, SpeaksOnlyWherePredictionsMove) {
  EXPECT_TRUE(gene_claim({"test", {80, 80}, 0.5, kAbove}).said);
  EXPECT_FALSE(gene_claim({"val", {80, 80}, 0.5, kAbove}).said);
  EXPECT_FALSE(gene_claim({"test", {80, 80}, 0.5, kAround}).said);
  const Claim none = gene_claim({"test", {80, 80}, 1.2e-6, {0.0, {0.0, 1e-9}}});
  EXPECT_FALSE(none.said);
  EXPECT_TRUE(holds(none, "by at most 2e-06"));
  EXPECT_TRUE(holds(none, "knows a gene only by its output column"));
  EXPECT_TRUE(holds(gene_claim({"test", {80, 80}, 0.0, kNone, TrainedHere::kYes, true}),
                    "the genes' embeddings play no part"));
}

TEST(PositionsTest, EachExtensionThatKnowsPlacesIsNamed) {
  const auto says = [](const char* extensions, const char* words) {
    return about_positions({"", "", extensions}).find(words) != std::string::npos;
  };
  EXPECT_TRUE(says("gene readout", "no positional encoding"));
  EXPECT_TRUE(says("gene readout, bin position", "how far each bin is"));
  EXPECT_FALSE(says("gene readout, bin position", "no positional encoding"));
  EXPECT_TRUE(says("gene position", "may come from that distance alone"));
  EXPECT_FALSE(says("bin position, gene window", "distance alone"));
  EXPECT_TRUE(says("bin position, gene window", "a second window around each gene's start"));
}

/// 48 enhancers with 2 genes each, the first 24 in train.
struct World {
  std::vector<Pair> train, test;
  std::vector<float> predictions;
  std::vector<Pair> chose;
  Fingerprint fingerprint;
  bool ranks = false;
  std::function<double(std::int32_t, std::int32_t)> predicted;

  /// effect and prediction are functions of the enhancer, the gene and a standard normal number.
  template <class Effect, class Prediction>
  World(std::uint64_t seed, const Effect& effect, const Prediction& prediction)
      : predicted(prediction) {
    RandomStream random(seed, 1);
    for (std::int32_t i = 0; i < 96; ++i) {
      const std::int32_t e = i / 2;
      const std::int32_t g = i % 2;
      const auto beta = static_cast<float>(effect(e, g, random.normal()));
      if (e < 24) {
        train.push_back({Split::kTrain, e, g, beta, -1});
        continue;
      }
      test.push_back({Split::kTest, e, g, beta, -1});
      predictions.push_back(static_cast<float>(prediction(e, g)));
    }
  }

  /// Two draws: each enhancer gets the DNA of the next one among the pairs, or of the one after
  /// that.
  ControlPredictions controls(const std::vector<Pair>& pairs) const {
    const std::vector<std::int32_t> enhancers = distinct_enhancers(pairs);
    ControlPredictions out;
    out.shuffled_dna.resize(2);
    for (const Pair& pair : pairs) {
      const auto own = static_cast<std::size_t>(
          std::lower_bound(enhancers.begin(), enhancers.end(), pair.enhancer) - enhancers.begin());
      for (std::size_t draw = 0; draw < 2; ++draw) {
        const std::int32_t other = enhancers[(own + draw + 1) % enhancers.size()];
        out.shuffled_dna[draw].push_back(static_cast<float>(predicted(other, pair.gene)));
      }
      out.mean_dna.push_back(static_cast<float>(predicted(-1, pair.gene)));
      out.shuffled_genes.push_back(static_cast<float>(predicted(pair.enhancer, 1 - pair.gene)));
    }
    return out;
  }

  Evaluation evaluation() const {
    const ControlSource source = [this](const std::vector<Pair>& pairs) { return controls(pairs); };
    return test::evaluated(test, predictions, train, kNaN, 400, source, chose, fingerprint, ranks);
  }
  Claim dna(const char* split = "test") const {
    Evaluation e = evaluation();
    e.split = split;
    return dna_claim(dna_evidence(e));
  }
  Claim baseline() const { return baseline_claim(baseline_evidence(evaluation())); }
};

/// The effect that an enhancer's DNA implies; for the mean window it is 0.
double of_dna(std::int32_t enhancer) {
  return enhancer < 0 ? 0.0 : static_cast<double>(enhancer * 7 % 13) / 6.0 - 1.0;
}

TEST(EvidenceTest, WithoutControlsNothingIsSaidOfDna) {
  const World world(
      3, [](auto e, auto g, double noise) { return of_dna(e) + g + 0.3 * noise; },
      [](auto e, auto g) { return of_dna(e) + g; });
  Evaluation e = test::evaluated(world.test, world.predictions, world.train, kNaN, 400);
  e.split = "test";
  const std::vector<NamedClaim> claims = claims_of(e);
  EXPECT_EQ(claims.front().name, "dna");
  EXPECT_FALSE(claims.front().claim.said);
  for (const NamedClaim& c : claims) EXPECT_NE(c.name, "genes");
}

TEST(EvidenceTest, ModelThatReadsDnaIsHeard) {
  const World world(
      3, [](auto e, auto g, double noise) { return of_dna(e) + g + 0.3 * noise; },
      [](auto e, auto g) { return of_dna(e) + g; });
  EXPECT_TRUE(world.dna().said) << world.dna().text;
  EXPECT_FALSE(world.dna("val").said);
}

TEST(EvidenceTest, WhatTheModelFileSaysOfThePairsCounts) {
  const World world(
      3, [](auto e, auto g, double noise) { return of_dna(e) + g + 0.3 * noise; },
      [](auto e, auto g) { return of_dna(e) + g; });
  Evaluation e = world.evaluation();
  e.split = "test";
  const auto said = [&](std::size_t i) { return claims_of(e)[i].claim.said; };
  EXPECT_TRUE(said(0) && said(1));
  for (const TrainedHere other : {TrainedHere::kNo, TrainedHere::kUnknown}) {
    e.trained_here = other;
    EXPECT_FALSE(said(0) || said(1) || said(2));
  }
}

TEST(EvidenceTest, GeneAloneIsNoDna) {
  // The model separates genes well; its DNA changes predictions without improving them.
  const World world(
      4, [](auto /*e*/, auto g, double noise) { return g + 0.3 * noise; },
      [](auto e, auto g) { return g + 0.1 * of_dna(e); });
  EXPECT_FALSE(world.dna().said) << world.dna().text;
}

TEST(EvidenceTest, NoiseAloneIsNothing) {
  const World world(
      5, [](auto /*e*/, auto /*g*/, double noise) { return noise; },
      [](auto e, auto g) { return of_dna(e) + g; });
  EXPECT_FALSE(world.dna().said) << world.dna().text;
}

TEST(EvidenceTest, EnhancersOfTrainAreNoTest) {
  World world(
      3, [](auto e, auto g, double noise) { return of_dna(e) + g + 0.3 * noise; },
      [](auto e, auto g) { return of_dna(e) + g; });
  world.train.insert(world.train.end(), world.test.begin(), world.test.end());
  EXPECT_FALSE(world.dna().said);
  EXPECT_TRUE(holds(world.dna(), "No pair here is of a trained gene")) << world.dna().text;
  EXPECT_FALSE(world.baseline().said);
  EXPECT_TRUE(holds(world.baseline(), "No pair here is")) << world.baseline().text;
}

// The model knows the effects of three enhancers that are in train too, and nothing about the
// others.
TEST(EvidenceTest, WhatIsKnownByHeartBeatsNoBaseline) {
  World world(
      7, [](auto /*e*/, auto /*g*/, double noise) { return noise; },
      [](auto e, auto g) { return of_dna(e) + g; });
  const World alike = world;
  EXPECT_FALSE(alike.baseline().said) << alike.baseline().text;
  for (std::size_t i = 0; i < 6; ++i) {
    world.train.push_back(world.test[i]);
    world.predictions[i] = 20.0F * world.test[i].beta;
  }
  EXPECT_FALSE(world.baseline().said) << world.baseline().text;
  EXPECT_TRUE(holds(world.baseline(), "of trained genes at loci that had no part in training") ||
              holds(world.baseline(), "no baseline has an r above 0"))
      << world.baseline().text;
}

TEST(EvidenceTest, LociThatChoseTheModelAreNoTest) {
  World world(
      3, [](auto e, auto g, double noise) { return of_dna(e) + g + 0.3 * noise; },
      [](auto e, auto g) { return of_dna(e) + g; });
  world.chose = {world.test.begin(), world.test.begin() + 8};
  EXPECT_TRUE(holds(world.dna(), "Over the 40 pairs of trained genes")) << world.dna().text;
  world.chose = world.test;
  EXPECT_FALSE(world.dna().said) << world.dna().text;
}

// Memorised effects spread its predictions, which carry no information where it learnt nothing.
TEST(EvidenceTest, DnaOfKnownLociIsNoMeasureForNewOnes) {
  for (std::uint64_t seed = 11; seed < 15; ++seed) {
    World world(
        seed, [](auto /*e*/, auto /*g*/, double noise) { return noise; },
        [](auto e, auto g) { return (e >= 45 ? 30.0 * of_dna(e) : of_dna(e + 1)) + g; });
    for (const Pair& pair : world.test) {
      if (pair.enhancer >= 45) world.train.push_back(pair);
    }
    EXPECT_FALSE(world.dna().said) << world.dna().text;
  }
}

TEST(EvidenceTest, UntrainedGenesAreNoTest) {
  World world(
      3, [](auto e, auto g, double noise) { return of_dna(e) + g + 0.3 * noise; },
      [](auto e, auto g) { return of_dna(e) + g; });
  std::erase_if(world.train, [](const Pair& pair) { return pair.gene == 1; });
  EXPECT_TRUE(world.dna().said) << world.dna().text;
  EXPECT_TRUE(holds(world.dna(), "Over the 24 pairs of trained genes")) << world.dna().text;
  for (Pair& pair : world.test) pair.gene = 1;
  EXPECT_FALSE(world.dna().said) << world.dna().text;
  EXPECT_FALSE(world.baseline().said) << world.baseline().text;
}

TEST(EvidenceTest, UntrainedGenesTestTheGeneReadout) {
  World world(
      3, [](auto e, auto g, double noise) { return of_dna(e) + g + 0.3 * noise; },
      [](auto e, auto g) { return of_dna(e) + g; });
  world.fingerprint.extensions = kGeneReadout;
  std::erase_if(world.train, [](const Pair& pair) { return pair.gene == 1; });
  for (Pair& pair : world.test) pair.gene = 1;
  EXPECT_TRUE(world.dna().said) << world.dna().text;
  world.chose = {world.test.begin(), world.test.begin() + 4};
  EXPECT_TRUE(holds(world.dna(), "Over the 44 pairs at loci that")) << world.dna().text;
  world.chose = world.test;
  EXPECT_TRUE(holds(world.dna(), "No pair here is at a locus that")) << world.dna().text;
}

// Scores of ranks have another unit than the effects, so their errors mean nothing.
TEST(EvidenceTest, RanksAreJudgedByCorrelationAlone) {
  World world(
      3, [](auto e, auto g, double noise) { return of_dna(e) + g + 0.3 * noise; },
      [](auto e, auto g) { return 50.0 * (of_dna(e) + g); });
  EXPECT_TRUE(holds(world.baseline(), "mean squared error is larger")) << world.baseline().text;
  world.ranks = true;
  EXPECT_TRUE(world.baseline().said) << world.baseline().text;
  const Evaluation e = world.evaluation();
  for (const double size : {e.model.metrics.r2, e.model.metrics.mse, e.model.metrics.mae,
                            e.model.calibration_slope.value, e.gain.mse, e.controls->mean_dna.r2,
                            e.controls->shuffled_dna->r2}) {
    EXPECT_TRUE(std::isnan(size)) << size;
  }
  EXPECT_GT(e.model.metrics.pearson, 0.5);
  EXPECT_FALSE(std::isnan(e.baselines.front().score.metrics.mse));
}

TEST(EvidenceTest, NewLociAreJudgedWithoutTheKnown) {
  World world(
      3, [](auto e, auto g, double noise) { return of_dna(e) + g + 0.3 * noise; },
      [](auto e, auto g) { return of_dna(e) + g; });
  EXPECT_TRUE(world.baseline().said) << world.baseline().text;
  for (std::size_t i = 0; i < 6; ++i) {
    world.train.push_back(world.test[i]);
    world.predictions[i] = -20.0F * world.test[i].beta;
  }
  EXPECT_TRUE(world.baseline().said) << world.baseline().text;
}

TEST(EvidenceTest, SaturatedModelHasNothingToLose) {
  const World world(
      6, [](auto e, auto g, double noise) { return of_dna(e) + g + 0.3 * noise; },
      [](auto /*e*/, auto g) { return 2.0 * g; });
  EXPECT_FALSE(world.dna().said) << world.dna().text;
}

}  // namespace
}  // namespace cdt
