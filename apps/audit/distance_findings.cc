#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include "apps/audit/findings.h"
#include "io/format/text.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr std::int64_t kFewestGenes = 20;  // fewer are on few chromosomes by design
constexpr std::size_t kFewChromosomes = 5;
constexpr double kMostGenes = 0.9;        // share of the genes that those hold
constexpr double kFewInside = 0.5;        // share of the pairs whose gene start is in the window
constexpr double kManyMissing = 0.05;     // share of the genes that the file lacks
constexpr std::int64_t kNearBp = 20'000;  // bands of distance
constexpr std::int64_t kMiddleBp = 100'000;
constexpr std::int64_t kFarBp = 2'500'000;

void find_missing_genes(const AuditInput& input, Findings* out) {
  const Dataset& data = input.data;
  std::vector<bool> missing;
  std::vector<std::string> names;
  for (std::size_t gene = 0; gene < data.genes.size(); ++gene) {
    missing.push_back(!input.starts->of_gene[gene]);
    if (missing.back()) names.push_back(data.genes[gene]);
  }
  if (names.empty()) return;
  const auto count = static_cast<std::int64_t>(names.size());
  const std::int64_t pairs = pairs_with(data.pairs, &Pair::gene, missing);
  const bool many = share_of(count, data.genes_count()) >= kManyMissing;
  out->push_back({"genes_without_start",
                  many ? Severity::kWarning : Severity::kNote,
                  part_of(count, data.genes_count()) + " genes (" + listed(names) + "), with " +
                      counted_text(pairs, "pair") + ", are not in " + input.starts_file +
                      ": their names are other ones or mistaken, and results by distance leave "
                      "these pairs out.",
                  {{"genes", count}, {"pairs", pairs}, {"first", names.front()}}});
}

/// Genes concentrated on few chromosomes.
void find_chromosomes(const AuditInput& input, Findings* out) {
  std::map<std::string, std::int64_t> genes_on;
  std::int64_t placed = 0;
  for (const std::optional<GeneStart>& start : input.starts->of_gene) {
    if (!start) continue;
    ++genes_on[start->chrom];
    ++placed;
  }
  std::vector<std::pair<std::string, std::int64_t>> order(genes_on.begin(), genes_on.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> most;
  std::int64_t held = 0;
  for (const auto& [chrom, genes] : order) {
    if (static_cast<double>(held) >= kMostGenes * static_cast<double>(placed)) break;
    most.push_back(chrom);
    held += genes;
  }
  if (placed < kFewestGenes || most.size() > kFewChromosomes) return;
  out->push_back(
      {"genes_on_few_chromosomes",
       Severity::kWarning,
       part_of(held, placed) + " genes lie on " + listed(most, kFewChromosomes) +
           ", so the gene set is probably an artefact of how a list was cut, and results "
           "need not hold for the rest of the genome.",
       {{"genes_by_chromosome", genes_on}, {"chromosomes_with_90_percent", most}}});
}

/// Signs and sizes of the distances of all pairs.
struct Distances {
  std::vector<double> size;  // ascending, of pairs on one chromosome
  std::int64_t near = 0, middle = 0, far = 0, farther = 0;
  std::int64_t other_chromosome = 0, unknown = 0;
  std::int64_t inside = 0;  // gene starts inside the DNA window

  std::int64_t known() const { return static_cast<std::int64_t>(size.size()) + other_chromosome; }
};

Distances distances_of(const AuditInput& input) {
  const Dataset& data = input.data;
  const std::int64_t before = data.bins / 2 * data.bin_bp;
  const std::int64_t after = data.bins * data.bin_bp - before;
  Distances out;
  for (const Pair& pair : data.pairs) {
    const auto& start = input.starts->of_gene[static_cast<std::size_t>(pair.gene)];
    const Enhancer& enhancer = enhancer_of(data, pair);
    if (!start) {
      ++out.unknown;
    } else if (start->chrom != enhancer.chrom) {
      ++out.other_chromosome;
    } else {
      const std::int64_t offset = start->position - enhancer.centre();
      const std::int64_t size = std::abs(offset);
      out.size.push_back(static_cast<double>(size));
      out.inside += offset >= -before && offset < after ? 1 : 0;
      ++(size < kNearBp     ? out.near
         : size < kMiddleBp ? out.middle
         : size < kFarBp    ? out.far
                            : out.farther);
    }
  }
  std::sort(out.size.begin(), out.size.end());
  return out;
}

std::string kilobases(double bp) { return format_number(std::round(bp / 100.0) / 10.0) + " kb"; }

void find_distances(const AuditInput& input, Findings* out) {
  const Distances d = distances_of(input);
  const auto quantile = [&](double q) { return quantile_of_sorted(d.size, q); };
  nlohmann::ordered_json numbers = {{"pairs_0_20_kb", d.near},
                                    {"pairs_20_100_kb", d.middle},
                                    {"pairs_100_2500_kb", d.far},
                                    {"pairs_beyond_2500_kb", d.farther},
                                    {"pairs_other_chromosome", d.other_chromosome},
                                    {"pairs_unknown", d.unknown},
                                    {"pairs_start_in_window", d.inside}};
  if (!d.size.empty()) {
    numbers["quartiles_bp"] = {quantile(0.25), quantile(0.5), quantile(0.75)};
    out->push_back({"enhancer_gene_distances", Severity::kNote,
                    "In half of the pairs the enhancer lies within " + kilobases(quantile(0.5)) +
                        " of the start of the gene (quartiles " + kilobases(quantile(0.25)) +
                        " and " + kilobases(quantile(0.75)) +
                        "), and the distance alone may predict part of the effect: compare a "
                        "model with the baseline distance.",
                    numbers});
  }
  if (d.known() == 0 || share_of(d.inside, d.known()) >= kFewInside) return;
  out->push_back({"gene_starts_outside_windows",
                  Severity::kWarning,
                  "The gene's start is inside the DNA window for only " +
                      part_of(d.inside, d.known()) +
                      " pairs: for the others the window does not contain the promoter, and "
                      "attention or gradient within it carries no information about contact with "
                      "the gene.",
                  {{"inside", d.inside}, {"of", d.known()}}});
}

}  // namespace

void find_in_distances(const AuditInput& input, Findings* out) {
  if (input.starts == nullptr) return;
  find_missing_genes(input, out);
  find_chromosomes(input, out);
  find_distances(input, out);
}

}  // namespace cdt
