#include "apps/import/split_audit.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "apps/import/place_audit.h"
#include "io/format/text.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

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

Seen collect(const TestedPairs& data, Split split) {
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

/// Number of distinct enhancer-gene pairs that two splits share.
std::int64_t shared_pairs(const TestedPairs& data, Split a, Split b) {
  const Seen first = collect(data, a);
  const Seen second = collect(data, b);
  return std::count_if(first.pairs.begin(), first.pairs.end(),
                       [&](const auto& pair) { return second.pairs.contains(pair); });
}

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
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

std::string number(const Json& value) {
  return value.is_number_float() ? format_number(value.get<double>()) : value.dump();
}

/// "996 (98.9 %)"
std::string with_share(const Json& part, const Json& whole) {
  const double percent = 100.0 * share(part.get<std::int64_t>(), whole.get<std::int64_t>());
  return part.dump() + " (" + format_number(std::round(percent * 10.0) / 10.0) + " %)";
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

Overlap overlap_with_train(const TestedPairs& data, Split held_out) {
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

void add_overlaps(Json* audit, const TestedPairs& data, const std::vector<Split>& splits) {
  for (const Split split : splits) {
    if (split == Split::kTrain) continue;
    (*audit)["overlap_with_train"][split_name(split)] =
        overlap_summary(overlap_with_train(data, split));
  }
  (*audit)["pairs_in_val_and_test"] = shared_pairs(data, Split::kVal, Split::kTest);
}

Json beta_summary(const std::vector<float>& betas) {
  double sum = 0.0;
  double squares = 0.0;
  for (const float beta : betas) sum += beta;
  const auto n = static_cast<std::int64_t>(betas.size());
  const double mean = sum / static_cast<double>(n);
  for (const float beta : betas) squares += (beta - mean) * (beta - mean);
  const std::int64_t positive =
      std::count_if(betas.begin(), betas.end(), [](float beta) { return beta > 0.0F; });
  return {{"min", as_written(*std::min_element(betas.begin(), betas.end()))},
          {"max", as_written(*std::max_element(betas.begin(), betas.end()))},
          {"mean", mean},
          {"std", std::sqrt(squares / static_cast<double>(n))},
          {"zero", std::count(betas.begin(), betas.end(), 0.0F)},
          {"positive", positive},
          {"positive_share", share(positive, n)}};
}

std::int64_t repeated_pairs(const std::vector<Pair>& pairs, Split split) {
  std::set<std::pair<std::int32_t, std::int32_t>> seen;
  return std::count_if(pairs.begin(), pairs.end(), [&](const Pair& pair) {
    return pair.split == split && !seen.emplace(pair.enhancer, pair.gene).second;
  });
}

std::int64_t genes_used(const std::vector<Pair>& pairs) {
  const std::vector<std::int32_t> genes = column(pairs, &Pair::gene);
  return static_cast<std::int64_t>(std::set(genes.begin(), genes.end()).size());
}

std::string rows_text(const Json& split) {
  return "  rows      " + split["rows_read"].dump() + " read, " + split["rows_kept"].dump() +
         " kept, repeated pairs: " + split["repeated_pairs"].dump() + "; removed ";
}

std::string closing_text(const Json& audit) {
  std::string text;
  const auto overlaps = audit.find("overlap_with_train");
  if (overlaps != audit.end()) {
    for (const auto& [name, overlap] : overlaps->items()) text += overlap_text(name, overlap);
  }
  if (audit["pairs_in_val_and_test"] != 0) {
    text += "val and test share " + audit["pairs_in_val_and_test"].dump() + " pairs\n";
  }
  const auto& assembly = audit["assembly"];
  return text + "assembly " + assembly["name"].get<std::string>() + ", " +
         assembly["note"].get<std::string>() + "\n" + places_text(audit);
}

std::string beta_text(const Json& beta, const Json& rows) {
  return "  beta      min " + number(beta["min"]) + ", max " + number(beta["max"]) + ", mean " +
         number(beta["mean"]) + ", std " + number(beta["std"]) + "; positive " +
         with_share(beta["positive"], rows);
}

}  // namespace cdt
