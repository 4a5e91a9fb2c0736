#include "io/bed.h"

#include <array>
#include <string_view>
#include <unordered_map>

#include "engine/error.h"
#include "io/text.h"

namespace cdt {
namespace {

constexpr std::int64_t kCoordinateLimit = (std::int64_t{1} << 32U) - 1;  // 32 bits, as in bigBed

std::int64_t coordinate(const LineFile& lines, const char* column, std::string_view text) {
  std::int64_t value = 0;
  if (!parse_int64(text, &value) || value < 0 || value > kCoordinateLimit) {
    throw InputError(lines.file(), lines.where() + ", " + column,
                     expected_got("bad coordinate", "0 to 4294967295", text));
  }
  return value;
}

BedInterval parse_line(const LineFile& lines, std::string_view line, std::size_t columns) {
  std::array<std::string_view, 4> field;
  std::size_t count = 0;
  while (count < field.size()) {
    const std::size_t tab = line.find('\t');
    field[count++] = line.substr(0, tab);
    if (tab == std::string_view::npos) break;
    line.remove_prefix(tab + 1);
  }
  if (count < columns) {
    throw InputError(lines.file(), lines.where(),
                     expected_got("too few tab-separated columns",
                                  "at least " + std::to_string(columns), std::to_string(count)));
  }
  BedInterval out{std::string(field[0]), coordinate(lines, "start", field[1]),
                  coordinate(lines, "end", field[2]), std::string(field[3])};
  if (out.chrom.empty()) throw InputError(lines.file(), lines.where() + ", chrom", "is empty");
  if (out.start >= out.end) {
    throw InputError(
        lines.file(), lines.where() + ", end",
        expected_got("interval is empty", "more than " + std::to_string(out.start), field[2]));
  }
  return out;
}

bool is_comment(std::string_view line) {
  return line.empty() || line[0] == '#' || line.substr(0, 5) == "track" ||
         line.substr(0, 7) == "browser";
}

}  // namespace

std::vector<BedInterval> read_bed(const std::filesystem::path& path) {
  LineFile lines(path);
  std::vector<BedInterval> out;
  std::string_view line;
  while (lines.next(&line)) {
    if (!is_comment(line)) out.push_back(parse_line(lines, line, 3));
  }
  return out;
}

std::vector<BedInterval> read_enhancers(const std::filesystem::path& path) {
  LineFile lines(path);
  std::vector<BedInterval> out;
  std::unordered_map<std::string, std::int64_t> seen;
  std::string_view line;
  while (lines.next(&line)) {
    out.push_back(parse_line(lines, line, 4));
    const std::string& name = out.back().name;
    const std::string where = lines.where() + ", name";
    if (name.empty()) throw InputError(lines.file(), where, "is empty");
    const auto [at, fresh] = seen.emplace(name, lines.line());
    if (!fresh) {
      throw InputError(lines.file(), where,
                       name + " stands in line " + std::to_string(at->second) + " already");
    }
  }
  return out;
}

}  // namespace cdt
