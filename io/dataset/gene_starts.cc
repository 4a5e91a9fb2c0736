#include "io/dataset/gene_starts.h"

#include <cstddef>
#include <set>
#include <string_view>
#include <utility>

#include "engine/error.h"
#include "io/format/gzip.h"
#include "io/format/text.h"
#include "io/format/text_file.h"
#include "io/genome/locus.h"

namespace cdt {
namespace {

constexpr std::size_t kFileLimit = std::size_t{1} << 30U;

struct GeneLine {
  Locus interval;
  int strand = 0;

  bool operator==(const GeneLine&) const = default;
};

int strand_of(const LineFile& lines, const std::vector<std::string_view>& fields) {
  if (fields.size() < 6 || fields[5] == ".") return 0;
  if (fields[5] == "+") return 1;
  if (fields[5] == "-") return -1;
  throw InputError(lines.file(), lines.where() + ", strand",
                   expected_got("is none", "+, - or .", fields[5]));
}

GeneStart start_of(const GeneLine& line, bool window) {
  const Locus& i = line.interval;
  const bool at_end = !window && line.strand < 0 && i.end > i.start;
  const bool at_start = !window && line.strand > 0;
  return {i.chrom, at_end ? i.end - 1 : at_start ? i.start : i.centre(), line.strand};
}

/// Throws InputError where the file names chromosomes differently ("1" for "chr1"): every distance
/// would be unknown.
void expect_chromosomes_of(const Dataset& data, const GeneStarts& starts, const std::string& file) {
  std::set<std::string> chromosomes;
  for (const Enhancer& enhancer : data.enhancers) chromosomes.insert(enhancer.chrom);
  std::string found;
  for (const std::optional<GeneStart>& start : starts.of_gene) {
    if (!start) continue;
    if (chromosomes.count(start->chrom) != 0) return;
    if (found.empty()) found = start->chrom;
  }
  throw InputError(file, "chrom",
                   expected_got("no gene lies on a chromosome of the enhancers",
                                "names such as " + *chromosomes.begin(), found));
}

}  // namespace

GeneStarts read_gene_starts(const std::filesystem::path& path, const Dataset& data) {
  LineFile lines(path.string(), open_text_or_gzip(path, kFileLimit));
  std::vector<std::optional<GeneLine>> first(data.genes.size());
  std::set<std::int64_t> lengths;  // two different lengths are enough to know
  std::int64_t intervals = 0;
  GeneStarts out;
  std::string_view text;
  while (lines.next(&text)) {
    if (is_bed_comment(text)) continue;
    const std::vector<std::string_view> fields = split(text, '\t');
    GeneLine line{parse_bed(lines, fields, 4), strand_of(lines, fields)};
    if (line.interval.name.empty()) {
      throw InputError(lines.file(), lines.where() + ", name", "is empty");
    }
    ++intervals;
    if (lengths.size() < 2) lengths.insert(line.interval.end - line.interval.start);
    const std::int32_t gene = data.find_gene(line.interval.name);
    if (gene < 0) continue;
    std::optional<GeneLine>& known = first[static_cast<std::size_t>(gene)];
    if (!known) {
      known = std::move(line);
    } else if (*known != line) {
      ++out.repeated;
    }
  }
  out.windows = intervals > 1 && lengths.size() == 1;
  for (const std::optional<GeneLine>& line : first) {
    out.of_gene.push_back(line ? std::optional(start_of(*line, out.windows)) : std::nullopt);
    out.missing += line ? 0 : 1;
  }
  if (out.missing == data.genes_count()) {
    throw InputError(lines.file(), "names",
                     expected_got("none is a gene of " + path_text(data.directory),
                                  "gene symbols such as " + data.genes.front(),
                                  std::to_string(intervals) + " intervals"));
  }
  expect_chromosomes_of(data, out, lines.file());
  return out;
}

std::string GeneStarts::remark(const std::filesystem::path& file) const {
  if (missing == 0 && repeated == 0) return "";
  std::string out = path_text(file) + ": ";
  if (missing > 0) {
    out += std::to_string(missing) + " of " + std::to_string(of_gene.size()) +
           " genes are not in it: their starts are unknown";
  }
  if (repeated > 0) {
    out += std::string(missing > 0 ? "; " : "") + std::to_string(repeated) +
           " lines place a gene elsewhere than its first line and are skipped";
  }
  return out;
}

}  // namespace cdt
