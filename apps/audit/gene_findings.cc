#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>
#include <string_view>

#include "apps/audit/findings.h"
#include "io/format/digest.h"

namespace cdt {
namespace {

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool is_lower(char c) { return std::islower(static_cast<unsigned char>(c)) != 0; }

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

/// Ensembl, RefSeq and Entrez: ENSG00000141510, ENSMUSG..., NM_000546.6, 7157.
bool is_identifier(std::string_view symbol) {
  if (all_digits(symbol)) return true;
  const std::string_view stem = symbol.substr(0, symbol.find('.'));
  if (stem.starts_with("ENS") && stem.size() >= 15)
    return all_digits(stem.substr(stem.size() - 11));
  return stem.size() > 3 && stem[2] == '_' && all_digits(stem.substr(3)) &&
         (stem.starts_with("NM") || stem.starts_with("NR") || stem.starts_with("XM") ||
          stem.starts_with("XR"));
}

bool is_month(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                     "jul", "aug", "sep", "oct", "nov", "dec"};
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::find(kMonths.begin(), kMonths.end(), lower) != kMonths.end();
}

/// What a spreadsheet makes of MARCH1 or SEPT2: 1-Mar, Mar-01, 2006-03-01, 3/1/2006.
bool is_date(std::string_view symbol) {
  const char separator = symbol.find('/') == std::string_view::npos ? '-' : '/';
  std::array<std::string_view, 3> parts;
  std::size_t count = 0;
  for (std::size_t at = 0; at <= symbol.size(); ++count) {
    if (count == parts.size()) return false;
    const std::size_t end = std::min(symbol.find(separator, at), symbol.size());
    parts[count] = symbol.substr(at, end - at);
    at = end + 1;
  }
  if (count == 2) {
    return (all_digits(parts[0]) && is_month(parts[1])) ||
           (is_month(parts[0]) && all_digits(parts[1]));
  }
  return count == 3 && all_digits(parts[0]) && all_digits(parts[2]) &&
         (all_digits(parts[1]) || is_month(parts[1]));
}

/// Lower-case letters, except the "orf" of C1orf43, which human symbols have.
bool has_lower_case(std::string_view symbol) {
  if (is_identifier(symbol) || is_date(symbol)) return false;
  std::string rest(symbol);
  const std::size_t orf = rest.find("orf");
  if (orf != std::string::npos && orf > 1 && is_digit(rest[orf - 1])) rest.erase(orf, 3);
  return std::any_of(rest.begin(), rest.end(), is_lower);
}

struct NameKind {
  const char* name;  // of the finding
  bool (*is)(std::string_view);
  const char* what;  // follows "N gene names (examples) "
};

constexpr std::array<NameKind, 3> kNameKinds{
    {{"identifiers_as_symbols", is_identifier,
      "look like database identifiers, so no table of gene symbols matches these genes"},
     {"dates_as_symbols", is_date,
      "look like dates, which spreadsheets make of symbols such as SEPT2, so these genes match no "
      "table"},
     {"lower_case_symbols", has_lower_case,
      "have lower-case letters, as mouse genes do, so no table of human symbols matches these "
      "genes"}}};

void find_names(const Dataset& data, Findings* out) {
  for (const NameKind& kind : kNameKinds) {
    std::vector<std::string> found;
    std::copy_if(data.genes.begin(), data.genes.end(), std::back_inserter(found),
                 [&](const std::string& gene) { return kind.is(gene); });
    if (found.empty()) continue;
    const auto count = static_cast<std::int64_t>(found.size());
    out->push_back({kind.name,
                    Severity::kWarning,
                    part_of(count, data.genes_count()) + " gene names (" + listed(found) + ") " +
                        kind.what + ".",
                    {{"genes", count}, {"of", data.genes_count()}, {"first", found.front()}}});
  }
}

/// The rows of RNA or of protein of all genes.
struct Table {
  const Dataset& data;
  const char* name;   // in names of findings
  const char* title;  // in sentences
  const char* where;  // likewise, for tables of samples
  std::int64_t width;
  std::vector<bool> zero, constant, repeated;  // by gene, in any sample

  /// Takes the rows of one sample, or of all pairs.
  void add(const std::vector<float>& values) {
    const std::size_t genes = data.genes.size();
    for (std::vector<bool>* flags : {&zero, &constant, &repeated}) flags->resize(genes);
    std::map<std::string, std::int64_t> rows;  // genes by digest of the row
    std::vector<std::string> digests;
    const auto row = [&](std::size_t gene) {
      return values.data() + static_cast<std::int64_t>(gene) * width;
    };
    for (std::size_t gene = 0; gene < genes; ++gene) {
      Digest digest;
      digest.add(row(gene), static_cast<std::size_t>(width) * sizeof(float));
      digests.push_back(digest.hex());
      ++rows[digests.back()];
    }
    for (std::size_t gene = 0; gene < genes; ++gene) {
      const float* values_of = row(gene);
      const float first = values_of[0];
      const bool equal =
          std::all_of(values_of, values_of + width, [first](float x) { return x == first; });
      if (equal && first == 0.0F) {
        zero[gene] = true;
      } else if (equal && width > 1) {
        constant[gene] = true;
      } else if (rows[digests[gene]] > 1) {
        repeated[gene] = true;
      }
    }
  }
  void report(const char* kind, const std::vector<bool>& flags, const std::string& sentence,
              Findings* out) const {
    std::vector<std::string> genes;
    for (std::size_t gene = 0; gene < flags.size(); ++gene) {
      if (flags[gene]) genes.push_back(data.genes[gene]);
    }
    if (genes.empty()) return;
    const auto count = static_cast<std::int64_t>(genes.size());
    out->push_back(
        {std::string(name) + "_rows_" + kind,
         Severity::kWarning,
         part_of(count, data.genes_count()) + " genes (" + listed(genes) + ") " + sentence,
         {{"genes", count}, {"of", data.genes_count()}, {"first", genes.front()}}});
  }
};

void find_rows(const Table& table, Findings* out) {
  const std::string title = table.title;
  const std::string where = table.where;
  table.report("zero", table.zero,
               "have " + title + " features of zeros" + where + ", so " + title +
                   " carries no information about them; their source probably lacked them.",
               out);
  table.report("constant", table.constant,
               "have " + title + " features that are all equal" + where +
                   ", as no embedding model gives them: these rows were probably filled in.",
               out);
  table.report("repeated", table.repeated,
               "have the " + title + " features of another gene" + where + ", so " + title +
                   " cannot distinguish the two, and one of them may have the row of the other.",
               out);
}

}  // namespace

void find_in_genes(const AuditInput& input, Findings* out) {
  const Dataset& data = input.data;
  find_names(data, out);
  Table rna{data,         "rna", "RNA", data.samples.empty() ? "" : " in some sample",
            data.rna_dim, {},    {},    {}};
  for (std::int32_t sample = 0; sample < std::max<std::int64_t>(1, data.samples_count());
       ++sample) {
    rna.add(data.rna_of(sample));
  }
  find_rows(rna, out);
  Table protein{data, "protein", "protein", "", data.protein_dim, {}, {}, {}};
  protein.add(data.protein);
  find_rows(protein, out);
}

}  // namespace cdt
