#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "apps/audit/findings.h"

namespace cdt {
namespace {

std::int64_t pairs_in(const Dataset& data, Split split) {
  return std::count_if(data.pairs.begin(), data.pairs.end(),
                       [split](const Pair& pair) { return pair.split == split; });
}

void find_missing_splits(const Dataset& data, Findings* out) {
  const std::int64_t train = pairs_in(data, Split::kTrain);
  const std::int64_t val = pairs_in(data, Split::kVal);
  const std::int64_t test = pairs_in(data, Split::kTest);
  if (train == 0) {
    out->push_back({"no_training_pairs",
                    Severity::kNote,
                    "There are no training pairs, so neither a model nor a baseline can be fitted "
                    "on this data set.",
                    {{"val", val}, {"test", test}}});
  } else if (test == 0) {
    out->push_back({"no_test_pairs",
                    Severity::kWarning,
                    "There are no test pairs (cdt-split chooses some), so every score is of pairs "
                    "that trained the model or chose its best epoch, and is too high for new ones.",
                    {{"train", train}, {"val", val}}});
  }
}

void find_repeated_pairs(const Dataset& data, Findings* out) {
  std::array<std::set<std::array<std::int32_t, 3>>, kSplits.size()> seen;
  nlohmann::ordered_json by_split;
  for (const Split split : kSplits) by_split[split_name(split)] = std::int64_t{0};
  std::int64_t repeated = 0;
  for (const Pair& pair : data.pairs) {
    const std::array<std::int32_t, 3> key{pair.enhancer, pair.gene, pair.sample};
    if (seen[static_cast<std::size_t>(pair.split)].insert(key).second) continue;
    ++repeated;
    nlohmann::ordered_json& count = by_split[split_name(pair.split)];
    count = count.get<std::int64_t>() + 1;
  }
  if (repeated == 0) return;
  out->push_back({"repeated_pairs",
                  Severity::kWarning,
                  counted_text(repeated, "row") + " of pairs.tsv repeat" +
                      (repeated == 1 ? "s" : "") +
                      (data.samples.empty() ? " the enhancer and the gene of"
                                            : " enhancer, gene and sample of") +
                      " an earlier row of the same split, so these pairs count more than once in "
                      "training and in every score.",
                  {{"rows", repeated}, {"by_split", by_split}}});
}

void find_shared_by_val_and_test(const Dataset& data, Findings* out) {
  std::set<std::pair<std::int32_t, std::int32_t>> val;
  std::set<std::pair<std::int32_t, std::int32_t>> both;
  for (const Pair& pair : data.pairs) {
    if (pair.split == Split::kVal) val.emplace(pair.enhancer, pair.gene);
  }
  for (const Pair& pair : data.pairs) {
    const std::pair key(pair.enhancer, pair.gene);
    if (pair.split == Split::kTest && val.contains(key)) both.insert(key);
  }
  if (both.empty()) return;
  out->push_back({"pairs_in_val_and_test",
                  Severity::kWarning,
                  "val and test share " + counted_text(std::ssize(both), "pair") +
                      ", so the pairs that choose the model also judge it.",
                  {{"pairs", both.size()}}});
}

std::vector<bool> genes_of(const Dataset& data, bool training) {
  std::vector<bool> out(data.genes.size(), false);
  for (const Pair& pair : data.pairs) {
    if ((pair.split == Split::kTrain) == training) out[static_cast<std::size_t>(pair.gene)] = true;
  }
  return out;
}

void find_untrained_genes(const Dataset& data, Findings* out) {
  const std::vector<bool> trained = genes_of(data, true);
  const std::vector<bool> held_out = genes_of(data, false);
  std::vector<bool> unseen(trained.size());
  std::int64_t without = 0;
  for (std::size_t gene = 0; gene < trained.size(); ++gene) {
    unseen[gene] = held_out[gene] && !trained[gene];
    without += trained[gene] || held_out[gene] ? 0 : 1;
  }
  if (without > 0) {
    out->push_back({"genes_without_pairs",
                    Severity::kNote,
                    part_of(without, data.genes_count()) +
                        " genes have no pair, so their predictions are neither trained nor tested "
                        "and mean nothing.",
                    {{"genes", without}, {"of", data.genes_count()}}});
  }
  const std::int64_t genes = std::count(unseen.begin(), unseen.end(), true);
  if (genes == 0 || pairs_in(data, Split::kTrain) == 0) return;
  const std::int64_t pairs = pairs_with(data.pairs, &Pair::gene, unseen);
  out->push_back({"genes_without_training_pairs",
                  Severity::kWarning,
                  counted_text(genes, "gene") + " with " + counted_text(pairs, "val or test pair") +
                      (genes == 1 ? " has" : " have") +
                      " no training pair: the released readout has an output of its own for "
                      "each gene, so it predicts these from untrained weights.",
                  {{"genes", genes}, {"val_and_test_pairs", pairs}}});
}

}  // namespace

std::int64_t pairs_with(const std::vector<Pair>& pairs, std::int32_t Pair::*member,
                        const std::vector<bool>& marked) {
  return std::count_if(pairs.begin(), pairs.end(), [&](const Pair& pair) {
    return marked[static_cast<std::size_t>(pair.*member)];
  });
}

void find_in_pairs(const AuditInput& input, Findings* out) {
  find_missing_splits(input.data, out);
  find_repeated_pairs(input.data, out);
  find_shared_by_val_and_test(input.data, out);
  find_untrained_genes(input.data, out);
}

}  // namespace cdt
