// A second screen of the same pairs, from which real data get a noise ceiling. Two noisy
// measurements correlate with some r; effects without noise would correlate with either by the
// square root of r.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "io/dataset/dataset.h"
#include "model/stats/agreement.h"
#include "model/stats/bootstrap.h"

namespace cdt {

/// The second screen's effects of pairs in the data set, by enhancer, gene and sample.
using Screen = std::map<std::tuple<std::int32_t, std::int32_t, std::int32_t>, float>;

/// A second screen's file, read for the pairs of one split.
struct ScreenFile {
  Screen effects;
  std::int64_t rows = 0;
  std::int64_t of_other_enhancers = 0, of_other_genes = 0, of_other_pairs = 0;  // skipped
  std::int64_t of_other_samples = 0;

  /// One line about skipped rows; "" if there were none.
  std::string skipped(const std::filesystem::path& file) const;
};

/// Reads a TSV with columns enhancer, gene, beta and, with samples, sample; rows of pairs that are
/// not in `pairs` are skipped unchecked. Throws InputError naming line and column for an effect
/// that is not a finite number or a repeated pair, and naming "rows" if the file has none of the
/// pairs.
ScreenFile read_replicate(const std::filesystem::path& file, const Dataset& data,
                          const std::vector<Pair>& pairs);

/// A split measured twice, over the pairs that both screens have.
struct Replicate {
  std::string source;  // the second screen's file
  std::int64_t pairs = 0, enhancers = 0;
  Estimate pearson;          // of the two screens, over loci
  double model_pearson = 0;  // prediction with the first screen, over the same pairs

  /// r of the model relative to what a second screen, with its own noise, reaches; may exceed 1.
  /// NaN unless the screens correlate.
  double share() const;
  /// r of the model relative to what effects without noise would reach, if the noise of both
  /// screens is alike and independent: r corrected for attenuation (Spearman). NaN unless the
  /// screens correlate.
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

/// Pairs that the second screen also has: their indices in `pairs`, and both effects.
struct MeasuredTwice {
  std::vector<std::size_t> places;
  std::vector<float> first, second;
};
MeasuredTwice measured_twice(const std::vector<Pair>& pairs, const Screen& screen);

/// Compares the screens; nothing if they share fewer than kFewestMeasuredTwice. locus_of: loci_of()
/// the enhancers.
std::optional<Replicate> compare_screens(const std::vector<Pair>& pairs,
                                         std::span<const float> predictions, const Screen& screen,
                                         const std::vector<std::int32_t>& locus_of,
                                         const BootstrapOptions& bootstrap);

}  // namespace cdt
