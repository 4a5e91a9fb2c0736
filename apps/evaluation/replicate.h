// What real data offers for a ceiling: a second screen of the same pairs. Two measurements, both
// noisy, correlate with some r; effects without noise would correlate with either by its square
// root.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "io/dataset/dataset.h"
#include "model/stats/bootstrap.h"

namespace cdt {

/// The second screen's effect of pairs that the data set knows, by enhancer and gene.
using Screen = std::map<std::pair<std::int32_t, std::int32_t>, float>;

/// A second screen's file, read for the pairs of one split.
struct ScreenFile {
  Screen effects;
  std::int64_t rows = 0;
  std::int64_t of_other_enhancers = 0, of_other_genes = 0, of_other_pairs = 0;  // skipped

  /// One line on the rows that were skipped, "" if none was.
  std::string skipped(const std::filesystem::path& file) const;
};

/// A TSV with columns enhancer, gene and beta; rows of other pairs than `pairs` are skipped
/// whatever they hold. InputError names line and column: an effect that is no finite number, a pair
/// given twice; "rows" if it has none of the pairs.
ScreenFile read_replicate(const std::filesystem::path& file, const Dataset& data,
                          const std::vector<Pair>& pairs);

/// A split measured twice, over the pairs that both screens have.
struct Replicate {
  std::string source;  // the second screen's file
  std::int64_t pairs = 0, enhancers = 0;
  Estimate pearson;          // of the two screens, over loci
  double model_pearson = 0;  // of the prediction with the first, over the same pairs

  /// Against what a second screen, with noise of its own, reaches; may exceed 1. NaN unless the
  /// screens correlate.
  double share() const;
  /// Against what effects without noise would reach, if the screens' noises are alike and
  /// independent: r corrected for attenuation (Spearman). NaN unless the screens correlate.
  double corrected() const;

  template <class V>
  void fields(V& v) {
    double over = share(), without_noise = corrected();
    v("source", source);
    v("pairs", pairs);
    v("enhancers", enhancers);
    v("pearson", pearson);
    v("model_pearson", model_pearson);
    v("model_over_replicate", over);
    v("model_corrected_for_attenuation", without_noise);
  }
};

inline constexpr std::size_t kFewestPairs = 3;

/// The pairs that the second screen has too: their places among `pairs`, and both effects.
struct MeasuredTwice {
  std::vector<std::size_t> places;
  std::vector<float> first, second;
};
MeasuredTwice measured_twice(const std::vector<Pair>& pairs, const Screen& screen);

/// Nothing if the two share fewer than kFewestPairs. locus_of: loci_of() the enhancers.
std::optional<Replicate> compare_screens(const std::vector<Pair>& pairs,
                                         std::span<const float> predictions, const Screen& screen,
                                         const std::vector<std::int32_t>& locus_of,
                                         const BootstrapOptions& bootstrap);

}  // namespace cdt
