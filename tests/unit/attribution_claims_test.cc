// Each conclusion of the page appears if its control allows it. It does not if any part of the
// control is missing, or for numbers that have another cause.
#include "apps/report/attribution_claims.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr Estimate kUndefined{kNaN, {kNaN, kNaN}};
constexpr ResampledP kFloor{0.0002, 0.0002, true};
constexpr ResampledP kLikely{0.6, 0.008, false};

/// The attribution that all claims are computed from.
struct Numbers {
  EdgePeaks edge;
  SharedTops tops;
  std::vector<ClassTest> classes;
  ForetoldEffects effects;
  std::vector<SiteFinding> sites;
};

/// A model that looks at the acting site, for the genes on which it acts.
Numbers true_effect() {
  return {{"gradient", 200, {0.04, {0.02, 0.07}}, 0.05, kLikely},
          {"attention", "gradient", 200, {2.2, {1.9, 2.6}}, 0.45, {1e-80}, kFloor},
          {{{3.0, {2.1, 4.0}}, 0.001}, {{0.06, {0.01, 0.2}}, 0.004}, {{1.4, {0.8, 2.0}}, 0.2}},
          {200, 0.4, 0.02, {0.3, 0.5}},
          {{"gradient", 200, {0.9, {0.8, 0.95}}, {0.85, {0.7, 0.9}}, {0.5, {0.4, 0.6}}},
           {"attention", 200, {0.6, {0.55, 0.65}}, {0.5, {0.4, 0.6}}, {0.6, {0.5, 0.7}}}}};
}

bool speaks(const Html& claim, const char* words) {
  return claim.code().find(words) != std::string::npos;
}

/// Expects none of the sentences that say that the scores mean something.
void expect_no_finding(const Numbers& n) {
  EXPECT_EQ(agreement_claim(n.tops).code(), "");
  EXPECT_EQ(enrichment_claim(n.classes, true).code(), "");
  EXPECT_EQ(foretelling_claim(n.effects).code(), "");
  EXPECT_EQ(site_claim(n.sites, true).code(), "");
  for (const SiteFinding& f : n.sites) EXPECT_EQ(gene_claim(f, true).code(), "");
}

/// Scores that carry no information about the effects.
Numbers no_effect() {
  return {{"gradient", 200, {0.06, {0.03, 0.09}}, 0.05, kLikely},
          {"attention", "gradient", 200, {0.5, {0.4, 0.6}}, 0.45, {0.3}, kLikely},
          {{{1.1, {0.8, 1.5}}, 0.7}, {{0.9, {0.6, 1.2}}, 0.8}},
          {200, 0.01, 0.02, {-0.05, 0.06}},
          {{"gradient", 200, {0.51, {0.45, 0.57}}, {0.49, {0.4, 0.6}}, {0.5, {0.44, 0.56}}}}};
}

TEST(ClaimsTest, ATrueEffectIsSaid) {
  const Numbers n = true_effect();
  EXPECT_EQ(edge_claim(n.edge).code(), "");
  EXPECT_TRUE(speaks(agreement_claim(n.tops), "attention and gradient agree beyond chance"));
  EXPECT_TRUE(speaks(enrichment_claim(n.classes, true), "1 test found more top bins on the class"));
  EXPECT_TRUE(speaks(enrichment_claim(n.classes, true), "1 test found fewer"));
  EXPECT_TRUE(speaks(enrichment_claim(n.classes, false), "class=\"unsaid\""));
  EXPECT_TRUE(speaks(foretelling_claim(n.effects), "predicts which bins matter"));
  EXPECT_TRUE(speaks(site_claim(n.sites, true), "gradient with AUROC 0.90 [0.80, 0.95]"));
  EXPECT_FALSE(speaks(site_claim(n.sites, true), "attention"));
  EXPECT_TRUE(speaks(gene_claim(n.sites[0], true), "differ by gene"));
  EXPECT_EQ(gene_claim(n.sites[1], true).code(), "");
}

TEST(ClaimsTest, EachSentenceIsMarkedByItsName) {
  Numbers n = true_effect();
  n.edge.share = {0.3, {0.2, 0.4}};
  n.edge.p = kFloor;
  const std::vector<std::pair<const char*, Html>> claims{
      {"uniform", uniform_claim({{850, {840, 860}}, 896})},
      {"edge-gradient", edge_claim(n.edge)},
      {"agreement", agreement_claim(n.tops)},
      {"enrichment", enrichment_claim(n.classes, true)},
      {"foretelling", foretelling_claim(n.effects)},
      {"sites", site_claim(n.sites, true)},
      {"site-genes", gene_claim(n.sites[0], true)},
      {"gene-rows", gene_rows_claim({0.999, 0.995, 1.0, 5})}};
  for (const auto& [name, claim] : claims) {
    const std::string mark = std::string("<span class=\"said\" data-claim=\"") + name + "\">";
    EXPECT_TRUE(speaks(claim, mark.c_str())) << name << ": " << claim.code();
  }
}

TEST(ClaimsTest, NothingIsSaidWithoutAnEffectOfDna) {
  expect_no_finding(no_effect());
  EXPECT_EQ(edge_claim(no_effect().edge).code(), "");
}

/// A method that prefers the own site of the genes of either class.
ClassFinding specific_scores() {
  return {"attention", 30, {0.8, {0.75, 0.85}}, {0.9, {0.85, 0.95}}, {0.7, {0.6, 0.8}}, 0.014};
}

TEST(SpecificClaim, IsSaidOnlyOfBothClassesAndIfTheModelUsesDna) {
  const ClassFinding good = specific_scores();
  EXPECT_TRUE(is_specific(good));
  EXPECT_TRUE(
      speaks(specific_claim(good, true), "class=\"said\" data-claim=\"specific-attention\""));
  EXPECT_TRUE(speaks(specific_claim(good, false), "class=\"unsaid\""));
  EXPECT_TRUE(speaks(specific_claim(good, false), "nothing here shows that the model uses DNA"));
  const auto unsaid = [](const ClassFinding& f) {
    EXPECT_FALSE(is_specific(f));
    EXPECT_TRUE(speaks(specific_claim(f, true), "class=\"unsaid\""));
    EXPECT_TRUE(speaks(specific_claim(f, true), "do not show"));
  };
  ClassFinding f = good;  // the same site for every gene, and more so for those of its class
  f.b = {0.3, {0.2, 0.4}};
  f.both = {0.6, {0.55, 0.65}};
  unsaid(f);
  f = good;  // an interval that reaches chance
  f.a.interval.low = 0.49;
  unsaid(f);
  f = good;
  f.both.interval = {kNaN, kNaN};
  unsaid(f);
  f = good;  // genes that differ, whatever their class
  f.p = 0.2;
  unsaid(f);
  f.p = kNaN;
  unsaid(f);
  f = {"attention", 30, {0.2, {0.15, 0.25}}, {0.1, {0.05, 0.15}}, {0.3, {0.2, 0.4}}, 1.0};
  unsaid(f);  // the site of the other class
}

TEST(SpecificClaim, NothingIsSaidOfFewWindows) {
  ClassFinding f = specific_scores();
  f.enhancers = 19;
  EXPECT_EQ(specific_claim(f, true).code(), "");
  EXPECT_FALSE(is_specific(f));
  EXPECT_EQ(specific_claim({"attention", 0, {}, {}, {}, kNaN}, true).code(), "");
}

// Of 200 pairs 130 have genes of one class, and a method that prefers their site for every gene
// finds "the causal site" on average.
TEST(SpecificClaim, OneSiteForEveryGeneIsNoFindingOfSites) {
  Numbers n = true_effect();
  EXPECT_NE(site_claim(n.sites, true).code(), "");
  for (SiteFinding& s : n.sites) s.for_each_class = false;
  EXPECT_EQ(site_claim(n.sites, true).code(), "");
  EXPECT_EQ(gene_claim(n.sites[0], true).code(), "");
}

// Bins have the same ranks for every gene, and the site is as high as the decoy.
TEST(ClaimsTest, NothingIsSaidOfAnEffectOfTheGeneOnly) {
  Numbers n = no_effect();
  n.sites = {{"gradient", 200, {0.6, {0.45, 0.7}}, {0.5, {0.42, 0.58}}, {0.6, {0.52, 0.7}}}};
  expect_no_finding(n);
}

// The model fits similar sites: causal and decoy are both high, by accident.
TEST(ClaimsTest, NothingIsSaidOfLabelNoise) {
  Numbers n = no_effect();
  n.sites = {{"gradient", 200, {0.8, {0.7, 0.9}}, {0.52, {0.4, 0.63}}, {0.3, {0.2, 0.4}}}};
  n.classes = {{{2.0, {0.7, 4.0}}, 0.04}, {{0.3, {0.1, 0.8}}, 0.06}};
  expect_no_finding(n);
}

// Many pairs of one enhancer: tests that count pairs give a small p, but there is no interval.
TEST(ClaimsTest, NothingIsSaidOfOneEnhancerManyTimes) {
  Numbers n = true_effect();
  const auto strip = [](Estimate* e) { e->interval = {kNaN, kNaN}; };
  n.edge = {"gradient", 200, {0.9, {kNaN, kNaN}}, 0.05, kFloor};
  strip(&n.tops.shared);
  for (ClassTest& c : n.classes) strip(&c.fold);
  n.effects.pearson_mean = {kNaN, kNaN};
  for (SiteFinding& f : n.sites) {
    for (Estimate* e : {&f.causal, &f.causal_over_decoy, &f.elsewhere}) strip(e);
  }
  expect_no_finding(n);
  EXPECT_EQ(edge_claim(n.edge).code(), "");
}

// Hardly any window has a peak.
TEST(ClaimsTest, NothingIsSaidOfASaturatedGradient) {
  for (const std::int64_t left : {0, 5}) {
    Numbers n = true_effect();
    n.edge = {"gradient", left, {0.9, {0.8, 1.0}}, 0.05, kFloor};
    n.tops.pairs = n.effects.pairs = left;
    n.classes.clear();
    for (SiteFinding& f : n.sites) f.pairs = left;
    if (left == 0) {
      n.edge.share = n.tops.shared = kUndefined;
      n.effects.mean = kNaN;
      n.edge.p = n.tops.hypergeometric = n.tops.shifted = {};
    }
    expect_no_finding(n);
    EXPECT_EQ(edge_claim(n.edge).code(), "");
  }
}

// Peaks at the edge of every window: two methods with such peaks share bins beyond chance, and
// their top bins avoid elements in the middle just as they would in any other window.
TEST(ClaimsTest, AnEdgeEffectIsSaidAndNoMore) {
  Numbers n = no_effect();
  n.edge = {"gradient", 200, {0.7, {0.6, 0.8}}, 0.05, kFloor};
  n.tops = true_effect().tops;
  n.tops.at_edge = true;
  n.classes = {{{0.1, {0.05, 0.2}}, 1.0}};
  EXPECT_TRUE(speaks(edge_claim(n.edge), "gradient peaks are in the outer 5\u202f%"));
  EXPECT_TRUE(speaks(edge_claim(n.edge), "two-sided p \u2264"));
  expect_no_finding(n);
}

template <class T>
void expect_silent_without(const T& allowed, Html (*claim)(const T&),
                           const std::vector<std::function<void(T*)>>& without) {
  EXPECT_FALSE(claim(allowed).empty());
  for (std::size_t i = 0; i < without.size(); ++i) {
    T changed = allowed;
    without[i](&changed);
    EXPECT_EQ(claim(changed).code(), "") << i;
  }
}

TEST(ClaimsTest, EveryPartOfAControlCounts) {
  expect_silent_without<EdgePeaks>(
      {"gradient", 20, {0.7, {0.6, 0.8}}, 0.05, {0.049}}, edge_claim,
      {[](auto* e) { e->windows = 19; }, [](auto* e) { e->share.interval.low = 0.04; },
       [](auto* e) { e->share.value = 0.01; }, [](auto* e) { e->p.p = 0.05; },
       [](auto* e) { e->p.p = kNaN; }, [](auto* e) { e->by_chance = kNaN; }});
  expect_silent_without<SharedTops>(
      true_effect().tops, agreement_claim,
      {[](auto* t) { t->pairs = 19; }, [](auto* t) { t->hypergeometric.p = 0.05; },
       [](auto* t) { t->shifted.p = 0.05; }, [](auto* t) { t->shifted = {}; },
       [](auto* t) {
         t->shared = {0.1, {0.0, 0.2}};
       },
       [](auto* t) { t->shared.interval.low = 0.4; }, [](auto* t) { t->at_edge = true; }});
  expect_silent_without<ForetoldEffects>(
      true_effect().effects, foretelling_claim,
      {[](auto* e) { e->pairs = 19; }, [](auto* e) { e->mean = 0.03; },
       [](auto* e) { e->shifted_sd = kNaN; }, [](auto* e) { e->pearson_mean.low = -0.1; }});
}

/// Two pairs per enhancer.
Attribution explained(std::int64_t enhancers) {
  Attribution out;
  for (std::int32_t e = 0; e < enhancers; ++e) {
    for (const std::int32_t gene : {0, 1}) {
      AttributedPair& pair = out.pairs.emplace_back();
      pair.enhancer = e;
      pair.gene = gene;
    }
  }
  return out;
}

TEST(ClaimsTest, ConclusionsNeedEnhancersAndTrainedGenes) {
  EXPECT_TRUE(can_conclude(explained(20)));
  EXPECT_FALSE(can_conclude(explained(19)));
  EXPECT_FALSE(can_conclude({}));
  Attribution a = explained(20);
  for (std::size_t i = 0; i < 20; ++i) a.pairs[i].untrained = true;
  EXPECT_TRUE(can_conclude(a)) << "half of the pairs";
  a.pairs[20].untrained = true;
  EXPECT_FALSE(can_conclude(a));
  a = explained(19);
  a.without_dna = explained(40).pairs;
  EXPECT_FALSE(can_conclude(a)) << "only windows with DNA count";
}

TEST(ClaimsTest, NumbersAreThoseOfTheSummary) {
  const auto test = [](double p) {
    NullTest out = no_test();
    out.p = p;
    out.p_error = 0.001;
    out.at_floor = p == 0.002;
    return out;
  };
  Attribution a = explained(kLeastEnhancers);
  for (const char* name : {"attention", "gradient"}) {
    MethodSummary& method = a.summary.methods.emplace_back(name, MethodSummary{}).second;
    method.edge_share = {0.5, {0.4, 0.6}};
    method.uniform.edge_share = test(0.002);
    method.shifted.edge_share = test(0.01);
  }
  std::int64_t& attention_peaks = a.summary.methods[0].second.n;
  std::int64_t& gradient_peaks = a.summary.methods[1].second.n;
  attention_peaks = 30;
  gradient_peaks = 7;
  a.summary.random.of.edge_share = 0.05;
  Agreement& both = a.summary.agreement.emplace_back();
  both.first = "attention";
  both.second = "gradient";
  both.n = 25;
  both.overlap = {2.0, {1.5, 2.5}};
  both.hypergeometric = no_test();
  both.hypergeometric.p = 0.01;
  both.hypergeometric.expectation = 0.5;
  both.shifted = test(0.002);
  const EdgePeaks edge = read_edge_peaks(a, "attention");
  EXPECT_EQ(edge.windows, 30);
  EXPECT_EQ(edge.share.value, 0.5);
  EXPECT_EQ(edge.share.interval.low, 0.4);
  EXPECT_EQ(edge.by_chance, 0.05);
  EXPECT_EQ(edge.p.p, 0.01) << "of the weaker null";
  EXPECT_EQ(edge.p.error, 0.001);
  const SharedTops tops = read_shared_tops(a, "attention", "gradient");
  EXPECT_EQ(tops.pairs, 25);
  EXPECT_EQ(tops.shared.interval.high, 2.5);
  EXPECT_EQ(tops.by_chance, 0.5);
  EXPECT_TRUE(std::isnan(tops.hypergeometric.error));
  EXPECT_TRUE(tops.shifted.at_floor);
  EXPECT_FALSE(tops.at_edge) << "seven gradient windows show nothing";
  EXPECT_FALSE(agreement_claim(tops).empty());
  gradient_peaks = 30;
  EXPECT_TRUE(read_shared_tops(a, "attention", "gradient").at_edge);
}

TEST(ClaimsTest, NumbersOfFewEnhancersAreOfNoWindow) {
  for (const std::int64_t enhancers : {kLeastEnhancers, kLeastEnhancers - 1}) {
    Attribution a = explained(enhancers);
    a.summary.methods = {{"attention", {}}, {"gradient", {}}};
    a.summary.methods[0].second.n = 30;
    Agreement& both = a.summary.agreement.emplace_back();
    both.first = "attention";
    both.second = "gradient";
    both.n = 25;
    const bool enough = enhancers == kLeastEnhancers;
    EXPECT_EQ(read_edge_peaks(a, "attention").windows, enough ? 30 : 0);
    EXPECT_EQ(read_shared_tops(a, "attention", "gradient").pairs, enough ? 25 : 0);
  }
}

// An untrained model prefers one of the two motifs, in every window alike.
TEST(ClaimsTest, NoSiteIsFoundByAModelWithoutUseOfDna) {
  const Numbers n = true_effect();
  const Html sites = site_claim(n.sites, false);
  EXPECT_TRUE(speaks(sites, "<span class=\"unsaid\" data-claim=\"sites\">")) << sites.code();
  EXPECT_TRUE(speaks(sites, "nothing here shows that the model uses DNA"));
  EXPECT_EQ(gene_claim(n.sites[0], false).code(), "");
  EXPECT_EQ(site_claim(no_effect().sites, false).code(), "");
}

TEST(ClaimsTest, ASiteThatIsFoundForEveryGene) {
  SiteFinding f = true_effect().sites[0];
  f.elsewhere = {0.88, {0.8, 0.93}};
  EXPECT_TRUE(speaks(gene_claim(f, true),
                     "as far as these pairs tell, they do not show on which gene it acts"));
  EXPECT_TRUE(speaks(gene_claim(f, true), "<span class=\"unsaid\" data-claim=\"site-genes\">"));
  f.elsewhere = kUndefined;
  EXPECT_EQ(gene_claim(f, true).code(), "");
}

TEST(ClaimsTest, UniformAttention) {
  EXPECT_TRUE(speaks(uniform_claim({{850, {840, 860}}, 896}), "850 of 896"));
  EXPECT_TRUE(speaks(uniform_claim({{850, {840, 860}}, 896}),
                     "averaged over the explained pairs with DNA, "));
  EXPECT_FALSE(uniform_claim({{850, {kNaN, kNaN}}, 896}).empty()) << "of the windows at hand";
  EXPECT_EQ(uniform_claim({{850, {700, 890}}, 896}).code(), "");
  EXPECT_EQ(uniform_claim({{800, {790, 806}}, 896}).code(), "");
  EXPECT_EQ(uniform_claim({kUndefined, 896}).code(), "");
  EXPECT_EQ(uniform_claim({{1, {1, 1}}, 1}).code(), "");
}

// If attention is the same in all bins, its windows have no peak but are uniform.
TEST(ClaimsTest, EqualWindowsAreUniform) {
  Attribution a;
  MethodSummary& numbers = a.summary.methods.emplace_back("attention", MethodSummary{}).second;
  numbers.why.equal = 12;
  EXPECT_EQ(read_spread(a, 40).effective_bins.value, 40.0);
  EXPECT_FALSE(uniform_claim(read_spread(a, 40)).empty());
  numbers.n = 12;
  numbers.effective_bins = {10.0, {8.0, 12.0}};
  numbers.why.equal = 4;
  EXPECT_EQ(read_spread(a, 40).effective_bins.value, (12 * 10.0 + 4 * 40.0) / 16);
  EXPECT_EQ(read_spread(a, 40).effective_bins.interval.low, (12 * 8.0 + 4 * 40.0) / 16);
  numbers.n = numbers.why.equal = 0;
  EXPECT_TRUE(std::isnan(read_spread(a, 40).effective_bins.value)) << "no window at all";
}

TEST(ClaimsTest, RowsOfGenesThatAreAlike) {
  const GeneRows alike{0.999, 0.995, 1.0, 5};
  EXPECT_FALSE(gene_rows_claim(alike).empty());
  EXPECT_EQ(gene_rows_claim({0.999, 0.98, 0.95, 5}).code(), "");
  EXPECT_EQ(gene_rows_claim({0.999, 0.995, 1.0, 4}).code(), "");
  EXPECT_EQ(gene_rows_claim({kNaN, kNaN, kNaN, 5}).code(), "");
}

}  // namespace
}  // namespace cdt
