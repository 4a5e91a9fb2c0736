// Which pairs to explain: named on the command line, listed in a file, or (a sample of) a split.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"

namespace cdt {

struct PairChoice {
  std::vector<std::string> pairs;  // ENHANCER:GENE
  std::filesystem::path file;      // TSV with columns enhancer, gene
  std::string split;               // "" or train, val, test
  std::int64_t sample = 0;         // pairs drawn from the split; 0: all of it
  std::uint64_t seed = 0;
  bool all_genes = false;     // of each enhancer chosen, instead of the genes chosen
  bool numpy_legacy = false;  // draw as NumPy does (numpy_legacy_choice)
};

/// All chosen pairs, those of one enhancer next to each other, enhancers in the order in which they
/// are first named; a pair named twice is kept once, unless the split holds it twice. A pair that
/// pairs.tsv does not list has beta NaN. InputError naming the option or line: unknown enhancer or
/// gene, no pair, fewer pairs in the split than the sample, a seed NumPy would not take. A sample
/// keeps the order of the split; NumPy's has the order in which it was drawn.
std::vector<Pair> choose_pairs(const PairChoice& choice, const Dataset& data);

/// NumPy's legacy sample, so that those of a study made in Python can be drawn again: what
/// np.random.seed(seed); np.random.choice(n, count, replace=False) returns, in its order, which is
/// the front of RandomState.permutation(n). Needs count <= n < 2^32.
std::vector<std::size_t> numpy_legacy_choice(std::uint32_t seed, std::size_t n, std::size_t count);

}  // namespace cdt
