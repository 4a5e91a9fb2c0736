#include "io/dataset/folds.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "engine/permutation.h"
#include "io/dataset/loci.h"
#include "io/format/text.h"

namespace cdt {
namespace {

// Random stream of the loci, apart from those of initialisation, shuffles and bootstrap.
constexpr std::uint32_t kShareStream = 0x30000000U;

void use_fold(std::int64_t fold, Dataset* data) {
  if (fold > data->folds || fold < 0) {
    const std::string file = (data->directory / "pairs.tsv").string();
    throw InputError("command line", "--fold",
                     data->folds == 0 ? file + " has no column fold; cdt-split --folds adds one"
                                      : expected_got(file + " has no such fold",
                                                     "1 to " + std::to_string(data->folds),
                                                     std::to_string(fold)));
  }
  for (Pair& pair : data->pairs) pair.split = split_in_fold(pair.fold, fold, data->folds);
}

/// Training pairs of each locus.
std::map<std::int32_t, std::int64_t> training_pairs(const std::vector<std::int32_t>& locus_of,
                                                    const std::vector<Pair>& pairs) {
  std::map<std::int32_t, std::int64_t> out;
  for (const Pair& pair : pairs) {
    if (pair.split == Split::kTrain) ++out[locus_of[static_cast<std::size_t>(pair.enhancer)]];
  }
  return out;
}

void keep_share(const PairUse& use, Dataset* data) {
  const std::vector<std::int32_t> locus_of = loci_of(*data);
  const std::map<std::int32_t, std::int64_t> loci = training_pairs(locus_of, data->pairs);
  std::vector<std::pair<std::int32_t, std::int64_t>> list(loci.begin(), loci.end());
  std::int64_t all = 0;
  for (const auto& [locus, pairs] : list) all += pairs;
  const double wanted = use.train_share * static_cast<double>(all);
  std::set<std::int32_t> used;
  std::int64_t held = 0;
  for (const std::int32_t at :
       permutation(static_cast<std::int64_t>(list.size()), {use.seed, kShareStream})) {
    if (static_cast<double>(held) >= wanted) break;
    used.insert(list[static_cast<std::size_t>(at)].first);
    held += list[static_cast<std::size_t>(at)].second;
  }
  std::erase_if(data->pairs, [&](const Pair& pair) {
    return pair.split == Split::kTrain &&
           !used.contains(locus_of[static_cast<std::size_t>(pair.enhancer)]);
  });
}

}  // namespace

std::int64_t validating_fold(std::int64_t fold, std::int64_t folds) { return fold % folds + 1; }

Split split_in_fold(std::int64_t of, std::int64_t fold, std::int64_t folds) {
  if (of == fold) return Split::kTest;
  return of == validating_fold(fold, folds) ? Split::kVal : Split::kTrain;
}

void use_pairs(const PairUse& use, Dataset* data) {
  if (use.fold != 0) use_fold(use.fold, data);
  if (use.train_share < 1) keep_share(use, data);
  data->use = use;
}

}  // namespace cdt
