// What a split leaks: how many held-out pairs share something with the training pairs that a model
// can remember.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"

namespace cdt {

/// Counts of held-out pairs whose ... is in training.
struct Leakage {
  std::string name;  // "val", "test", "test of 5 folds"
  std::int64_t pairs = 0;
  std::int64_t pair = 0;  // enhancer and gene together
  std::int64_t enhancer = 0;
  std::int64_t locus = 0;    // some enhancer with an overlapping window
  std::int64_t content = 0;  // some enhancer with a near-identical window
  std::int64_t gene = 0;
  bool knows_content = true;

  void add(const Leakage& other);
};

/// What decides whether two enhancers share something: their locus and, unless empty, their group
/// of near-identical windows (window_sketch.h), by enhancer.
struct SharedDna {
  std::vector<std::int32_t> locus_of, content_of;
};

/// Leakage from `train` into `held_out`.
Leakage leakage(const std::vector<Pair>& train, const std::vector<Pair>& held_out,
                const SharedDna& shared);

/// Leakage into val and into test, of those that have pairs, by the splits of `pairs`; or, with
/// folds, summed over the folds.
std::vector<Leakage> leakages(const std::vector<Pair>& pairs, std::int64_t folds,
                              const SharedDna& shared);

/// The leakages as a table, one line each.
std::string leakage_table(const std::vector<Leakage>& all);

}  // namespace cdt
