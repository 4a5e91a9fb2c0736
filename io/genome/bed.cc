#include "io/genome/bed.h"

#include <unordered_map>

#include "engine/error.h"
#include "io/format/text.h"

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

}  // namespace

bool is_bed_comment(std::string_view line) {
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  return line.empty() || line[0] == '#' || word == "track" || word == "browser";
}

BedInterval parse_bed(const LineFile& lines, const std::vector<std::string_view>& fields,
                      std::size_t columns) {
  if (fields.size() < columns) {
    throw InputError(
        lines.file(), lines.where(),
        expected_got("too few tab-separated columns", "at least " + std::to_string(columns),
                     std::to_string(fields.size())));
  }
  BedInterval out{std::string(fields[0]), coordinate(lines, "start", fields[1]),
                  coordinate(lines, "end", fields[2]),
                  std::string(fields.size() > 3 ? fields[3] : std::string_view())};
  if (out.chrom.empty()) throw InputError(lines.file(), lines.where() + ", chrom", "is empty");
  if (out.start > out.end) {
    throw InputError(
        lines.file(), lines.where() + ", end",
        expected_got("lies before the start", "at least " + std::to_string(out.start), fields[2]));
  }
  return out;
}

std::vector<BedInterval> read_enhancers(const std::filesystem::path& path) {
  LineFile lines(path);
  std::vector<BedInterval> out;
  std::unordered_map<std::string, std::int64_t> seen;
  std::string_view line;
  while (lines.next(&line)) {
    if (is_bed_comment(line)) continue;
    out.push_back(parse_bed(lines, split(line, '\t'), 4));
    if (out.back().start == out.back().end) {
      throw InputError(lines.file(), lines.where() + ", end", "the enhancer is empty");
    }
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
