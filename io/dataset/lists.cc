#include "io/dataset/lists.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "engine/error.h"
#include "io/dataset/folds.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::size_t kLongestName = 256;

/// First line on which each name of a file was seen.
using NameLines = std::unordered_map<std::string, std::int64_t>;

/// Throws InputError at this column of the current line if the file has had the name before; the
/// message calls it `kind`.
void expect_new(const LineFile& lines, const char* column, const char* kind, std::string_view name,
                NameLines* seen) {
  const auto [at, fresh] = seen->emplace(name, lines.line());
  if (fresh) return;
  throw InputError(lines.file(), lines.where() + column,
                   kind + at->first + " is in line " + std::to_string(at->second) + " already");
}

/// Whether the row has no name of its own.
bool is_unnamed(const std::vector<std::string_view>& fields) {
  return fields.size() < 4 || fields[3] == ".";
}

/// Reads names, one per line; messages call a name `what`, and before its text `kind`.
std::vector<std::string> read_names(const std::filesystem::path& path, const char* what,
                                    const char* kind) {
  LineFile lines(path);
  std::vector<std::string> names;
  NameLines seen;
  std::string_view line;
  while (lines.next(&line)) {
    if (line.empty() || line.size() > kLongestName) {
      throw InputError(lines.file(), lines.where(),
                       expected_got(what, "1 to " + std::to_string(kLongestName) + " bytes",
                                    std::to_string(line.size())));
    }
    expect_new(lines, "", kind, line, &seen);
    names.emplace_back(line);
  }
  return names;
}

}  // namespace

std::vector<std::string> read_gene_list(const std::filesystem::path& path) {
  return read_names(path, "gene symbol", "gene ");
}

std::vector<std::string> read_sample_list(const std::filesystem::path& path) {
  return read_names(path, "sample name", "sample ");
}

std::vector<Enhancer> read_enhancers(const std::filesystem::path& path, Unnamed unnamed) {
  LineFile lines(path);
  std::vector<Enhancer> out;
  NameLines seen;
  std::string_view line;
  while (lines.next(&line)) {
    if (is_bed_comment(line)) continue;
    const std::vector<std::string_view> fields = split(line, '\t');
    out.push_back(parse_bed(lines, fields, unnamed == Unnamed::kRefuse ? 4 : 3));
    Enhancer& enhancer = out.back();
    if (enhancer.start == enhancer.end) {
      throw InputError(lines.file(), lines.where() + ", end", "the enhancer is empty");
    }
    if (unnamed == Unnamed::kNameByPlace && is_unnamed(fields)) {
      enhancer.name = enhancer.chrom + "-" + std::to_string(enhancer.start) + "-" +
                      std::to_string(enhancer.end);
    }
    if (enhancer.name.empty()) {
      throw InputError(lines.file(), lines.where() + ", name", "is empty");
    }
    expect_new(lines, ", name", "", enhancer.name, &seen);
  }
  return out;
}

PairsFile::PairsFile(const std::filesystem::path& path, bool without_split)
    : tsv_(without_split ? TsvFile(path, {"enhancer", "gene", "beta"},
                                   {"split", "label", "fold", "se", "sample"})
                         : TsvFile(path, {"enhancer", "gene", "beta", "split"},
                                   {"label", "fold", "se", "sample"})) {}

std::int32_t PairsFile::find(Column column, const NameIndex& index) const {
  const auto at = index.find(name(column));
  return at == index.end() ? -1 : at->second;
}

void PairsFile::fail_unknown(Column column, const char* list) const {
  tsv_.fail(column,
            expected_got("unknown name", std::string("a name of ") + list, tsv_.field(column)));
}

Split PairsFile::split() const {
  if (!has_split()) return Split::kTrain;
  for (const Split split : kSplits) {
    if (tsv_.field(kSplit) == split_name(split)) return split;
  }
  tsv_.fail(kSplit, expected_got("unknown split", "train, val or test", tsv_.field(kSplit)));
}

float PairsFile::beta() const {
  float beta = 0.0F;
  const std::string_view fault = parse_finite(tsv_.field(kBeta), &beta);
  if (!fault.empty()) tsv_.fail(kBeta, expected_got(fault, kFiniteNumber, tsv_.field(kBeta)));
  return beta;
}

int PairsFile::label() const {
  if (!tsv_.has(kLabel)) return -1;
  const std::string_view label = tsv_.field(kLabel);
  if (label != "0" && label != "1") tsv_.fail(kLabel, expected_got("bad value", "0 or 1", label));
  return label == "1" ? 1 : 0;
}

std::int32_t PairsFile::fold() const {
  if (!tsv_.has(kFold)) return 0;
  std::int64_t fold = 0;
  if (!parse_int64(tsv_.field(kFold), &fold) || fold < 1 || fold > kMostFolds) {
    tsv_.fail(kFold,
              expected_got("bad fold", "1 to " + std::to_string(kMostFolds), tsv_.field(kFold)));
  }
  return static_cast<std::int32_t>(fold);
}

float PairsFile::se() const {
  if (!tsv_.has(kSe)) return 0.0F;
  float se = 0.0F;
  if (!parse_finite(tsv_.field(kSe), &se).empty() || !(se > 0.0F)) {
    tsv_.fail(kSe, expected_got("bad standard error", "a finite number above 0", tsv_.field(kSe)));
  }
  return se;
}

void PairsFile::require_samples() const {
  if (!has_samples()) tsv_.fail(kSample, "missing; the RNA is of samples");
}

std::string pairs_text(const std::vector<Pair>& pairs, const std::vector<std::string>& enhancers,
                       const std::vector<std::string>& genes,
                       const std::vector<std::string>& samples) {
  const auto any = [&](auto has) { return std::any_of(pairs.begin(), pairs.end(), has); };
  const bool with_label = any([](const Pair& pair) { return pair.label >= 0; });
  const bool with_fold = any([](const Pair& pair) { return pair.fold > 0; });
  const bool with_se = any([](const Pair& pair) { return pair.se != 0.0F; });
  std::vector<std::string> header{"split", "enhancer", "gene", "beta"};
  if (with_label) header.emplace_back("label");
  if (with_fold) header.emplace_back("fold");
  if (with_se) header.emplace_back("se");
  if (!samples.empty()) header.emplace_back("sample");
  std::string out = tab_separated(header);
  for (const Pair& pair : pairs) {
    CDT_CHECK(std::isfinite(pair.beta), "a beta is not finite");
    CDT_CHECK(!with_label || pair.label >= 0, "either all pairs have a label or none");
    CDT_CHECK(!with_fold || pair.fold > 0, "either all pairs have a fold or none");
    CDT_CHECK(!with_se || (pair.se > 0.0F && std::isfinite(pair.se)),
              "either all pairs have a standard error or none");
    std::vector<std::string> row{
        split_name(pair.split), enhancers.at(static_cast<std::size_t>(pair.enhancer)),
        genes.at(static_cast<std::size_t>(pair.gene)), format_number(pair.beta)};
    if (with_label) row.push_back(std::to_string(pair.label));
    if (with_fold) row.push_back(std::to_string(pair.fold));
    if (with_se) row.push_back(format_number(pair.se));
    if (!samples.empty()) row.push_back(samples.at(static_cast<std::size_t>(pair.sample)));
    out += tab_separated(row);
  }
  return out;
}

}  // namespace cdt
