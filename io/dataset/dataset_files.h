// The single files of a data set directory, each read whole and checked (docs/formats.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/dataset/dataset.h"

namespace cdt {

using NameIndex = std::unordered_map<std::string, std::int32_t>;

/// Row of each name; the names are unique.
NameIndex index_names(const std::vector<std::string>& names);

/// One symbol per line, exactly `count`, none empty, none twice.
std::vector<std::string> read_gene_list(const std::filesystem::path& path, std::int64_t count);

/// The two gene lists must be equal line by line.
void check_same_genes(const std::filesystem::path& rna_path, const std::vector<std::string>& rna,
                      const std::filesystem::path& protein_path,
                      const std::vector<std::string>& protein);

/// A (genes, columns) float32 blob, or its ".gz"; InputError on a wrong size and on NaN or
/// infinity, naming gene and feature.
std::vector<float> read_matrix(const std::filesystem::path& path,
                               const std::vector<std::string>& genes, std::int64_t columns);

/// InputError with the expected product unless a headerless blob has `expected` bytes; `first`
/// are its first bytes, to tell what a wrong file really is.
void check_blob_size(const std::filesystem::path& path, std::size_t size, std::size_t expected,
                     const std::string& shape, std::string_view first);

std::vector<Pair> read_pairs(const std::filesystem::path& path, const NameIndex& enhancers,
                             const NameIndex& genes);

}  // namespace cdt
