#include "apps/import/published/record.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;
using Kind = DnaIndex::Kind;

/// How many pairs of a split have DNA, and how it was found.
Json dna_record(const Placement& data, Split split) {
  std::int64_t exact = 0;
  std::int64_t near = 0;
  std::int64_t missing = 0;
  for (const Pair& pair : data.pairs) {
    if (pair.split != split) continue;
    const Kind kind = data.matches[static_cast<std::size_t>(pair.enhancer)].kind;
    exact += kind == Kind::kExact ? 1 : 0;
    near += kind == Kind::kNear ? 1 : 0;
    missing += kind == Kind::kMissing ? 1 : 0;
  }
  return {{"exact", exact}, {"near", near}, {"missing", missing}};
}

Json split_record(const Placement& data, const ScreenSplit& split) {
  return {{"rows_read", split.rows_read},
          {"rows_kept", static_cast<std::int64_t>(split.rows.size())},
          {"removed_gene_not_mapped", split.removed_no_gene},
          {"removed_gene_not_mapped_positive_labels", split.removed_no_gene_positive},
          {"removed_no_dna", split.removed_no_dna},
          {"removed_no_dna_positive_labels", split.removed_no_dna_positive},
          {"labels_present", split.has_labels},
          {"dna", dna_record(data, split.split)},
          {"beta_present", split.has_beta},
          {"beta_nan_taken_as_zero", split.nan_beta}};
}

std::int64_t count_kind(const Placement& data, Kind kind) {
  return std::count_if(data.matches.begin(), data.matches.end(),
                       [kind](const DnaIndex::Match& match) { return match.kind == kind; });
}

std::string split_text(const std::string& name, const Json& split) {
  const Json& dna = split["dna"];
  return name + ": " + split["rows_read"].dump() + " rows read, " + split["rows_kept"].dump() +
         " kept; removed " + split["removed_gene_not_mapped"].dump() + " without a mapped gene (" +
         split["removed_gene_not_mapped_positive_labels"].dump() + " positive labels), " +
         split["removed_no_dna"].dump() + " without DNA; DNA " + dna["exact"].dump() + " exact, " +
         dna["near"].dump() + " within 1000 bp, " + dna["missing"].dump() + " missing; " +
         (split["beta_present"].get<bool>()
              ? "beta NaN taken as 0: " + split["beta_nan_taken_as_zero"].dump()
              : "beta is not in the file: all 0") +
         "\n";
}

}  // namespace

Json published_record(const PublishedImported& input) {
  Json record = {{"from", "published files"},
                 {"assembly_note",
                  "as given: the files do not record it. The published screen's coordinates are "
                  "hg19, the sequences behind the published embeddings are hg38; without a "
                  "lift-over most tested elements are outside their DNA window."}};
  record["genes"] = {{"embedded", input.genes},
                     {"mapping_rows", input.map.entries},
                     {"mapping_repeated_keys",
                      input.map.entries - static_cast<std::int64_t>(input.map.new_of_old.size())}};
  record["dna"] = {{"shape", input.dna_shape},
                   {"distinct_coordinates", input.index.distinct()},
                   {"repeated_coordinates", input.index.rows() - input.index.distinct()},
                   {"rows_used", input.rows_used}};
  record["enhancers"] = {
      {"written", static_cast<std::int64_t>(input.data.enhancers.size())},
      {"exact", count_kind(input.data, Kind::kExact)},
      {"near", count_kind(input.data, Kind::kNear)},
      {"missing_dna_written_as_zeros", count_kind(input.data, Kind::kMissing)},
      {"missing_dna", kMissingDnaNames[static_cast<std::size_t>(input.missing)]}};
  for (const ScreenSplit& split : input.splits) {
    record["splits"][split_name(split.split)] = split_record(input.data, split);
  }
  return record;
}

std::string published_record_text(const Json& record) {
  const Json& dna = record["dna"];
  const Json& enhancers = record["enhancers"];
  const Json& genes = record["genes"];
  std::string text = "genes " + genes["embedded"].dump() + " embedded; mapping of " +
                     genes["mapping_rows"].dump() + " rows, " +
                     genes["mapping_repeated_keys"].dump() + " repeated keys\n";
  text += "DNA file " + dna["shape"].dump() + ", " + dna["distinct_coordinates"].dump() +
          " distinct coordinates, " + dna["repeated_coordinates"].dump() + " repeated; " +
          dna["rows_used"].dump() + " rows used\n";
  text += "enhancers " + enhancers["written"].dump() + " written: " + enhancers["exact"].dump() +
          " exact, " + enhancers["near"].dump() + " within 1000 bp, " +
          enhancers["missing_dna_written_as_zeros"].dump() + " without DNA (zeros)\n";
  for (const auto& [name, split] : record["splits"].items()) text += split_text(name, split);
  return text + "assembly " + record["assembly_note"].get<std::string>() + "\n";
}

}  // namespace cdt
