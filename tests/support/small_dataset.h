// A data set on disk for tests: 5 enhancers, 4 bins of 3 features, 3 genes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/random.h"
#include "io/dataset/dataset.h"
#include "io/dataset/dataset_writer.h"

namespace cdt::test {

/// Which RNA the samples of a small data set have: the first that of one without samples, the
/// others their own or the same.
enum class SmallRna : std::uint8_t { kDistinct, kEqual };

/// Writes a data set small enough for a run in milliseconds, with the given pairs. gene_windows:
/// with a DNA window for each gene as well.
inline void write_small_dataset(const std::filesystem::path& path, const std::vector<Pair>& pairs,
                                std::int64_t samples = 0, SmallRna kind = SmallRna::kDistinct,
                                bool gene_windows = false) {
  DatasetWriter::Sizes sizes;
  sizes.enhancers = 5;
  sizes.bins = 4;
  sizes.dna_dim = 3;
  sizes.genes = 3;
  sizes.rna_dim = 2;
  sizes.protein_dim = 4;
  sizes.samples = samples;
  sizes.has_dna_gene = gene_windows;
  DatasetWriter writer(path, sizes);
  RandomStream random(11, 2);
  const auto draw = [&](std::int64_t n) {
    std::vector<float> out(static_cast<std::size_t>(n));
    for (float& x : out) x = static_cast<float>(random.normal());
    return out;
  };
  std::vector<Enhancer> enhancers;
  for (std::int64_t i = 0; i < sizes.enhancers; ++i) {
    writer.append_dna(draw(sizes.bins * sizes.dna_dim).data(), sizes.bins * sizes.dna_dim);
    enhancers.push_back({"chr1", 1000 * i, 1000 * i + 500, "E" + std::to_string(i)});
  }
  const std::vector<std::string> genes = {"A", "B", "C"};
  const std::vector<float> shared = draw(sizes.genes * sizes.rna_dim);
  if (samples == 0) {
    writer.write_rna(shared, genes);
  } else {
    RandomStream random_of_samples(11, 3);
    std::vector<float> rna;
    std::vector<std::string> names;
    for (std::int64_t sample = 0; sample < samples; ++sample) {
      for (const float value : shared) {
        const bool other = kind == SmallRna::kDistinct && sample > 0;
        rna.push_back(other ? static_cast<float>(random_of_samples.normal()) : value);
      }
      names.push_back("s" + std::to_string(sample));
    }
    writer.write_sampled_rna(rna, names, genes);
  }
  writer.write_protein(draw(sizes.genes * sizes.protein_dim), genes);
  if (gene_windows) {
    const std::vector<float> windows = draw(sizes.genes * sizes.bins * sizes.dna_dim);
    writer.append_dna_gene(windows.data(), std::ssize(windows));
  }
  writer.write_enhancers(enhancers);
  writer.write_pairs(pairs);
  writer.finish("{}");
}

}  // namespace cdt::test
