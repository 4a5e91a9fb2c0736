// Writes a data set directory (docs/data-sets.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"
#include "io/dataset/manifest.h"

namespace cdt {

/// Writes one data set; blobs are streamed, so memory stays bounded. Files get temporary names
/// until finish() renames them, dataset.json last; without finish() the destructor removes what was
/// written.
class DatasetWriter {
 public:
  using Sizes = DatasetSizes;
  /// Creates `directory` if needed. Throws InputError if it already holds a data set (with
  /// `replace`, finish() replaces it) or if the volume has less free space than the blobs will
  /// take.
  DatasetWriter(std::filesystem::path directory, const Sizes& sizes, bool replace = false);
  /// Writes a data set with the embeddings, genes, gene table and enhancers of `from`, to which
  /// only pairs and other files are to be added, with the indices of `from`. The blobs are not
  /// copied but linked: as hard links, or as symbolic links to another file system.
  DatasetWriter(std::filesystem::path directory, const Dataset& from, bool replace = false);
  ~DatasetWriter();
  DatasetWriter(const DatasetWriter&) = delete;
  DatasetWriter& operator=(const DatasetWriter&) = delete;

  /// Appends `count` floats to the DNA blob; call in row order. For bfloat16 each value is rounded
  /// to the nearest and must stay finite.
  void append_dna(const float* values, std::int64_t count);
  /// Writes the windows of the genes likewise, if the sizes say that there are any.
  void append_dna_gene(const float* values, std::int64_t count);
  void write_rna(const std::vector<float>& values, const std::vector<std::string>& genes);
  /// Instead of write_rna(), if the sizes say that there are samples: the names and the blob
  /// (samples, G, rna_dim).
  void write_sampled_rna(const std::vector<float>& values, const std::vector<std::string>& samples,
                         const std::vector<std::string>& genes);
  void write_protein(const std::vector<float>& values, const std::vector<std::string>& genes);
  void write_enhancers(const std::vector<Enhancer>& enhancers);
  /// Writes genes.bed; comes after the genes. Empty `starts` write nothing.
  void write_gene_starts(const std::vector<std::optional<GeneStart>>& starts);
  /// Writes pairs.tsv from enhancer and gene indices, using the names of the lists above.
  void write_pairs(const std::vector<Pair>& pairs);
  /// Adds another file to the directory (truth.json, sites.bed, audit.json), renamed with the rest.
  void write_extra(const std::string& name, const std::string& content);
  /// Adds such a file of another data set, linked like the blobs: it cannot be half of what it was
  /// there.
  void link_extra(const std::string& name, const std::filesystem::path& file);
  /// Flushes all files, then renames them, dataset.json last. provenance_json is one JSON object as
  /// text. When a data set is replaced, its dataset.json is deleted first, then the extra files
  /// that this one lacks.
  void finish(const std::string& provenance_json);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cdt
