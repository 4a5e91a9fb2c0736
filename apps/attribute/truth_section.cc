// How well each method's scores find planted sites (truth.json) and pass over the decoys.
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/attribute/sections.h"
#include "apps/common/tables.h"
#include "model/stats/bootstrap.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

constexpr SiteScores kUndefined{kNaN, kNaN, kNaN, kNaN, kNaN};

class TruthSection : public Section {
 public:
  explicit TruthSection(const SectionContext& context)
      : data_(context.data),
        truth_(*context.truth),
        methods_(context.methods),
        bootstrap_{.seed = context.options.choice.seed} {
    for (Group* group : {&with_effect_, &without_effect_}) {
      group->by_method.resize(methods_.size());
      group->n.resize(methods_.size());
    }
  }

  /// Pairs that truth.json does not list, pairs without DNA and undefined windows are left out.
  void add(const EnhancerResult& result) override {
    for (std::size_t i = 0; i < result.pairs.size(); ++i) {
      add_pair(result.numbers[i], result.scores[i]);
    }
  }

  void finish(Json* summary) override {
    Json out = {{"k", "number of causal bins of the window"},
                {"interval",
                 {{"level", bootstrap_.level},
                  {"bootstrap_over", "enhancers"},
                  {"replicates", bootstrap_.replicates},
                  {"seed", bootstrap_.seed}}},
                {"zero_dna_left_out", without_dna_}};
    out.update(group_json(with_effect_));
    out["pairs_without_effect"] = group_json(without_effect_);
    (*summary)["truth_scores"] = std::move(out);
  }

  /// Of pairs with an effect only.
  std::string text() const override {
    if (with_effect_.enhancers.empty()) return "";
    bool undefined = false;
    const auto cell = [&](std::size_t method, double SiteScores::*field) {
      const MeanInterval e = estimate(with_effect_, method, field);
      undefined = undefined || std::isnan(e.mean) || !is_defined(e.interval);
      return "  " + number_cell(e.mean, 5, 3) + " " + interval_cell(e.interval, 14, 3);
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
          "-: undefined; a score needs a window with a peak and bins on the site and beside it, an "
          "interval pairs of two enhancers\n";
    }
    return out;
  }

 private:
  /// Pairs with or without an effect of the planted site.
  struct Group {
    std::vector<std::int32_t> enhancers;             // by pair
    std::vector<std::vector<SiteScores>> by_method;  // by method, by pair; NaN of undefined windows
    std::vector<std::int64_t> n;                     // by method: defined windows
    std::vector<double> chance_causal, chance_decoy;  // precision of random scores, by pair
  };

  void add_pair(const PairNumbers& numbers, const PairScores& scores) {
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
      group.by_method[m].push_back(defined ? site_scores(scores.windows[m], planted->sites)
                                           : kUndefined);
    }
    const auto bins = static_cast<double>(data_.bins);
    group.chance_causal.push_back(static_cast<double>(planted->sites.causal.size()) / bins);
    group.chance_decoy.push_back(static_cast<double>(planted->sites.decoy.size()) / bins);
  }

  MeanInterval estimate(const Group& group, std::size_t method, double SiteScores::*field) const {
    std::vector<double> values;
    for (const SiteScores& of_pair : group.by_method[method]) values.push_back(of_pair.*field);
    return mean_interval(values, group.enhancers, bootstrap_.seed);
  }

  Json group_json(const Group& group) const {
    Json methods = Json::object();
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      const auto number = [&](double SiteScores::*field) -> Json {
        const MeanInterval e = estimate(group, m, field);
        return {{"value", e.mean}, {"low", e.interval.low}, {"high", e.interval.high}};
      };
      methods[methods_[m]->name] = {
          {"n", group.n[m]},
          {"undefined", static_cast<std::int64_t>(group.enhancers.size()) - group.n[m]},
          {"causal",
           {{"auroc", number(&SiteScores::causal_auroc)},
            {"precision_at_k", number(&SiteScores::causal_precision)}}},
          {"decoy",
           {{"auroc", number(&SiteScores::decoy_auroc)},
            {"precision_at_k", number(&SiteScores::decoy_precision)}}},
          {"causal_over_decoy", {{"auroc", number(&SiteScores::causal_over_decoy)}}}};
    }
    return {{"pairs", group.enhancers.size()},
            {"chance",
             {{"auroc", 0.5},
              {"causal_precision_at_k", mean(group.chance_causal)},
              {"decoy_precision_at_k", mean(group.chance_decoy)}}},
            {"methods", std::move(methods)}};
  }

  const Dataset& data_;
  const Truth& truth_;
  const Methods& methods_;
  BootstrapOptions bootstrap_;
  std::int64_t without_dna_ = 0;
  Group with_effect_, without_effect_;
};

}  // namespace

std::unique_ptr<Section> make_truth_scores(const SectionContext& context) {
  return std::make_unique<TruthSection>(context);
}

}  // namespace cdt
