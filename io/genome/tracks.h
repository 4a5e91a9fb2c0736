// Files that genome browsers load: scores over the genome as bedGraph text (UCSC, IGV), the same
// intervals for bigWig (io/genome/bigwig/bigwig.h), peaks as BED9, an IGV session, UCSC custom
// tracks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/genome/locus.h"

namespace cdt {

/// Red, green, blue.
using Rgb = std::array<std::uint8_t, 3>;

/// The track line of a file. Double quotes and control characters are replaced.
struct TrackLabel {
  std::string name;
  std::string description;
  std::string assembly;  // e.g. "hg38"; empty: left out
  Rgb colour{0, 0, 0};
  Rgb negative_colour{0, 0, 0};  // of negative values
};

/// A 0-based, half-open interval and its score.
struct ScoredInterval {
  std::int64_t start = 0;
  std::int64_t end = 0;
  float value = 0.0F;
  bool operator==(const ScoredInterval&) const = default;
};

/// Scores on one chromosome, ascending and without overlap.
struct ChromosomeScores {
  std::string chrom;
  std::vector<ScoredInterval> intervals;
};

/// Adjacent bins of equal width; bin i covers [start + i * bin_bp, start + (i + 1) * bin_bp),
/// 0-based, half-open. start may be negative, for an enhancer near the start of its chromosome.
struct TrackWindow {
  std::string chrom;
  std::int64_t start = 0;
  std::int64_t bin_bp = 0;
};

/// Scores of a window's bins, clipped at position 0 and at the end of the chromosome; with
/// chromosome_size 0 the end is unknown.
ChromosomeScores window_scores(const TrackWindow& window, std::span<const float> values,
                               std::int64_t chromosome_size);

/// Merges windows, given in any order, into one track: one entry per chromosome, in byte order of
/// their names. Where windows overlap, each piece between two bin borders has the mean of their
/// scores.
std::vector<ChromosomeScores> merge_scores(const std::vector<ChromosomeScores>& windows);

/// Track line, then one line per interval. The view limits are the range of the values and 0,
/// because browsers autoscale signed and small values badly.
std::string bedgraph_text(const TrackLabel& label, const std::vector<ChromosomeScores>& scores);

/// Makes `text` part of a file name: characters other than letters, digits, '.', '-' and '_' become
/// '_', no '.' or '-' at the start, at most `limit` characters. Different texts may give the same
/// result.
std::string file_name_part(std::string_view text, std::size_t limit = 60);

/// One line of BED9.
struct BedPeak {
  std::string chrom;
  std::int64_t start = 0, end = 0;  // 0-based, half-open
  std::string name;                 // white space becomes '_'
  std::int64_t score = 0;           // clamped to 0 .. 1000, as the format demands
  Rgb colour{0, 0, 0};
};

/// BED9 lines, sorted by chromosome (byte order), start, end and name, without a track line. Peaks
/// must be within their chromosomes.
std::string bed9_text(std::vector<BedPeak> peaks);

/// Track line to put before bed9_text() in a custom track.
std::string bed9_track_line(const std::string& name, const std::string& description,
                            const std::string& assembly);

struct SessionResource {
  std::string file;  // relative to the session file
  std::string name;
  std::optional<Rgb> colour;  // none: the file defines its own
};

/// XML text of an IGV session that opens at the first of `regions`, or at the whole genome if there
/// are none. No region may be empty; all become regions of interest. genome is IGV's name of the
/// assembly ("hg38"). Resources load and show in this order, each with its name and colour, in IGV
/// and in igv.js.
std::string igv_session_text(const std::string& genome,
                             const std::vector<SessionResource>& resources,
                             const std::vector<Locus>& regions);

/// First line of a file of UCSC custom tracks: where the browser opens.
std::string ucsc_browser_line(const Locus& locus);

}  // namespace cdt
