#include "io/dataset/gene_starts.h"

#include <algorithm>
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
void expect_chromosomes_of(const std::vector<Enhancer>& enhancers, const GeneStarts& starts,
                           const std::string& file) {
  std::set<std::string> chromosomes;
  for (const Enhancer& enhancer : enhancers) chromosomes.insert(enhancer.chrom);
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
  return read_gene_starts(path, data.genes, data.enhancers, path_text(data.directory));
}

GeneStarts read_gene_starts(const std::filesystem::path& path,
                            const std::vector<std::string>& genes,
                            const std::vector<Enhancer>& enhancers, const std::string& name) {
  const NameIndex index = index_names(genes);
  LineFile lines = lines_of_text_or_gzip(path);
  std::vector<std::optional<GeneLine>> first(genes.size());
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
    const auto gene = index.find(line.interval.name);
    if (gene == index.end()) continue;
    std::optional<GeneLine>& known = first[static_cast<std::size_t>(gene->second)];
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
  if (out.missing == std::ssize(genes)) {
    throw InputError(
        lines.file(), "names",
        expected_got("none is a gene of " + name, "gene symbols such as " + genes.front(),
                     std::to_string(intervals) + " intervals"));
  }
  expect_chromosomes_of(enhancers, out, lines.file());
  return out;
}

std::optional<ChosenGeneStarts> choose_gene_starts(const std::filesystem::path& given,
                                                   const Dataset& data) {
  if (!given.empty()) return ChosenGeneStarts{given, read_gene_starts(given, data)};
  if (data.gene_starts.empty()) return std::nullopt;
  ChosenGeneStarts out{data.gene_table, {.of_gene = data.gene_starts}};
  out.starts.missing = std::count(data.gene_starts.begin(), data.gene_starts.end(), std::nullopt);
  return out;
}

std::string gene_table_text(const std::vector<std::optional<GeneStart>>& starts,
                            const std::vector<std::string>& genes) {
  CDT_CHECK(starts.size() == genes.size(), "one start for each gene");
  std::string out;
  for (std::size_t gene = 0; gene < genes.size(); ++gene) {
    const std::optional<GeneStart>& start = starts[gene];
    if (!start) continue;
    const char* strand = start->strand > 0 ? "+" : start->strand < 0 ? "-" : ".";
    out += tab_separated({start->chrom, std::to_string(start->position),
                          std::to_string(start->position + 1), genes[gene], "0", strand});
  }
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
