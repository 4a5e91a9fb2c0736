#include "apps/import/arrays_record.h"

#include <nlohmann/json.hpp>

#include "io/format/text.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

Json split_record(const SplitCount& count) {
  return {{"rows_read", count.read},
          {"rows_kept", count.kept},
          {"removed_unknown_name", count.in_no_list},
          {"removed_gene_in_one_list", count.in_one_list},
          {"removed_positive_labels", count.positive_removed}};
}

std::string split_text(const std::string& name, const Json& split) {
  return name + ": " + split["rows_read"].dump() + " rows read, " + split["rows_kept"].dump() +
         " kept; removed " + split["removed_unknown_name"].dump() + " with an unknown name, " +
         split["removed_gene_in_one_list"].dump() + " whose gene is in one list only (" +
         split["removed_positive_labels"].dump() + " positive labels)\n";
}

}  // namespace

Json arrays_record(const ArraysImported& input) {
  const ArraysOptions& options = input.options;
  const Screen& screen = input.screen;
  const auto written = std::ssize(screen.enhancers);
  Json record = {{"from", "arrays"},
                 {"assembly_note", "as given: arrays and lists do not record it"}};
  record["genes"] = {{"rna_listed", input.genes.rna_listed},
                     {"protein_listed", input.genes.protein_listed},
                     {"written", input.genes.genes_count()},
                     {"rna_dim", input.genes.rna_dim},
                     {"protein_dim", input.genes.protein_dim}};
  if (!input.genes.samples.empty()) record["samples"] = std::ssize(input.genes.samples);
  record["dna"] = {{"shape", input.dna.shape()},
                   {"dtype", input.dna.type()},
                   {"written_as", options.store_bfloat16 ? "bfloat16" : "float32"},
                   {"bins", input.bins},
                   {"dna_dim", input.dna_dim},
                   {"bin_bp", options.bin_bp},
                   {"rows_used", input.rows_used}};
  if (input.dna_gene != nullptr) {
    record["dna_gene"] = {{"shape", input.dna_gene->shape()}, {"dtype", input.dna_gene->type()}};
  }
  record["enhancers"] = {{"listed", screen.listed},
                         {"written", written},
                         {"left_out_without_pairs", screen.listed - written}};
  for (const Split split : kSplits) {
    if (screen.of(split).read == 0) continue;
    record["splits"][split_name(split)] = split_record(screen.of(split));
  }
  return record;
}

std::string arrays_record_text(const Json& record) {
  const Json& dna = record["dna"];
  const Json& enhancers = record["enhancers"];
  const Json& genes = record["genes"];
  const std::int64_t window = dna["bins"].get<std::int64_t>() * dna["bin_bp"].get<std::int64_t>();
  std::string text = "genes " + genes["rna_listed"].dump() + " with RNA of " +
                     genes["rna_dim"].dump() + " features, " + genes["protein_listed"].dump() +
                     " with protein of " + genes["protein_dim"].dump() + "; " +
                     genes["written"].dump() + " written\n";
  if (record.contains("samples")) text += "RNA of " + record["samples"].dump() + " samples\n";
  text += "DNA " + dna["shape"].dump() + " " + dna["dtype"].get<std::string>() + ", written as " +
          dna["written_as"].get<std::string>() + "; windows of " + dna["bins"].dump() +
          " bins of " + dna["bin_bp"].dump() + " bp = " + format_with_commas(window) + " bp; " +
          dna["rows_used"].dump() + " rows used\n";
  if (record.contains("dna_gene")) {
    text += "DNA at gene starts " + record["dna_gene"]["shape"].dump() + " " +
            record["dna_gene"]["dtype"].get<std::string>() + ", written for " +
            genes["written"].dump() + " genes\n";
  }
  text += "enhancers " + enhancers["listed"].dump() + " listed, " + enhancers["written"].dump() +
          " written, " + enhancers["left_out_without_pairs"].dump() +
          " left out because no pair names them\n";
  for (const auto& [name, split] : record["splits"].items()) text += split_text(name, split);
  return text + "assembly " + record["assembly_note"].get<std::string>() + "\n";
}

}  // namespace cdt
