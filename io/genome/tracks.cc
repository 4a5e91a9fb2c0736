#include "io/genome/tracks.h"

#include <algorithm>
#include <map>
#include <utility>

#include "io/format/text.h"
#include "io/genome/locus.h"

namespace cdt {
namespace {

bool is_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
         c == '-' || c == '_';
}

struct Range {
  float low = 0.0F, high = 0.0F;
};

/// Of the values and 0; never empty.
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

/// Sweeps over the borders.
std::vector<ScoredInterval> sweep(std::vector<ScoredInterval> intervals) {
  std::sort(intervals.begin(), intervals.end(),
            [](const ScoredInterval& a, const ScoredInterval& b) { return a.start < b.start; });
  std::vector<std::int64_t> borders;
  for (const ScoredInterval& i : intervals) borders.insert(borders.end(), {i.start, i.end});
  std::sort(borders.begin(), borders.end());
  borders.erase(std::unique(borders.begin(), borders.end()), borders.end());

  std::vector<ScoredInterval> out;
  std::vector<ScoredInterval> open;  // those that cover the piece at hand
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

}  // namespace

std::string rgb_text(const Rgb& colour) {
  return std::to_string(colour[0]) + "," + std::to_string(colour[1]) + "," +
         std::to_string(colour[2]);
}

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
    if (!is_plain(c)) c = '_';
  }
  if (out.empty() || out.front() == '.' || out.front() == '-') out.insert(0, 1, '_');
  out.resize(std::min(out.size(), limit));
  return out;
}

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

}  // namespace cdt
