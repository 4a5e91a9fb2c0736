#include "apps/import/published/audit.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "apps/import/split_audit.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;
using Kind = DnaIndex::Kind;

Json betas(const ScreenSplit& split) {
  std::vector<float> values;
  for (const ScreenRow& row : split.rows) values.push_back(row.beta);
  Json out = {{"present", split.has_beta}, {"nan_taken_as_zero", split.nan_beta}};
  out.update(beta_summary(values));
  return out;
}

/// How many pairs of a split have DNA, and how it was found.
Json dna_summary(const Placement& data, Split split) {
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

Json split_summary(const AuditInput& input, const ScreenSplit& split) {
  std::int64_t positive = 0;
  for (const ScreenRow& row : split.rows) positive += row.label == 1 ? 1 : 0;
  return {{"rows_read", split.rows_read},
          {"rows_kept", static_cast<std::int64_t>(split.rows.size())},
          {"repeated_pairs", repeated_pairs(input.data.pairs, split.split)},
          {"removed_gene_not_mapped", split.removed_no_gene},
          {"removed_gene_not_mapped_positive_labels", split.removed_no_gene_positive},
          {"removed_no_dna", split.removed_no_dna},
          {"removed_no_dna_positive_labels", split.removed_no_dna_positive},
          {"labels_present", split.has_labels},
          {"positive_labels_kept", positive},
          {"dna", dna_summary(input.data, split.split)},
          {"beta", betas(split)}};
}

std::int64_t count_kind(const Placement& data, Kind kind) {
  return std::count_if(data.matches.begin(), data.matches.end(),
                       [kind](const DnaIndex::Match& match) { return match.kind == kind; });
}

std::string split_text(const std::string& name, const Json& split) {
  const Json& beta = split["beta"];
  const Json& dna = split["dna"];
  std::string text = name + "\n" + rows_text(split) + split["removed_gene_not_mapped"].dump() +
                     " without a mapped gene (" +
                     split["removed_gene_not_mapped_positive_labels"].dump() +
                     " positive labels), " + split["removed_no_dna"].dump() + " without DNA\n";
  text += "  DNA       " + dna["exact"].dump() + " exact, " + dna["near"].dump() +
          " within 1000 bp, " + dna["missing"].dump() + " missing\n";
  if (!beta["present"].get<bool>()) return text + "  beta      not in the file: all 0\n";
  text += beta_text(beta, split["rows_kept"]);
  text += "; NaN taken as 0: " + beta["nan_taken_as_zero"].dump() + "\n";
  return text;
}

}  // namespace

Json make_audit(const AuditInput& input) {
  Json audit = {{"format", "cdt-import-audit"}, {"version", 1}};
  audit["assembly"] = {
      {"name", input.assembly},
      {"note",
       "as given: the files do not record it. The published screen's coordinates are "
       "hg19, the sequences behind the published embeddings are hg38; without a lift-over most "
       "tested elements are outside their DNA window."}};
  add_places(&audit, input.places);
  audit["genes"] = {{"embedded", input.genes},
                    {"used_by_pairs", genes_used(input.data.pairs)},
                    {"mapping_rows", input.map.entries},
                    {"mapping_repeated_keys",
                     input.map.entries - static_cast<std::int64_t>(input.map.new_of_old.size())}};
  audit["dna"] = {{"shape", input.dna_shape},
                  {"distinct_coordinates", input.index.distinct()},
                  {"repeated_coordinates", input.index.rows() - input.index.distinct()},
                  {"rows_used", input.scan.rows_used},
                  {"rows_used_all_zero", input.scan.zero_rows},
                  {"non_finite_values", 0}};
  audit["enhancers"] = {{"written", static_cast<std::int64_t>(input.data.enhancers.size())},
                        {"exact", count_kind(input.data, Kind::kExact)},
                        {"near", count_kind(input.data, Kind::kNear)},
                        {"missing_dna_written_as_zeros", count_kind(input.data, Kind::kMissing)},
                        {"missing_dna", kMissingDnaNames[static_cast<std::size_t>(input.missing)]}};
  for (const ScreenSplit& split : input.splits) {
    audit["splits"][split_name(split.split)] = split_summary(input, split);
  }
  std::vector<Split> splits;
  for (const ScreenSplit& split : input.splits) splits.push_back(split.split);
  add_overlaps(&audit, {input.data.enhancers, input.data.pairs}, splits);
  return audit;
}

std::string audit_text(const Json& audit) {
  const Json& dna = audit["dna"];
  const Json& enhancers = audit["enhancers"];
  const Json& genes = audit["genes"];
  std::string text = "genes " + genes["embedded"].dump() + " embedded, " +
                     genes["used_by_pairs"].dump() + " used by pairs; mapping of " +
                     genes["mapping_rows"].dump() + " rows, " +
                     genes["mapping_repeated_keys"].dump() + " repeated keys\n";
  text += "DNA file " + dna["shape"].dump() + ", " + dna["distinct_coordinates"].dump() +
          " distinct coordinates, " + dna["repeated_coordinates"].dump() + " repeated; " +
          dna["rows_used"].dump() + " rows used, " + dna["rows_used_all_zero"].dump() +
          " of them all zero\n";
  text += "enhancers " + enhancers["written"].dump() + " written: " + enhancers["exact"].dump() +
          " exact, " + enhancers["near"].dump() + " within 1000 bp, " +
          enhancers["missing_dna_written_as_zeros"].dump() + " without DNA (zeros)\n";
  for (const auto& [name, split] : audit["splits"].items()) text += split_text(name, split);
  return text + closing_text(audit);
}

}  // namespace cdt
