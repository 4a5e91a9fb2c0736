// What genome browsers load besides the tracks themselves: peaks as BED9, an IGV session, and one
// file of UCSC custom tracks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/genome/locus.h"
#include "io/genome/tracks.h"

namespace cdt {

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
