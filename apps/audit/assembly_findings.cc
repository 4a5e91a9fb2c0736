#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>

#include "apps/audit/findings.h"
#include "io/dataset/gene_starts.h"
#include "io/format/text.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

// Thresholds were set on a table of three screens in one assembly and in a mix of two: see
// docs/data-sets.md.
constexpr std::int64_t kFarBp = 2'000'000;
constexpr std::int64_t kLimitBp = 1'000'000;  // within which screens usually test
constexpr double kManyFar = 0.01;             // share of the pairs
constexpr std::int64_t kFewestEnhancers = 30;
constexpr std::int64_t kFewestOnChromosome = 10;
constexpr double kOneSided = 0.3;        // imbalance, below
constexpr double kMeanChiSquare = 10.0;  // of the signs, per chromosome: 1 if they are random

/// Enhancers of one chromosome by the side of their genes on which they lie.
struct Sides {
  std::int64_t left = 0, right = 0;
  std::int64_t excess() const { return std::abs(left - right); }
};

/// Median signed distance from its genes' starts, of each enhancer with a gene on its chromosome.
std::map<std::int32_t, double> signed_distances(const AuditInput& input) {
  std::map<std::int32_t, std::vector<double>> all;
  for (const Pair& pair : input.data.pairs) {
    const auto& start = input.starts->of_gene[static_cast<std::size_t>(pair.gene)];
    const Enhancer& enhancer = enhancer_of(input.data, pair);
    const std::optional<std::int64_t> offset = start_offset(enhancer, start);
    if (offset) all[pair.enhancer].push_back(static_cast<double>(-*offset));
  }
  std::map<std::int32_t, double> out;
  for (auto& [enhancer, distances] : all) out[enhancer] = median(std::move(distances));
  return out;
}

/// Screens test genes on both sides of an enhancer; a shift between assemblies moves all enhancers
/// of a stretch of chromosome to the same side.
void find_one_side(const AuditInput& input, Findings* out) {
  std::map<std::string, Sides> sides;
  for (const auto& [enhancer, distance] : signed_distances(input)) {
    Sides& s = sides[enhancer_of(input.data, enhancer).chrom];
    s.left += distance < 0 ? 1 : 0;
    s.right += distance > 0 ? 1 : 0;
  }
  std::erase_if(sides, [](const auto& chrom) {
    return chrom.second.left + chrom.second.right < kFewestOnChromosome;
  });
  std::int64_t enhancers = 0;
  std::int64_t excess = 0;
  double chi_square = 0.0;
  nlohmann::ordered_json by_chromosome;
  for (const auto& [chrom, s] : sides) {
    enhancers += s.left + s.right;
    excess += s.excess();
    chi_square +=
        static_cast<double>(s.excess() * s.excess()) / static_cast<double>(s.left + s.right);
    by_chromosome[chrom] = {{"before", s.left}, {"after", s.right}};
  }
  if (enhancers < kFewestEnhancers) return;
  const double imbalance = share_of(excess, enhancers);
  if (imbalance < kOneSided || chi_square < kMeanChiSquare * static_cast<double>(sides.size())) {
    return;
  }
  out->push_back({"enhancers_on_one_side_of_genes",
                  Severity::kWarning,
                  "Within a chromosome the enhancers lie mostly on the same side of the genes they "
                  "are tested with (an excess of " +
                      percent_text(imbalance) + " of " + counted_text(enhancers, "enhancer") +
                      ", near 0 in one assembly), as if their coordinates were shifted against " +
                      input.starts_file +
                      ": evidence, not proof, that the two are of different assemblies.",
                  {{"excess_share", imbalance},
                   {"enhancers", enhancers},
                   {"enhancers_by_chromosome", by_chromosome}}});
}

void find_far(const AuditInput& input, Findings* out) {
  std::int64_t here = 0;
  std::int64_t elsewhere = 0;
  std::int64_t past_limit = 0;
  std::int64_t far = 0;
  for (const Pair& pair : input.data.pairs) {
    const auto& start = input.starts->of_gene[static_cast<std::size_t>(pair.gene)];
    if (!start) continue;
    const Enhancer& enhancer = enhancer_of(input.data, pair);
    ++(start->chrom == enhancer.chrom ? here : elsewhere);
    if (start->chrom != enhancer.chrom) continue;
    const std::int64_t distance = std::abs(enhancer.centre() - start->position);
    past_limit += distance > kLimitBp ? 1 : 0;
    far += distance > kFarBp ? 1 : 0;
  }
  const nlohmann::ordered_json numbers = {{"pairs", here + elsewhere},
                                          {"beyond_1_mb", past_limit},
                                          {"beyond_2_mb", far},
                                          {"other_chromosome", elsewhere}};
  if (elsewhere > 0) {
    out->push_back({"genes_on_other_chromosomes", Severity::kWarning,
                    "In " + part_of(elsewhere, here + elsewhere) +
                        " pairs the gene lies on another chromosome than the enhancer, which most "
                        "screens do not test: gene names, coordinates or assemblies may be mixed.",
                    numbers});
  }
  if (share_of(far, here) < kManyFar) return;
  out->push_back({"genes_beyond_screen_limit", Severity::kWarning,
                  "In " + part_of(far, here) +
                      " pairs the gene starts more than 2 Mb away and in " +
                      part_of(past_limit, here) +
                      " more than 1 Mb, the usual limit of a screen: evidence, not proof, that "
                      "enhancers and gene starts are in different assemblies.",
                  numbers});
}

}  // namespace

void find_in_assembly(const AuditInput& input, Findings* out) {
  if (input.starts == nullptr) return;
  find_far(input, out);
  find_one_side(input, out);
}

}  // namespace cdt
