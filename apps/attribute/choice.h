// Chooses the pairs to explain: named on the command line, listed in a file, or (a sample of) a
// split.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"

namespace cdt {

struct PairChoice {
  std::vector<std::string> pairs;  // as pair_name()
  std::filesystem::path file;      // TSV with columns enhancer, gene and, with samples, sample
  std::string split;               // "" or train, val, test
  std::int64_t sample = 0;         // pairs drawn from the split; 0 for all
  std::uint64_t seed = 0;
  bool all_genes = false;     // explain all genes of each chosen enhancer
  bool numpy_legacy = false;  // draw as NumPy does (numpy_legacy_choice)
};

/// Returns the chosen pairs with those of one enhancer adjacent, enhancers in the order in which
/// they are first named, and of an enhancer those of one sample. A pair named twice is kept once,
/// unless the split holds it twice; a pair that pairs.tsv does not list has beta NaN. A sample
/// keeps the order of the split; NumPy's sample has the order in which it was drawn. Throws
/// InputError naming the option or line for an unknown enhancer or gene, no pair, a sample larger
/// than the split, or a seed that NumPy would not accept.
std::vector<Pair> choose_pairs(const PairChoice& choice, const Dataset& data);

/// NumPy's legacy sample, to redraw the sample of a study made in Python: what
/// np.random.seed(seed); np.random.choice(n, count, replace=False) returns, in its order, the front
/// of RandomState.permutation(n). Needs count <= n < 2^32.
std::vector<std::size_t> numpy_legacy_choice(std::uint32_t seed, std::size_t n, std::size_t count);

}  // namespace cdt
