// How well each method's scores find planted sites (truth.json) and ignore the decoys.
#include <cmath>

#include "apps/attribute/sections.h"
#include "apps/common/tables.h"
#include "model/stats/bootstrap.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr SiteScores kUndefined{kNaN, kNaN, kNaN, kNaN, kNaN};

class TruthSection : public Section {
 public:
  explicit TruthSection(const SectionContext& context)
      : Section(context), truth_(*context.truth), bootstrap_{.seed = context.options.choice.seed} {
    for (Group* group : {&with_effect_, &without_effect_}) {
      group->by_method.resize(methods_.size());
      group->n.resize(methods_.size());
    }
  }

  void finish(AttributionSummary* summary) override {
    TruthScores& out = summary->truth_scores.emplace();
    static_cast<SiteScoreGroup&>(out) = scores_of(with_effect_);
    out.bootstrap = bootstrap_;
    out.zero_dna_left_out = without_dna_;
    out.without_effect = scores_of(without_effect_);
  }

  /// Prints the numbers of pairs with an effect.
  std::string text() const override {
    if (with_effect_.enhancers.empty()) return "";
    bool undefined = false;
    const auto cell = [&](std::size_t method, double SiteScores::*field) {
      const Estimate e = estimate(with_effect_, method, field);
      undefined = undefined || std::isnan(e.value) || !is_defined(e.interval);
      return "  " + number_cell(e.value, 5, 3) + " " + interval_cell(e.interval, 14, 3);
    };
    std::string out =
        cdt::text("finding the planted sites, %zu pairs with an effect (95 %% intervals)\n",
                  with_effect_.enhancers.size());
    out += cdt::text("%-20s %6s  %-20s  %-20s  %-20s  %-20s\n", "", "n", "AUROC causal",
                     "AUROC decoy", "causal over decoy", "precision at k");
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      out +=
          cdt::text("%-20s %6lld", methods_[m]->name, static_cast<long long>(with_effect_.n[m])) +
          cell(m, &SiteScores::causal_auroc) + cell(m, &SiteScores::decoy_auroc) +
          cell(m, &SiteScores::causal_over_decoy) + cell(m, &SiteScores::causal_precision) + "\n";
    }
    out += cdt::text("%-20s %6s  %-20.3f  %-20.3f  %-20.3f  %-20.3f\n", "by chance", "", 0.5, 0.5,
                     0.5, mean(with_effect_.chance_causal));
    if (undefined) {
      out +=
          "-: undefined; a score needs a window with a peak and bins both on and off the site, an "
          "interval pairs of two enhancers\n";
    }
    return out;
  }

 private:
  /// Pairs with, or without, an effect of the planted site.
  struct Group {
    std::vector<std::int32_t> enhancers;  // by pair
    std::vector<std::vector<SiteScores>>
        by_method;                // by method, then by pair; NaN for undefined windows
    std::vector<std::int64_t> n;  // defined windows, by method
    std::vector<double> chance_causal, chance_decoy;  // precision of random scores, by pair
  };

  /// Adds a pair; those that truth.json does not list, pairs without DNA and undefined windows are
  /// excluded.
  void add_pair(const EnhancerResult& result, std::size_t i) override {
    const PairNumbers& numbers = result.numbers[i];
    const std::optional<Planted> planted = planted_at(truth_, data_, numbers.pair);
    if (!planted) return;
    if (numbers.zero_dna) {
      ++without_dna_;
      return;
    }
    Group& group = planted->has_effect ? with_effect_ : without_effect_;
    group.enhancers.push_back(numbers.pair.enhancer);
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      const bool defined = numbers.windows[m].defined();
      group.n[m] += defined ? 1 : 0;
      group.by_method[m].push_back(
          defined ? site_scores(result.scores[i].windows[m], planted->sites) : kUndefined);
    }
    const auto bins = static_cast<double>(data_.bins);
    group.chance_causal.push_back(static_cast<double>(planted->sites.causal.size()) / bins);
    group.chance_decoy.push_back(static_cast<double>(planted->sites.decoy.size()) / bins);
  }

  Estimate estimate(const Group& group, std::size_t method, double SiteScores::*field) const {
    std::vector<double> values;
    for (const SiteScores& of_pair : group.by_method[method]) values.push_back(of_pair.*field);
    return mean_interval(values, group.enhancers, bootstrap_.seed).mean;
  }

  SiteScoreGroup scores_of(const Group& group) const {
    SiteScoreGroup out;
    out.pairs = std::ssize(group.enhancers);
    out.chance_causal_precision = mean(group.chance_causal);
    out.chance_decoy_precision = mean(group.chance_decoy);
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      const auto of = [&](double SiteScores::*field) { return estimate(group, m, field); };
      out.methods.push_back({methods_[m]->name,
                             {{group.n[m], out.pairs - group.n[m]},
                              {of(&SiteScores::causal_auroc), of(&SiteScores::causal_precision)},
                              {of(&SiteScores::decoy_auroc), of(&SiteScores::decoy_precision)},
                              of(&SiteScores::causal_over_decoy)}});
    }
    return out;
  }

  const Truth& truth_;
  BootstrapOptions bootstrap_;
  std::int64_t without_dna_ = 0;
  Group with_effect_, without_effect_;
};

}  // namespace

std::unique_ptr<Section> make_truth_scores(const SectionContext& context) {
  return std::make_unique<TruthSection>(context);
}

}  // namespace cdt
