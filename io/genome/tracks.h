// What genome browsers load: scores over the genome as bedGraph text (UCSC, IGV), the same
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
  Rgb negative_colour{0, 0, 0};  // of values below 0
};

/// A half-open interval, 0-based, and its score.
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

/// Equal bins side by side; bin i covers [start + i * bin_bp, start + (i + 1) * bin_bp), 0-based,
/// half open. start may be negative: the window of an enhancer near a chromosome's begin.
struct TrackWindow {
  std::string chrom;
  std::int64_t start = 0;
  std::int64_t bin_bp = 0;
};

/// The scores of a window's bins. What lies before position 0 or past the chromosome's end is cut
/// off; chromosome_size 0: the end is not known.
ChromosomeScores window_scores(const TrackWindow& window, std::span<const float> values,
                               std::int64_t chromosome_size);

/// Windows in any order as one track: one entry per chromosome, in byte order of their names. Where
/// windows overlap, the mean of theirs, on the pieces that all their bin borders cut.
std::vector<ChromosomeScores> merge_scores(const std::vector<ChromosomeScores>& windows);

/// The track line, then one line per interval. The view limits are the range of the values with 0,
/// because browsers scale signed and small values badly by themselves.
std::string bedgraph_text(const TrackLabel& label, const std::vector<ChromosomeScores>& scores);

/// `text` as part of a file name: anything but letters, digits, '.', '-' and '_' becomes '_', no
/// '.' or '-' in front, at most `limit` characters. Not unique: different texts may become equal.
std::string file_name_part(std::string_view text, std::size_t limit = 60);

/// One line of BED9.
struct BedPeak {
  std::string chrom;
  std::int64_t start = 0, end = 0;  // 0-based, half open
  std::string name;                 // white space becomes '_'
  std::int64_t score = 0;           // clamped to 0 .. 1000, as the format demands
  Rgb colour{0, 0, 0};
};

/// Lines of nine columns, sorted by chromosome (byte order), start, end and name; without track
/// line. Peaks must lie within their chromosomes.
std::string bed9_text(std::vector<BedPeak> peaks);

/// The track line for bed9_text() in a custom track.
std::string bed9_track_line(const std::string& name, const std::string& description,
                            const std::string& assembly);

struct SessionResource {
  std::string file;  // relative to the session file
  std::string name;
  std::optional<Rgb> colour;  // none: the file has its own
};

/// An IGV session (XML): opens at the first of `regions`, none of them empty, which all become
/// regions of interest, or at the whole genome without any;
/// genome is IGV's name of the assembly ("hg38"). Resources load and show in order, each with its
/// name and colour, in IGV and in igv.js.
std::string igv_session_text(const std::string& genome,
                             const std::vector<SessionResource>& resources,
                             const std::vector<Locus>& regions);

/// The line that begins a file of UCSC custom tracks: where the browser opens.
std::string ucsc_browser_line(const Locus& locus);

}  // namespace cdt
