#include "apps/import/audit.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "io/format/text.h"

namespace cdt {
namespace {

struct Seen {
  std::set<std::int32_t> enhancers, genes;
  std::set<std::pair<std::int32_t, std::int32_t>> pairs;
  std::map<std::string, std::set<std::int64_t>> centres;  // by chromosome

  bool has_neighbour(const Enhancer& enhancer) const {
    const auto found = centres.find(enhancer.chrom);
    if (found == centres.end()) return false;
    const auto next = found->second.lower_bound(enhancer.centre() - Overlap::kNeighbourBp);
    return next != found->second.end() && *next <= enhancer.centre() + Overlap::kNeighbourBp;
  }
};

Seen collect(const Placement& data, Split split) {
  Seen seen;
  for (const Pair& pair : data.pairs) {
    if (pair.split != split) continue;
    const Enhancer& enhancer = data.enhancers[static_cast<std::size_t>(pair.enhancer)];
    seen.enhancers.insert(pair.enhancer);
    seen.genes.insert(pair.gene);
    seen.pairs.emplace(pair.enhancer, pair.gene);
    seen.centres[enhancer.chrom].insert(enhancer.centre());
  }
  return seen;
}

std::int64_t shared(const std::set<std::int32_t>& a, const std::set<std::int32_t>& b) {
  std::int64_t count = 0;
  for (const std::int32_t value : a) count += b.contains(value) ? 1 : 0;
  return count;
}

/// How many different pairs of enhancer and gene two splits share.
std::int64_t shared_pairs(const Placement& data, Split a, Split b) {
  const Seen first = collect(data, a);
  const Seen second = collect(data, b);
  return std::count_if(first.pairs.begin(), first.pairs.end(),
                       [&](const auto& pair) { return second.pairs.contains(pair); });
}

using Json = nlohmann::ordered_json;
using Kind = DnaIndex::Kind;

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

Json beta_summary(const ScreenSplit& split) {
  double sum = 0.0;
  double squares = 0.0;
  std::int64_t positive = 0;
  std::int64_t zero = 0;
  float low = split.rows.front().beta;
  float high = low;
  for (const ScreenRow& row : split.rows) {
    sum += row.beta;
    low = std::min(low, row.beta);
    high = std::max(high, row.beta);
    positive += row.beta > 0.0F ? 1 : 0;
    zero += row.beta == 0.0F ? 1 : 0;
  }
  const auto n = static_cast<std::int64_t>(split.rows.size());
  const double mean = sum / static_cast<double>(n);
  for (const ScreenRow& row : split.rows) squares += (row.beta - mean) * (row.beta - mean);
  return {{"present", split.has_beta},
          {"nan_taken_as_zero", split.nan_beta},
          {"min", as_written(low)},
          {"max", as_written(high)},
          {"mean", mean},
          {"std", std::sqrt(squares / static_cast<double>(n))},
          {"zero", zero},
          {"positive", positive},
          {"positive_share", share(positive, n)}};
}

/// How the DNA of one split's pairs was found.
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
          {"removed_gene_not_mapped", split.removed_no_gene},
          {"removed_gene_not_mapped_positive_labels", split.removed_no_gene_positive},
          {"removed_no_dna", split.removed_no_dna},
          {"removed_no_dna_positive_labels", split.removed_no_dna_positive},
          {"labels_present", split.has_labels},
          {"positive_labels_kept", positive},
          {"dna", dna_summary(input.data, split.split)},
          {"beta", beta_summary(split)}};
}

Json overlap_summary(const Overlap& overlap) {
  return {{"pairs", overlap.pairs},
          {"pairs_enhancer_in_train", overlap.pairs_enhancer_in_train},
          {"pairs_enhancer_within_1kb_of_train", overlap.pairs_enhancer_near_train},
          {"pairs_gene_in_train", overlap.pairs_gene_in_train},
          {"pairs_in_train", overlap.pairs_in_train},
          {"enhancers", overlap.enhancers},
          {"enhancers_in_train", overlap.enhancers_in_train},
          {"genes", overlap.genes},
          {"genes_in_train", overlap.genes_in_train}};
}

std::int64_t genes_used(const Placement& data) {
  const std::vector<std::int32_t> genes = column(data.pairs, &Pair::gene);
  return static_cast<std::int64_t>(std::set(genes.begin(), genes.end()).size());
}

std::int64_t count_kind(const Placement& data, Kind kind) {
  return std::count_if(data.matches.begin(), data.matches.end(),
                       [kind](const DnaIndex::Match& match) { return match.kind == kind; });
}

std::string number(const Json& value) {
  return value.is_number_float() ? format_number(value.get<double>()) : value.dump();
}

/// "996 (98.9 %)"
std::string with_share(const Json& part, const Json& whole) {
  const double percent = 100.0 * share(part.get<std::int64_t>(), whole.get<std::int64_t>());
  return part.dump() + " (" + format_number(std::round(percent * 10.0) / 10.0) + " %)";
}

std::string split_text(const std::string& name, const Json& split) {
  const Json& beta = split["beta"];
  const Json& dna = split["dna"];
  std::string text = name + "\n  rows      " + split["rows_read"].dump() + " read, " +
                     split["rows_kept"].dump() + " kept; removed " +
                     split["removed_gene_not_mapped"].dump() + " without a mapped gene (" +
                     split["removed_gene_not_mapped_positive_labels"].dump() +
                     " positive labels), " + split["removed_no_dna"].dump() + " without DNA\n";
  text += "  DNA       " + dna["exact"].dump() + " exact, " + dna["near"].dump() +
          " within 1000 bp, " + dna["missing"].dump() + " missing\n";
  if (!beta["present"].get<bool>()) return text + "  beta      not in the file: all 0\n";
  text += "  beta      min " + number(beta["min"]) + ", max " + number(beta["max"]) + ", mean " +
          number(beta["mean"]) + ", std " + number(beta["std"]) + "; positive " +
          with_share(beta["positive"], split["rows_kept"]);
  text += "; NaN taken as 0: " + beta["nan_taken_as_zero"].dump() + "\n";
  return text;
}

std::string overlap_text(const std::string& name, const Json& overlap) {
  const Json& pairs = overlap["pairs"];
  return name + " against train, of " + pairs.dump() + " pairs\n  the same enhancer   " +
         with_share(overlap["pairs_enhancer_in_train"], pairs) + "\n  within 1 kb of one   " +
         with_share(overlap["pairs_enhancer_within_1kb_of_train"], pairs) +
         "\n  the same gene       " + with_share(overlap["pairs_gene_in_train"], pairs) +
         "\n  the same pair       " + with_share(overlap["pairs_in_train"], pairs) + "\n";
}

}  // namespace

Overlap overlap_with_train(const Placement& data, Split held_out) {
  const Seen train = collect(data, Split::kTrain);
  const Seen held = collect(data, held_out);
  Overlap out;
  for (const Pair& pair : data.pairs) {
    if (pair.split != held_out) continue;
    const Enhancer& enhancer = data.enhancers[static_cast<std::size_t>(pair.enhancer)];
    ++out.pairs;
    out.pairs_enhancer_in_train += train.enhancers.contains(pair.enhancer) ? 1 : 0;
    out.pairs_enhancer_near_train += train.has_neighbour(enhancer) ? 1 : 0;
    out.pairs_gene_in_train += train.genes.contains(pair.gene) ? 1 : 0;
    out.pairs_in_train += train.pairs.contains({pair.enhancer, pair.gene}) ? 1 : 0;
  }
  out.enhancers = static_cast<std::int64_t>(held.enhancers.size());
  out.enhancers_in_train = shared(held.enhancers, train.enhancers);
  out.genes = static_cast<std::int64_t>(held.genes.size());
  out.genes_in_train = shared(held.genes, train.genes);
  return out;
}

Json make_audit(const AuditInput& input) {
  Json audit = {{"format", "cdt-import-audit"}, {"version", 1}};
  audit["assembly"] = {
      {"name", input.assembly},
      {"note",
       "as given, not checked: the files do not say it. The published screen's coordinates are "
       "hg19, the sequences behind the published embeddings are hg38; without a lift-over most "
       "tested elements lie outside their DNA window."}};
  audit["genes"] = {{"embedded", input.genes},
                    {"used_by_pairs", genes_used(input.data)},
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
  for (const ScreenSplit& split : input.splits) {
    if (split.split == Split::kTrain) continue;
    audit["overlap_with_train"][split_name(split.split)] =
        overlap_summary(overlap_with_train(input.data, split.split));
  }
  audit["pairs_in_val_and_test"] = shared_pairs(input.data, Split::kVal, Split::kTest);
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
  for (const auto& [name, overlap] : audit["overlap_with_train"].items()) {
    text += overlap_text(name, overlap);
  }
  if (audit["pairs_in_val_and_test"] != 0) {
    text += "val and test share " + audit["pairs_in_val_and_test"].dump() + " pairs\n";
  }
  const Json& assembly = audit["assembly"];
  return text + "assembly " + assembly["name"].get<std::string>() + ", " +
         assembly["note"].get<std::string>() + "\n";
}

}  // namespace cdt
