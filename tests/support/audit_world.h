// A data set in memory in which an audit finds nothing to warn of, for tests that plant one defect.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/audit/audit.h"
#include "engine/random.h"

namespace cdt::test {

/// 40 genes, two on each of chr1 to chr20. Each has four enhancers: two near its start, for
/// training, and one on either side at a distance, for val and test. The windows of val and test
/// overlap none of training.
struct AuditWorld {
  static constexpr int kGenes = 40, kBins = 8, kDim = 4;

  Dataset data;
  std::vector<std::vector<float>> windows;
  std::optional<GeneStarts> starts;
  std::optional<KnownPairs> known;

  AuditWorld() {
    data.bins = kBins;
    data.dna_dim = kDim;
    data.rna_dim = data.protein_dim = 3;
    data.bin_bp = 16384;
    data.assembly = "hg38";
    GeneStarts& all = starts.emplace();
    for (int g = 0; g < kGenes; ++g) {
      data.genes.push_back("GENE" + std::to_string(g));
      const GeneStart start{"chr" + std::to_string(g % 20 + 1), 20'000'000 + g / 20 * 20'000'000,
                            1};
      all.of_gene.emplace_back(start);
      add_pair(Split::kTrain, g, start.position - 20'000);
      add_pair(Split::kTrain, g, start.position + 21'000 + 100 * g);
      add_pair(Split::kVal, g, start.position + (g % 2 == 0 ? 300'000 : -300'000));
      add_pair(Split::kTest, g, start.position + (g % 2 == 0 ? -300'000 : 300'000));
      for (int i = 0; i < 3; ++i) {
        data.rna.push_back(normal());
        data.protein.push_back(normal());
      }
    }
  }

  float normal() { return static_cast<float>(random.normal()); }

  void add_pair(Split split, int gene, std::int64_t centre) {
    const std::string& chrom = starts->of_gene.back()->chrom;
    const auto row = static_cast<std::int32_t>(data.enhancers.size());
    data.enhancers.push_back({chrom, centre - 250, centre + 250, "E" + std::to_string(row)});
    std::vector<float>& window = windows.emplace_back();
    for (int i = 0; i < kBins * kDim; ++i) window.push_back(normal());
    const float beta = 0.1F * normal();
    data.pairs.push_back({split, row, gene, beta, beta < -0.1F ? 1 : 0});
  }

  Audit audit() const {
    const ChromosomeSizes sizes(data.assembly);
    DnaRows dna(data.bins, data.dna_dim);
    for (const std::vector<float>& window : windows) dna.add(window.data());
    AuditInput input{data, sizes, &dna};
    if (starts) {
      input.starts = &*starts;
      input.starts_file = "genes.bed";
    }
    if (known) input.known = &*known;
    return audit_of(input);
  }

  RandomStream random{5, 7};
};

}  // namespace cdt::test
