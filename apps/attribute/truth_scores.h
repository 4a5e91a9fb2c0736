// On data with planted sites (truth.json): how well each method's scores find the bins that act and
// pass over the decoys. The section "truth_scores" of summary.json (docs/formats.md).
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/attribute/numbers.h"
#include "io/dataset/dataset.h"
#include "io/dataset/truth.h"
#include "model/stats/bootstrap.h"

namespace cdt {

/// What is measured of one pair and method, on the absolute scores.
struct SiteScores {
  double causal_auroc = 0;       // causal bins against bins of neither site
  double decoy_auroc = 0;        // decoy bins against bins of neither site; 0.5 is right
  double causal_over_decoy = 0;  // AUROC of causal against decoy bins
  double causal_precision = 0;   // share of the k highest bins that are causal, k the causal bins
  double decoy_precision = 0;    // share of them that are decoy
};
SiteScores site_scores(const std::vector<float>& scores, const TruthSites& sites);

class TruthScores {
 public:
  TruthScores(const Dataset& data, const Truth& truth, Methods methods, std::uint64_t seed);

  /// Pairs that truth.json does not list, pairs without DNA and undefined windows are left out.
  void add(const PairNumbers& numbers, const PairScores& scores);

  nlohmann::ordered_json json() const;
  /// The same for a reader; pairs with an effect only.
  std::string table() const;

 private:
  /// Pairs with or without an effect of the planted site.
  struct Group {
    std::vector<std::int32_t> enhancers;             // by pair
    std::vector<std::vector<SiteScores>> by_method;  // by method, by pair; NaN of undefined windows
    std::vector<std::int64_t> n;                     // by method: defined windows
    std::vector<double> chance_causal, chance_decoy;  // precision of random scores, by pair
  };
  struct Estimate {
    double value = 0;
    Interval interval;
  };
  Estimate estimate(const Group& group, std::size_t method, double SiteScores::*field) const;
  nlohmann::ordered_json group_json(const Group& group) const;

  const Dataset& data_;
  const Truth& truth_;
  Methods methods_;
  BootstrapOptions bootstrap_;
  std::int64_t without_dna_ = 0;
  Group with_effect_, without_effect_;
};

}  // namespace cdt
