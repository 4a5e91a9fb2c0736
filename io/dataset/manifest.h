// dataset.json, the manifest of a data set directory (docs/data-sets.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace cdt {

struct DatasetSizes {
  std::int64_t enhancers = 0, bins = 0, dna_dim = 0;  // dna.shape
  std::int64_t genes = 0, rna_dim = 0, protein_dim = 0;
  int bin_bp = 128;
  std::string assembly = "hg38";
  bool dna_is_bfloat16 = false;  // otherwise float32
  bool has_dna_gene = false;     // whether there is a DNA window for each gene as well
  bool dna_gene_is_bfloat16 = false;
  std::int64_t samples = 0;  // of RNA, each with a row for every gene; 0: one RNA for all pairs

  /// Total bytes of the DNA, RNA and protein blobs.
  std::uint64_t blob_bytes() const {
    const auto windows = [this](std::int64_t count, bool is_bfloat16) {
      return static_cast<std::uint64_t>(count * bins * dna_dim) * (is_bfloat16 ? 2 : sizeof(float));
    };
    const std::int64_t tables = genes * ((samples > 0 ? samples : 1) * rna_dim + protein_dim);
    return windows(enhancers, dna_is_bfloat16) +
           windows(has_dna_gene ? genes : 0, dna_gene_is_bfloat16) +
           static_cast<std::uint64_t>(tables) * sizeof(float);
  }
};

inline constexpr const char* kManifestName = "dataset.json";

struct Manifest : DatasetSizes {
  // File names relative to the directory.
  std::string dna_file = "dna.f32";
  std::string rna_file = "rna.f32";
  std::string rna_genes = "rna.genes.txt";
  std::string rna_samples = "rna.samples.txt";  // with samples
  std::string protein_file = "protein.f32";
  std::string protein_genes = "protein.genes.txt";
  std::string enhancers_file = "enhancers.bed";
  std::string pairs_file = "pairs.tsv";
  std::string gene_starts_file = {};  // "": none
  std::string dna_gene_file = "dna_gene.f32";
};

/// Reads dataset.json. Throws InputError naming the file and the key: an unknown or missing key, a
/// wrong type, another version, sizes that are not positive or that overflow, or a file outside the
/// directory.
Manifest read_manifest(const std::filesystem::path& path);

/// Text of dataset.json; `provenance_json` is one JSON object.
std::string manifest_text(const Manifest& manifest, const std::string& provenance_json);

}  // namespace cdt
