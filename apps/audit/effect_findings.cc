#include <algorithm>
#include <cmath>

#include "apps/audit/findings.h"
#include "apps/common/tables.h"
#include "io/format/text.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr std::int64_t kFewestSigned = 20;    // 20 signs agree by chance once in 2^19
constexpr double kManyZeros = 0.01;           // share of the effects
constexpr std::int64_t kFewestForTail = 100;  // so that 1 % is at least one effect
constexpr double kLargeTail = 0.25;           // share of the variance in the largest 1 %
constexpr std::int64_t kFewestLabels = 10;    // of each kind, to compare their effects

void find_equal(const Dataset& data, Findings* out) {
  std::vector<std::string> splits;
  for (const Split split : kSplits) {
    const std::vector<Pair> pairs = data.pairs_of(split);
    const bool equal = std::all_of(pairs.begin(), pairs.end(), [&](const Pair& pair) {
      return pair.beta == pairs.front().beta;
    });
    if (pairs.size() > 1 && equal) splits.emplace_back(split_name(split));
  }
  if (splits.empty()) return;
  out->push_back({"equal_effects",
                  Severity::kWarning,
                  "All effects of " + listed(splits) +
                      " are equal, so no correlation or R2 is defined there and nothing about "
                      "enhancers can be learnt from it.",
                  {{"splits", splits}}});
}

void find_sign(const std::vector<float>& betas, Findings* out) {
  const EffectSummary all = summarise_effects(betas);
  const auto total = static_cast<std::int64_t>(betas.size());
  const std::int64_t negative = total - all.positive - all.zero;
  const std::int64_t signed_count = all.positive + negative;
  if (signed_count >= kFewestSigned && (all.positive == 0 || negative == 0)) {
    const bool down = all.positive == 0;
    out->push_back({"effects_of_one_sign",
                    Severity::kWarning,
                    std::string("No effect is ") + (down ? "positive" : "negative") +
                        ", where noise alone gives both signs: a filter upstream probably kept "
                        "only the " +
                        (down ? "decreases" : "increases") +
                        ", so the effects are biased and a model cannot learn the other sign.",
                    {{"negative", negative}, {"zero", all.zero}, {"positive", all.positive}}});
  }
  if (all.zero >= 2 && share_of(all.zero, total) >= kManyZeros) {
    out->push_back({"zero_effects",
                    Severity::kNote,
                    part_of(all.zero, total) +
                        " effects are exactly 0; measured effects rarely are, so these may be "
                        "missing values that were filled in.",
                    {{"zero", all.zero}, {"of", total}}});
  }
}

/// Whether few pairs decide every squared measure.
void find_tail(const std::vector<float>& betas, Findings* out) {
  if (static_cast<std::int64_t>(betas.size()) < kFewestForTail) return;
  const double mean = summarise_effects(betas).mean;
  std::vector<double> squares;
  squares.reserve(betas.size());
  for (const float beta : betas) squares.push_back((beta - mean) * (beta - mean));
  std::sort(squares.begin(), squares.end(), std::greater<>());
  const std::size_t largest = (squares.size() + 99) / 100;
  double tail = 0.0;
  double sum = 0.0;
  for (std::size_t i = 0; i < squares.size(); ++i) {
    sum += squares[i];
    if (i < largest) tail += squares[i];
  }
  if (sum == 0.0 || tail / sum < kLargeTail) return;
  const auto count = static_cast<std::int64_t>(largest);
  out->push_back({"few_effects_dominate",
                  Severity::kWarning,
                  "The most extreme 1 % of the effects (" + counted_text(count, "pair") +
                      ") carry " + percent_text(tail / sum) +
                      " of their variance (8.5 % in a normal distribution), so r, R2 and the mean "
                      "squared error depend on these few.",
                  {{"pairs", count}, {"share_of_variance", tail / sum}}});
}

void find_one_label(const Dataset& data, Findings* out) {
  std::vector<std::string> splits;
  for (const Split split : kSplits) {
    const std::vector<Pair> pairs = data.pairs_of(split);
    const auto positive =
        std::count_if(pairs.begin(), pairs.end(), [](const Pair& pair) { return pair.label == 1; });
    if (!pairs.empty() && (positive == 0 || positive == std::ssize(pairs))) {
      splits.push_back(split_name(split) + std::string(positive == 0 ? " (all 0)" : " (all 1)"));
    }
  }
  if (splits.empty()) return;
  out->push_back(
      {"labels_of_one_kind",
       Severity::kWarning,
       "All labels are equal in " + listed(splits) + ", so AUROC and AUPRC are undefined there.",
       {{"splits", splits}}});
}

void find_label_signs(const std::vector<Pair>& pairs, Findings* out) {
  std::int64_t down = 0;
  std::int64_t up = 0;
  std::int64_t none = 0;
  for (const Pair& pair : pairs) {
    if (pair.label != 1) continue;
    ++(pair.beta < 0.0F ? down : pair.beta > 0.0F ? up : none);
  }
  const std::int64_t other = std::min(down, up) + none;
  if (other == 0) return;
  out->push_back({"labels_contradict_sign",
                  Severity::kWarning,
                  part_of(other, down + up + none) +
                      " pairs with label 1 have an effect that is 0 or of the opposite sign to the "
                      "other ones, so a ranking by effect and the labels disagree about them.",
                  {{"negative", down}, {"zero", none}, {"positive", up}}});
}

void find_unrelated_labels(const std::vector<Pair>& pairs, Findings* out) {
  std::vector<double> positive;
  std::vector<double> negative;
  for (const Pair& pair : pairs) {
    (pair.label == 1 ? positive : negative).push_back(std::fabs(as_written(pair.beta)));
  }
  if (std::ssize(positive) < kFewestLabels || std::ssize(negative) < kFewestLabels) return;
  const double with = median(positive);
  const double without = median(negative);
  if (with > without) return;
  out->push_back({"labels_unlike_effects",
                  Severity::kWarning,
                  "The median size of the effects with label 1 (" + number_cell(with, 0, 4) +
                      ") is no larger than that with label 0 (" + number_cell(without, 0, 4) +
                      "), so the labels hardly belong to these effects.",
                  {{"median_with_label_1", with}, {"median_with_label_0", without}}});
}

}  // namespace

void find_in_effects(const AuditInput& input, Findings* out) {
  const std::vector<Pair>& pairs = input.data.pairs;
  const std::vector<float> betas = column(pairs, &Pair::beta);
  find_equal(input.data, out);
  find_sign(betas, out);
  find_tail(betas, out);
  if (pairs.front().label < 0) return;
  find_one_label(input.data, out);
  find_label_signs(pairs, out);
  find_unrelated_labels(pairs, out);
}

}  // namespace cdt
