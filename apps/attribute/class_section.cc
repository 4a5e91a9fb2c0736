// Whether windows depend on the class of the gene, in a data set whose genes have two classes, each
// with a site of its own in every window (truth.json, version 2).
#include <algorithm>
#include <cmath>
#include <set>

#include "apps/attribute/sections.h"
#include "apps/common/tables.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr std::int64_t kPermutations = 999;

class ClassSection : public Section {
 public:
  explicit ClassSection(const SectionContext& context)
      : Section(context),
        truth_(*context.truth),
        scores_(methods_.size()),
        alike_(methods_.size()) {}

  /// Takes the pairs whose gene and sites truth.json lists, whether or not it lists the pair.
  void add(const EnhancerResult& result) override {
    if (result.zero_dna) return;
    std::vector<Classed> classed;
    std::set<std::int32_t> genes;
    for (std::size_t i = 0; i < result.pairs.size(); ++i) {
      const Pair& pair = result.pairs[i];
      const std::string& gene = gene_of(data_, pair);
      std::optional<TruthSites> sites = truth_.sites_for(enhancer_of(data_, pair).name, gene);
      if (!sites || !genes.insert(pair.gene).second) continue;
      const bool of_second = truth_.classes.at(gene) == GeneClass::kB;
      (of_second ? genes_b_ : genes_a_).insert(pair.gene);
      classed.push_back({i, of_second, std::move(*sites)});
    }
    for (std::size_t m = 0; m < methods_.size(); ++m) add_method(result, classed, m);
    const auto count = [&](bool second) {
      return std::count_if(classed.begin(), classed.end(),
                           [&](const Classed& c) { return c.of_second == second; });
    };
    out_.enhancers += count(false) > 0 && count(true) > 0 ? 1 : 0;
  }

  void finish(AttributionSummary* summary) override {
    const std::uint64_t seed = context_.options.choice.seed;
    out_.genes_a = std::ssize(genes_a_);
    out_.genes_b = std::ssize(genes_b_);
    out_.permutations = kPermutations;
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      out_.methods.push_back(
          {methods_[m]->name,
           {own_over_other(scores_[m], kPermutations, seed), alikeness_by_class(alike_[m], seed)}});
    }
    summary->gene_classes = out_;
  }

  std::string text() const override {
    if (out_.enhancers == 0) {
      return "no window was explained for genes of both classes, so nothing shows whether scores "
             "depend on the gene\n";
    }
    const auto cell = [](const Estimate& e) {
      return "  " + number_cell(e.value, 6, 3) + " " + interval_cell(e.interval, 16, 3);
    };
    std::string out = cdt::text(
        "gene's own site over the other, %lld windows explained for genes of both classes\n",
        static_cast<long long>(out_.enhancers));
    out += cdt::text("%-20s %6s  %-23s  %7s  %-23s  %-23s\n", "AUROC and r (95 %)", "n",
                     "own over other", "p", "r, same class", "r, same minus other");
    for (const auto& [name, m] : out_.methods) {
      out += cdt::text("%-20s %6lld", name.c_str(), static_cast<long long>(m.own.enhancers)) +
             cell(m.own.both) + "  " + p_cell(m.own.p, 7) + cell(m.alike.same) +
             cell(m.alike.difference) + "\n";
    }
    return out + cdt::text("%-20s %6s  %6.3f\n", "by chance", "", 0.5);
  }

 private:
  /// An explained pair whose gene has a class.
  struct Classed {
    std::size_t place = 0;  // in the result
    bool of_second = false;
    TruthSites sites;  // as they are for the gene
  };

  void add_method(const EnhancerResult& result, const std::vector<Classed>& classed,
                  std::size_t method) {
    WindowAlikeness alike;
    std::vector<std::pair<bool, std::vector<double>>> windows;  // class, and the defined window
    for (const Classed& c : classed) {
      if (!result.numbers[c.place].windows[method].defined()) continue;
      const std::vector<float>& window = result.scores[c.place].windows[method];
      const double own = site_scores(window, c.sites).causal_over_decoy;
      if (!std::isnan(own)) {
        const Pair& pair = result.pairs[c.place];
        scores_[method].push_back(
            {pair.enhancer, pair.gene, c.of_second, c.of_second ? 1.0 - own : own});
      }
      std::vector<double> magnitudes;
      for (const float score : window) magnitudes.push_back(std::fabs(score));
      for (const auto& [of_second, before] : windows) {
        const double r = pearson(before, magnitudes);
        const bool same = of_second == c.of_second;
        alike.add({same ? r : 0.0, same ? 1.0 : 0.0, same ? 0.0 : r, same ? 0.0 : 1.0});
      }
      windows.emplace_back(c.of_second, std::move(magnitudes));
    }
    if (windows.size() > 1) alike_[method].push_back(alike);
  }

  const Truth& truth_;
  std::vector<std::vector<ClassedScore>> scores_;    // by method
  std::vector<std::vector<WindowAlikeness>> alike_;  // by method, then by enhancer
  std::set<std::int32_t> genes_a_, genes_b_;
  GeneClassScores out_;
};

}  // namespace

std::unique_ptr<Section> make_gene_classes(const SectionContext& context) {
  return std::make_unique<ClassSection>(context);
}

}  // namespace cdt
