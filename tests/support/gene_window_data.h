// DNA windows of genes on disk, for tests of models with gene windows.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"
#include "io/dataset/dataset_writer.h"
#include "model/dna_feed.h"
#include "tests/support/temp_dir.h"

namespace cdt::test {

/// A data set whose windows of genes hold given values (G, L, dna_dim), and a feed that reads them.
/// The rest is as small as it can be.
class GeneWindowData {
 public:
  GeneWindowData(const Shape& shape, const std::vector<float>& values, Backend& backend,
                 Arena& lasting, std::int64_t batch)
      : data_(written(dir_.path / "data", shape, values)),
        feed_(data_, backend, lasting, batch, 0, 0, Windows::kOfGenes) {}

  DnaFeed& feed() { return feed_; }

 private:
  static std::filesystem::path written(const std::filesystem::path& path, const Shape& shape,
                                       const std::vector<float>& values) {
    DatasetWriter::Sizes sizes{.enhancers = 1,
                               .bins = shape[1],
                               .dna_dim = shape[2],
                               .genes = shape[0],
                               .rna_dim = 1,
                               .protein_dim = 1};
    sizes.has_dna_gene = true;
    DatasetWriter writer(path, sizes);
    std::vector<std::string> genes;
    for (std::int64_t g = 0; g < shape[0]; ++g) genes.push_back("G" + std::to_string(g));
    const std::vector<float> zeros(static_cast<std::size_t>(shape[1] * shape[2]));
    writer.append_dna(zeros.data(), shape[1] * shape[2]);
    writer.append_dna_gene(values.data(), shape.count());
    const std::vector<float> embeddings(genes.size());
    writer.write_rna(embeddings, genes);
    writer.write_protein(embeddings, genes);
    writer.write_enhancers({{"chr1", 10, 20, "e0"}});
    writer.write_pairs({{.beta = 1.0F}});
    writer.finish("{}");
    return path;
  }

  TempDir dir_;
  Dataset data_;
  DnaFeed feed_;
};

}  // namespace cdt::test
