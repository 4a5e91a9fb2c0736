#include "io/genome/tracks.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "io/format/text.h"
#include "io/genome/locus.h"

namespace cdt {
namespace {

bool is_file_name_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
         c == '-' || c == '_';
}

struct Range {
  float low = 0.0F, high = 0.0F;
};

/// Range of the values and 0; never empty.
Range view_limits(const std::vector<ChromosomeScores>& scores) {
  Range range;
  for (const ChromosomeScores& chromosome : scores) {
    for (const ScoredInterval& i : chromosome.intervals) {
      range.low = std::min(range.low, i.value);
      range.high = std::max(range.high, i.value);
    }
  }
  if (range.low == range.high) range.high = 1.0F;
  return range;
}

/// Merges overlapping intervals by a sweep over their borders, taking the mean of those that
/// overlap.
std::vector<ScoredInterval> sweep(std::vector<ScoredInterval> intervals) {
  std::sort(intervals.begin(), intervals.end(),
            [](const ScoredInterval& a, const ScoredInterval& b) { return a.start < b.start; });
  std::vector<std::int64_t> borders;
  for (const ScoredInterval& i : intervals) borders.insert(borders.end(), {i.start, i.end});
  std::sort(borders.begin(), borders.end());
  borders.erase(std::unique(borders.begin(), borders.end()), borders.end());

  std::vector<ScoredInterval> out;
  std::vector<ScoredInterval> open;  // those that cover the current piece
  std::size_t next = 0;
  for (std::size_t b = 0; b + 1 < borders.size(); ++b) {
    const std::int64_t start = borders[b];
    std::erase_if(open, [&](const ScoredInterval& i) { return i.end <= start; });
    while (next < intervals.size() && intervals[next].start == start) {
      open.push_back(intervals[next++]);
    }
    if (open.empty()) continue;
    double sum = 0.0;
    for (const ScoredInterval& i : open) sum += i.value;
    out.push_back(
        {start, borders[b + 1], static_cast<float>(sum / static_cast<double>(open.size()))});
  }
  return out;
}

constexpr std::int64_t kMostScore = 1000;

/// Replaces white space, which separates columns in UCSC's reader.
std::string one_word(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F) c = '_';
  }
  return out.empty() ? "." : out;
}

/// Text of an XML attribute. XML 1.0 allows no control characters, not even escaped, and only valid
/// UTF-8, which a name may not be: bytes beyond ASCII become '_'.
std::string xml(std::string_view text) {
  constexpr std::string_view kMarkup = "&<>\"";
  constexpr std::array<const char*, kMarkup.size()> kEscapes{"&amp;", "&lt;", "&gt;", "&quot;"};
  std::string out;
  for (const char c : text) {
    const std::size_t markup = kMarkup.find(c);
    if (markup != std::string_view::npos) {
      out += kEscapes[markup];
    } else {
      out += static_cast<signed char>(c) < 0 ? '_' : c < 0x20 || c == 0x7F ? ' ' : c;
    }
  }
  return out;
}

std::string attribute(std::string_view name, std::string_view value) {
  return " " + std::string(name) + "=\"" + xml(value) + "\"";
}

/// "R,G,B", as track lines and BED9 write it.
std::string rgb_text(const Rgb& colour) {
  return std::to_string(colour[0]) + "," + std::to_string(colour[1]) + "," +
         std::to_string(colour[2]);
}

/// Text in double quotes for a track line. The format has no escapes, so double quotes become
/// single ones and control characters become spaces.
std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') {
      out += '\'';
    } else {
      out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
    }
  }
  return out + '"';
}

}  // namespace

ChromosomeScores window_scores(const TrackWindow& window, std::span<const float> values,
                               std::int64_t chromosome_size) {
  ChromosomeScores out{window.chrom, {}};
  std::int64_t start = window.start;
  for (const float value : values) {
    const std::int64_t end = start + window.bin_bp;
    const Locus part = on_chromosome({"", start, end, ""}, chromosome_size);
    if (!part.empty()) out.intervals.push_back({part.start, part.end, value});
    start = end;
  }
  return out;
}

std::vector<ChromosomeScores> merge_scores(const std::vector<ChromosomeScores>& windows) {
  std::map<std::string, std::vector<ScoredInterval>> by_chrom;
  for (const ChromosomeScores& w : windows) {
    std::vector<ScoredInterval>& all = by_chrom[w.chrom];
    all.insert(all.end(), w.intervals.begin(), w.intervals.end());
  }
  std::vector<ChromosomeScores> out;
  for (auto& [chrom, intervals] : by_chrom) out.push_back({chrom, sweep(std::move(intervals))});
  return out;
}

std::string bedgraph_text(const TrackLabel& label, const std::vector<ChromosomeScores>& scores) {
  const Range limits = view_limits(scores);
  std::string out = "track type=bedGraph name=" + in_quotes(label.name) +
                    " description=" + in_quotes(label.description);
  if (!label.assembly.empty()) out += " db=" + file_name_part(label.assembly);
  out += " visibility=full color=" + rgb_text(label.colour) +
         " altColor=" + rgb_text(label.negative_colour) +
         " autoScale=off viewLimits=" + format_number(limits.low) + ":" +
         format_number(limits.high) + "\n";
  for (const ChromosomeScores& chromosome : scores) {
    for (const ScoredInterval& i : chromosome.intervals) {
      out += chromosome.chrom + '\t' + std::to_string(i.start) + '\t' + std::to_string(i.end) +
             '\t' + format_number(i.value) + '\n';
    }
  }
  return out;
}

std::string file_name_part(std::string_view text, std::size_t limit) {
  std::string out(text.substr(0, limit));
  for (char& c : out) {
    if (!is_file_name_character(c)) c = '_';
  }
  if (out.empty() || out.front() == '.' || out.front() == '-') out.insert(0, 1, '_');
  out.resize(std::min(out.size(), limit));
  return out;
}

std::string bed9_text(std::vector<BedPeak> peaks) {
  std::stable_sort(peaks.begin(), peaks.end(), [](const BedPeak& a, const BedPeak& b) {
    return std::tie(a.chrom, a.start, a.end, a.name) < std::tie(b.chrom, b.start, b.end, b.name);
  });
  std::string out;
  for (const BedPeak& p : peaks) {
    const std::string start = std::to_string(p.start);
    const std::string end = std::to_string(p.end);
    const std::int64_t score = std::clamp<std::int64_t>(p.score, 0, kMostScore);
    for (const std::string& column : {p.chrom, start, end, one_word(p.name), std::to_string(score),
                                      std::string("."), start, end}) {
      out.append(column) += '\t';
    }
    out.append(rgb_text(p.colour)) += '\n';
  }
  return out;
}

std::string bed9_track_line(const std::string& name, const std::string& description,
                            const std::string& assembly) {
  return "track type=bed name=" + in_quotes(name) + " description=" + in_quotes(description) +
         (assembly.empty() ? "" : " db=" + file_name_part(assembly)) +
         " visibility=pack itemRgb=On\n";
}

std::string igv_session_text(const std::string& genome,
                             const std::vector<SessionResource>& resources,
                             const std::vector<Locus>& regions) {
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n<Session" +
      attribute("genome", genome) +
      attribute("locus", regions.empty() ? "All" : plain_locus_text(regions.front())) +
      attribute("version", "8") + ">\n  <Resources>\n";
  std::string tracks;
  for (const SessionResource& r : resources) {
    const std::string name = attribute("name", r.name);
    const std::string colour = r.colour ? rgb_text(*r.colour) : "";
    out += "    <Resource" + attribute("path", r.file) + name +
           (r.colour ? attribute("color", colour) : "") + "/>\n";
    // igv.js takes names and colours only from here, and "null" as the colour of negative values.
    tracks += "    <Track" + attribute("id", r.file) + name +
              (r.colour ? attribute("color", colour) + attribute("altColor", colour) : "") + "/>\n";
  }
  out += "  </Resources>\n  <Panel" + attribute("name", "DataPanel") + ">\n" + tracks +
         "  </Panel>\n  <Regions>\n";
  for (const Locus& r : regions) {
    out += "    <Region" + attribute("chromosome", r.chrom) +
           attribute("start", std::to_string(r.start)) + attribute("end", std::to_string(r.end)) +
           attribute("description", r.name) + "/>\n";
  }
  return out + "  </Regions>\n</Session>\n";
}

std::string ucsc_browser_line(const Locus& locus) {
  return "browser position " + plain_locus_text(locus) + "\n";
}

}  // namespace cdt
