// The folder tracks/ of an attribution: what genome browsers load (docs/formats.md).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/attribute/numbers.h"
#include "io/genome/assembly.h"
#include "io/genome/tracks.h"

namespace cdt {

class TrackFolder {
 public:
  /// tracks: how many of the first pairs get tracks of their own. The enhancers of those pairs get
  /// tracks that merge all their pairs, and count for the tracks over all.
  TrackFolder(const Dataset& data, const ChromosomeSizes& sizes, Methods methods,
              std::int64_t tracks);

  /// Pairs in the order of pairs.tsv, those of an enhancer next to each other.
  void add(const PairNumbers& numbers, const PairScores& scores);

  /// Replaces the tracks of an earlier attribution; without any, the folder goes if nothing else is
  /// in it. Returns the files, relative to `directory`.
  std::vector<std::string> write(const std::filesystem::path& directory);

  /// Enhancers among those of the first pairs that have no tracks, as no base of their window lies
  /// on its chromosome.
  const std::vector<std::string>& outside() const { return outside_; }

  /// Why a bigWig file is missing beside its bedGraph, or "". After write().
  const std::string& without_bigwig() const { return without_bigwig_; }

 private:
  struct Track {
    std::string file;  // without extension
    TrackLabel label;
    std::vector<ChromosomeScores> scores;
  };
  TrackLabel label(std::size_t method, const std::string& name,
                   const std::string& description) const;
  /// Of a pair's own track: says too what of it is undefined or never trained.
  TrackLabel pair_label(std::size_t method, const PairNumbers& numbers) const;
  /// Of a track that merges the pairs of the enhancer at hand.
  TrackLabel merged_label(std::size_t method) const;
  /// "" if the track can be a bigWig file.
  std::string why_no_bigwig(const Track& track) const;
  void add_peaks(const PairNumbers& numbers);
  void close_enhancer();
  std::string session(const std::vector<Track>& all) const;
  std::string custom_tracks(const std::vector<Track>& all) const;
  std::vector<Track> tracks_over_all() const;

  const Dataset& data_;
  const ChromosomeSizes& sizes_;
  Methods methods_;
  std::int64_t track_pairs_ = 0;
  std::int64_t rows_ = 0;
  std::vector<Track> tracks_;
  std::vector<BedPeak> peaks_;
  std::vector<Locus> regions_;  // windows of the enhancers with tracks
  std::vector<std::string> outside_;
  GeneTraining training_;
  std::int32_t enhancer_ = -1;  // at hand
  // Of its pairs: how many there are, and by method the defined windows and those of untrained
  // genes.
  std::int64_t pairs_ = 0;
  std::vector<std::int64_t> untrained_;
  std::vector<std::vector<ChromosomeScores>> pairs_of_enhancer_;
  // By method, of all enhancers before it.
  std::vector<std::vector<ChromosomeScores>> enhancers_;
  std::string without_bigwig_;
};

}  // namespace cdt
