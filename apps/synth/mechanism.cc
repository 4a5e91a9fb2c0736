#include "apps/synth/mechanism.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <string>

#include "engine/error.h"
#include "engine/random.h"

namespace cdt {
namespace {

// Random streams derived from the seed, one per purpose; enhancer e's window takes kWindows + e.
enum Stream : std::uint32_t { kDirections, kSites, kGenes, kPairs, kRna, kProtein, kWindows = 16 };

constexpr double kLeastAmount = 0.3, kMostAmount = 0.95;
constexpr double kCommonShare = 0.7;    // share of a background row that all bins have in common
constexpr std::int64_t kTolerance = 2;  // bins; a peak this close to a site is a hit

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

void scale_to(std::vector<double>& row, double norm) {
  const double factor = norm / std::sqrt(dot(row, row));
  for (double& value : row) value *= factor;
}

/// Draws a direction of norm 1, orthogonal to those before it.
std::vector<double> draw_direction(RandomStream& random, std::int64_t size,
                                   const std::vector<std::vector<double>>& before) {
  std::vector<double> row(static_cast<std::size_t>(size));
  for (double& value : row) value = random.normal();
  for (const auto& other : before) {
    const double along = dot(row, other);
    for (std::size_t i = 0; i < row.size(); ++i) row[i] -= along * other[i];
  }
  scale_to(row, 1.0);
  return row;
}

double between(RandomStream& random, double low, double high) {
  return low + (high - low) * random.uniform();
}

/// Ranges from which a mechanism draws the effects of its genes.
struct EffectRanges {
  double offset_low, offset_high, sensitivity_low, sensitivity_high;
  bool spares_fourth;  // whether every fourth gene has no sensitivity
};

EffectRanges effect_ranges(const std::string& mechanism) {
  if (mechanism == "none") return {0.0, 0.0, 0.0, 0.0, false};
  if (mechanism == "gene-only") return {-0.8, 0.0, 0.0, 0.0, false};
  if (mechanism == "dna") return {-0.04, -0.04, 0.4, 0.4, false};
  const bool product = mechanism == kProduct;
  CDT_CHECK(product || mechanism == kSpecific, "no mechanism " + mechanism);
  return {-0.07, -0.01, 0.25, 0.55, product};
}

/// Draws one 32-bit number per feature: the paper's size needs 1.5e10 of them.
void draw_uniform_row(RandomStream& random, std::vector<double>& row) {
  for (double& value : row) value = static_cast<double>(random.next_u32()) * 0x1.0p-31 - 1.0;
}

/// Amount of a motif `offset` bins from the centre of its site: falls linearly to about half.
double amount_at(double centre_amount, std::int64_t offset, std::int64_t reach) {
  const double distance = static_cast<double>(std::abs(offset));
  return centre_amount * (1.0 - 0.5 * distance / static_cast<double>(reach + 1));
}

}  // namespace

double PlantedSite::activity() const {
  return (amount - kLeastAmount) / (kMostAmount - kLeastAmount);
}

Split synth_split(std::int64_t enhancer) {
  const std::int64_t place = enhancer % 20;
  if (place < 16) return Split::kTrain;
  return place < 19 ? Split::kVal : Split::kTest;
}

Mechanism::Mechanism(const SynthPlan& plan) : plan_(plan) {
  check_plan(plan_);
  draw_directions();
  draw_sites();
  draw_genes();
  draw_pairs();
}

void Mechanism::draw_directions() {
  RandomStream random(plan_.seed, kDirections);
  first_motif_ = draw_direction(random, plan_.sizes.dna_dim, {});
  second_motif_ = draw_direction(random, plan_.sizes.dna_dim, {first_motif_});
  common_ = draw_direction(random, plan_.sizes.dna_dim, {first_motif_, second_motif_});
}

void Mechanism::draw_sites() {
  RandomStream random(plan_.seed, kSites);
  const std::int64_t reach = plan_.reach();
  const auto places = static_cast<std::uint64_t>(plan_.sizes.bins - 2 * reach);
  const auto draw_centre = [&] { return reach + static_cast<std::int64_t>(random.below(places)); };
  sites_.resize(static_cast<std::size_t>(plan_.sizes.enhancers));
  for (PlantedSites& sites : sites_) {
    do {
      sites.first.centre = draw_centre();
      sites.second.centre = draw_centre();
    } while (std::abs(sites.first.centre - sites.second.centre) <= 2 * (reach + kTolerance));
    sites.first.amount = between(random, kLeastAmount, kMostAmount);
    sites.second.amount = between(random, kLeastAmount, kMostAmount);
  }
}

void Mechanism::draw_genes() {
  RandomStream random(plan_.seed, kGenes);
  const EffectRanges ranges = effect_ranges(plan_.mechanism);
  genes_.resize(static_cast<std::size_t>(plan_.sizes.genes));
  for (std::size_t g = 0; g < genes_.size(); ++g) {
    genes_[g].offset = between(random, ranges.offset_low, ranges.offset_high);
    const double sensitivity = between(random, ranges.sensitivity_low, ranges.sensitivity_high);
    genes_[g].sensitivity = ranges.spares_fourth && g % 4 == 3 ? 0.0 : sensitivity;
    genes_[g].of_second = plan_.has_classes() && g % 2 == 1;
  }
}

void Mechanism::draw_pairs() {
  RandomStream random(plan_.seed, kPairs);
  for (std::int64_t e = 0; e < plan_.sizes.enhancers; ++e) {
    std::vector<std::int32_t> drawn;
    while (static_cast<std::int64_t>(drawn.size()) < plan_.pairs_per_enhancer) {
      const auto g =
          static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(plan_.sizes.genes)));
      if (std::find(drawn.begin(), drawn.end(), g) != drawn.end()) continue;
      drawn.push_back(g);
      const SynthGene& gene = genes_[static_cast<std::size_t>(g)];
      const PlantedSites& sites = sites_[static_cast<std::size_t>(e)];
      const double activity = (gene.of_second ? sites.second : sites.first).activity();
      SynthPair made;
      made.noiseless_beta = gene.offset - gene.sensitivity * activity;
      made.has_effect = gene.sensitivity > 0.0;
      made.pair.split = synth_split(e);
      made.pair.enhancer = static_cast<std::int32_t>(e);
      made.pair.gene = g;
      made.pair.beta = static_cast<float>(made.noiseless_beta + plan_.noise * random.normal());
      pairs_.push_back(made);
    }
  }
}

void Mechanism::fill_dna(std::int64_t enhancer, float* out) const {
  RandomStream random(plan_.seed, kWindows + static_cast<std::uint32_t>(enhancer));
  const PlantedSites& sites = sites_[static_cast<std::size_t>(enhancer)];
  const std::int64_t reach = plan_.reach();
  const double norm =
      std::sqrt(static_cast<double>(plan_.sizes.dna_dim));  // so that features are near 1
  std::vector<double> row(common_.size());
  for (std::int64_t bin = 0; bin < plan_.sizes.bins; ++bin) {
    draw_uniform_row(random, row);
    scale_to(row, std::sqrt(1.0 - kCommonShare * kCommonShare));
    for (std::size_t i = 0; i < row.size(); ++i) row[i] += kCommonShare * common_[i];
    const bool in_first = std::abs(bin - sites.first.centre) <= reach;
    if (in_first || std::abs(bin - sites.second.centre) <= reach) {
      const std::vector<double>& motif = in_first ? first_motif_ : second_motif_;
      const PlantedSite& site = in_first ? sites.first : sites.second;
      const double amount = amount_at(site.amount, bin - site.centre, reach);
      scale_to(row, std::sqrt(1.0 - amount * amount));
      for (std::size_t i = 0; i < row.size(); ++i) row[i] += amount * motif[i];
    }
    scale_to(row, norm);
    for (const double value : row) *out++ = static_cast<float>(value);
  }
}

std::vector<float> Mechanism::rna() const {
  RandomStream random(plan_.seed, kRna);
  const std::vector<double> telling = draw_direction(random, plan_.sizes.rna_dim, {});
  std::vector<float> out;
  for (const SynthGene& gene : genes_) {
    std::vector<double> row = draw_direction(random, plan_.sizes.rna_dim, {});
    const double told =
        plan_.has_classes() ? (gene.of_second ? -1.0 : 1.0) : 2.0 * gene.sensitivity;
    for (std::size_t i = 0; i < row.size(); ++i) row[i] += told * telling[i];
    scale_to(row, 1.0);
    out.insert(out.end(), row.begin(), row.end());
  }
  return out;
}

std::vector<float> Mechanism::protein() const {
  RandomStream random(plan_.seed, kProtein);
  std::vector<float> out;
  for (std::size_t g = 0; g < genes_.size(); ++g) {
    const std::vector<double> row = draw_direction(random, plan_.sizes.protein_dim, {});
    out.insert(out.end(), row.begin(), row.end());
  }
  return out;
}

}  // namespace cdt
