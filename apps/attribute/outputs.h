// The files of an attribution. Large ones are streamed under temporary names; nothing appears
// before finish(), summary.json last.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/attribute/numbers.h"
#include "apps/common/output_folder.h"
#include "io/atomic_file.h"
#include "io/dataset.h"
#include "io/npy.h"

namespace cdt {

class AttributionOutputs {
 public:
  /// pairs: how many add() calls will come; tracks: how many of the first pairs get tracks.
  AttributionOutputs(std::filesystem::path directory, const Dataset& data, std::int64_t pairs,
                     std::int64_t tracks);

  /// One row of pairs.tsv, attention.npy and gradient.npy, its peaks and its tracks.
  void add(const PairNumbers& numbers, const PairWindows& windows);
  /// Brings everything to its name and replaces an earlier attribution, its tracks included.
  void finish(const Summary& summary);

 private:
  struct Track {
    std::string file;
    std::string content;
  };
  void add_peaks(const PairNumbers& numbers, const char* method, const WindowNumbers& window,
                 const std::vector<float>& scores);
  void add_track(const PairNumbers& numbers, const std::string& method, const std::string& meaning,
                 const std::vector<float>& scores);
  void write_tracks() const;

  OutputFolder folder_;
  const Dataset& data_;
  AtomicFile pairs_;
  AtomicFile peaks_;
  NpyWriter attention_;
  NpyWriter gradient_;
  std::int64_t rows_ = 0;
  std::int64_t track_pairs_ = 0;
  std::vector<Track> tracks_;
};

}  // namespace cdt
