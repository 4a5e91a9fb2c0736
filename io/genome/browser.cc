#include "io/genome/browser.h"

#include <algorithm>
#include <string_view>
#include <tuple>

namespace cdt {
namespace {

constexpr std::int64_t kMostScore = 1000;

/// White space separates columns in UCSC's reader.
std::string one_word(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F) c = '_';
  }
  return out.empty() ? "." : out;
}

/// Text of an XML attribute. XML 1.0 allows no control characters, escaped or not, and only valid
/// UTF-8, of which names are not known to be: bytes past ASCII become '_'.
std::string xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<signed char>(c) < 0 ? '_' : c < 0x20 || c == 0x7F ? ' ' : c;
    }
  }
  return out;
}

std::string attribute(std::string_view name, std::string_view value) {
  return " " + std::string(name) + "=\"" + xml(value) + "\"";
}

}  // namespace

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
    // igv.js takes names and colours from here only, and "null" for a colour of negative values.
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
