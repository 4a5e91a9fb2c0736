// The files of an attribution. Large ones are streamed under temporary names; nothing appears
// before finish(), summary.json last.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/attribute/numbers.h"
#include "apps/attribute/track_folder.h"
#include "io/dataset/dataset.h"
#include "io/format/npy.h"
#include "io/format/output.h"
#include "io/genome/assembly.h"

namespace cdt {

class AttributionOutputs {
 public:
  /// directory: exists. pairs: how many add() calls will come; tracks: how many of the first pairs
  /// get tracks. temperature: of attention_sharpened.npy, 0 for none.
  AttributionOutputs(std::filesystem::path directory, const Dataset& data,
                     const ChromosomeSizes& sizes, Methods methods, std::int64_t pairs,
                     std::int64_t tracks, double temperature);

  /// One row of pairs.tsv and of each method's npy, its peaks and its tracks.
  void add(const PairNumbers& numbers, const PairScores& scores);
  /// An earlier attribution is about to be replaced: its summary.json goes, so that it is no
  /// longer whole. Before any file of this one comes to its name.
  void begin_replacing() const;
  /// Brings everything to its name and replaces an earlier attribution, its tracks included.
  /// summary: the content of summary.json but for the list of tracks; command: of command.json.
  void finish(nlohmann::ordered_json summary, const std::string& command);
  /// After finish().
  const TrackFolder& tracks() const { return tracks_; }

 private:
  void add_peaks(const PairNumbers& numbers, std::size_t method, const std::vector<float>& scores);

  std::filesystem::path folder_;
  std::optional<MadeFolder> methods_folder_;  // if others than the defaults run
  const Dataset& data_;
  const ChromosomeSizes& sizes_;
  Methods methods_;
  AtomicFile pairs_;
  AtomicFile peaks_;
  std::vector<std::unique_ptr<NpyWriter>> scores_;  // by method
  std::unique_ptr<NpyWriter> sharpened_;            // or null
  double temperature_ = 0;
  GeneTraining training_;
  TrackFolder tracks_;
};

}  // namespace cdt
