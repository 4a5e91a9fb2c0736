#include "io/tracks.h"

#include <algorithm>

#include "io/atomic_file.h"
#include "io/text.h"

namespace cdt {
namespace {

bool is_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
         c == '-' || c == '_';
}

/// In double quotes; the format knows no escapes.
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

std::string bedgraph_text(const TrackLabel& label, const TrackWindow& window,
                          std::span<const float> values) {
  std::string out = "track type=bedGraph name=" + in_quotes(label.name) +
                    " description=" + in_quotes(label.description);
  if (!label.assembly.empty()) out += " db=" + file_name_part(label.assembly);
  out += " visibility=full autoScale=on alwaysZero=on\n";
  std::int64_t start = window.start;
  for (const float value : values) {
    const std::int64_t end = start + window.bin_bp;
    if (end > 0) {
      out += window.chrom + '\t' + std::to_string(std::max<std::int64_t>(start, 0)) + '\t' +
             std::to_string(end) + '\t' + format_number(value) + '\n';
    }
    start = end;
  }
  return out;
}

void write_bedgraph(const std::filesystem::path& path, const TrackLabel& label,
                    const TrackWindow& window, std::span<const float> values) {
  write_file(path, bedgraph_text(label, window, values));
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

}  // namespace cdt
