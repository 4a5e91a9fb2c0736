// Parts of an audit (audit.json) that every import has: beta by split, and how much of a held-out
// split the training split already contains.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"

namespace cdt {

/// Pairs and enhancers as written.
struct TestedPairs {
  const std::vector<Enhancer>& enhancers;
  const std::vector<Pair>& pairs;
};

struct Overlap {
  /// Two enhancers are neighbours if their centres are at most this far apart.
  static constexpr std::int64_t kNeighbourBp = 1000;

  std::int64_t pairs = 0;
  std::int64_t pairs_enhancer_in_train = 0;
  std::int64_t pairs_enhancer_near_train = 0;  // the same enhancer or a neighbour
  std::int64_t pairs_gene_in_train = 0;
  std::int64_t pairs_in_train = 0;  // the same enhancer and gene
  std::int64_t enhancers = 0, enhancers_in_train = 0;
  std::int64_t genes = 0, genes_in_train = 0;
};

/// Counts what the pairs of `held_out` share with training pairs: enhancers, neighbours, genes,
/// whole pairs.
Overlap overlap_with_train(const TestedPairs& data, Split held_out);

/// Adds "overlap_with_train" for each of `splits` except train, and "pairs_in_val_and_test".
void add_overlaps(nlohmann::ordered_json* audit, const TestedPairs& data,
                  const std::vector<Split>& splits);

/// {"min", "max", "mean", "std" (divisor n), "zero", "positive", "positive_share"} of at least one
/// value.
nlohmann::ordered_json beta_summary(const std::vector<float>& betas);

/// Number of rows of a split whose enhancer and gene an earlier row of that split has.
std::int64_t repeated_pairs(const std::vector<Pair>& pairs, Split split);

/// Number of distinct genes among the pairs.
std::int64_t genes_used(const std::vector<Pair>& pairs);

/// "  rows      7 read, 7 kept, repeated pairs: 2; removed "
std::string rows_text(const nlohmann::ordered_json& split);
/// The last lines of an audit: overlaps between splits, the assembly, and its chromosomes.
std::string closing_text(const nlohmann::ordered_json& audit);
/// "  beta      min ...; positive 3 (1.5 %)" for `rows` rows, without a line end.
std::string beta_text(const nlohmann::ordered_json& beta, const nlohmann::ordered_json& rows);

}  // namespace cdt
