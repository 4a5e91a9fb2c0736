#include "apps/import/arrays_audit.h"

#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <vector>

#include "apps/import/split_audit.h"
#include "io/format/text.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

std::int64_t repeated_coordinates(const std::vector<Enhancer>& enhancers) {
  std::set<std::tuple<std::string, std::int64_t, std::int64_t>> places;
  for (const Enhancer& e : enhancers) places.emplace(e.chrom, e.start, e.end);
  return static_cast<std::int64_t>(enhancers.size() - places.size());
}

Json split_summary(const Screen& screen, Split split) {
  const SplitCount& count = screen.of(split);
  std::vector<float> betas;
  for (const Pair& pair : screen.pairs) {
    if (pair.split == split) betas.push_back(pair.beta);
  }
  return {{"rows_read", count.read},
          {"rows_kept", count.kept},
          {"repeated_pairs", repeated_pairs(screen.pairs, split)},
          {"removed_unknown_name", count.in_no_list},
          {"removed_gene_in_one_list", count.in_one_list},
          {"removed_positive_labels", count.positive_removed},
          {"labels_present", screen.has_labels},
          {"positive_labels_kept", count.positive_kept},
          {"beta", betas.empty() ? Json() : beta_summary(betas)}};
}

std::string split_text(const std::string& name, const Json& split) {
  std::string text = name + "\n" + rows_text(split) + split["removed_unknown_name"].dump() +
                     " with an unknown name, " + split["removed_gene_in_one_list"].dump() +
                     " whose gene is in one list only";
  if (split["labels_present"].get<bool>()) {
    text += "; positive labels " + split["positive_labels_kept"].dump() + " kept, " +
            split["removed_positive_labels"].dump() + " removed";
  }
  text += "\n";
  if (split["beta"].is_null()) return text;
  return text + beta_text(split["beta"], split["rows_kept"]) + "\n";
}

}  // namespace

Json make_arrays_audit(const ArraysAuditInput& input) {
  const ArraysOptions& options = input.options;
  const Screen& screen = input.screen;
  Json audit = {{"format", "cdt-import-audit"}, {"version", 1}, {"from", "arrays"}};
  audit["assembly"] = {{"name", options.assembly},
                       {"note", "as given: arrays and lists do not record it"}};
  add_places(&audit, input.places);
  audit["genes"] = {
      {"rna_listed", input.genes.rna_listed}, {"protein_listed", input.genes.protein_listed},
      {"written", input.genes.genes_count()}, {"used_by_pairs", genes_used(screen.pairs)},
      {"rna_dim", input.genes.rna_dim},       {"protein_dim", input.genes.protein_dim}};
  audit["dna"] = {{"shape", input.dna.shape()},
                  {"dtype", input.dna.type()},
                  {"written_as", options.store_bfloat16 ? "bfloat16" : "float32"},
                  {"bins", input.bins},
                  {"dna_dim", input.dna_dim},
                  {"bin_bp", options.bin_bp},
                  {"rows_used", input.scan.rows_used},
                  {"rows_used_all_zero", input.scan.zero_rows},
                  {"non_finite_values", 0}};
  audit["enhancers"] = {{"listed", screen.listed},
                        {"written", static_cast<std::int64_t>(screen.enhancers.size())},
                        {"left_out_without_pairs",
                         screen.listed - static_cast<std::int64_t>(screen.enhancers.size())},
                        {"written_repeated_coordinates", repeated_coordinates(screen.enhancers)}};
  std::vector<Split> splits;
  for (const Split split : kSplits) {
    if (screen.of(split).read == 0) continue;
    audit["splits"][split_name(split)] = split_summary(screen, split);
    splits.push_back(split);
  }
  add_overlaps(&audit, {screen.enhancers, screen.pairs}, splits);
  return audit;
}

std::string arrays_audit_text(const Json& audit) {
  const Json& dna = audit["dna"];
  const Json& enhancers = audit["enhancers"];
  const Json& genes = audit["genes"];
  const std::int64_t window = dna["bins"].get<std::int64_t>() * dna["bin_bp"].get<std::int64_t>();
  std::string text = "genes " + genes["rna_listed"].dump() + " with RNA of " +
                     genes["rna_dim"].dump() + " features, " + genes["protein_listed"].dump() +
                     " with protein of " + genes["protein_dim"].dump() + "; " +
                     genes["written"].dump() + " written, " + genes["used_by_pairs"].dump() +
                     " used by pairs\n";
  text += "DNA " + dna["shape"].dump() + " " + dna["dtype"].get<std::string>() + ", written as " +
          dna["written_as"].get<std::string>() + "; windows of " + dna["bins"].dump() +
          " bins of " + dna["bin_bp"].dump() + " bp = " + format_with_commas(window) + " bp; " +
          dna["rows_used"].dump() + " rows used, " + dna["rows_used_all_zero"].dump() +
          " of them all zero\n";
  text += "enhancers " + enhancers["listed"].dump() + " listed, " + enhancers["written"].dump() +
          " written, " + enhancers["left_out_without_pairs"].dump() +
          " left out because no pair names them; " +
          enhancers["written_repeated_coordinates"].dump() + " repeated coordinates\n";
  for (const auto& [name, split] : audit["splits"].items()) text += split_text(name, split);
  return text + closing_text(audit);
}

}  // namespace cdt
