// Genome assemblies: the sizes of their chromosomes, and which assembly a text names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cdt {

struct Chromosome {
  std::string_view name;
  std::int64_t size = 0;  // bp
};

/// Sizes of chr1 to chr22, chrM, chrX and chrY of hg19 or hg38 or a synonym (UCSC chrom.sizes), in
/// byte order of their names, the order that bigWig files need. Empty for any other assembly.
std::span<const Chromosome> chromosomes_of(std::string_view assembly);

/// The chromosomes of one assembly, from the table above or from a file.
class ChromosomeSizes {
 public:
  /// Uses chromosomes_of().
  explicit ChromosomeSizes(std::string_view assembly);
  /// Reads a file like UCSC's chrom.sizes: two tab-separated columns, name and bases, in any order.
  /// Throws InputError naming the file and "line N" for a wrong number of columns, an invalid size,
  /// a repeated name, or a size that contradicts the table for `assembly`; "rows" if there is no
  /// row.
  ChromosomeSizes(std::string_view assembly, const std::filesystem::path& file);
  ChromosomeSizes(const ChromosomeSizes&) = delete;
  ChromosomeSizes& operator=(const ChromosomeSizes&) = delete;

  /// All chromosomes in byte order of their names; empty if they are unknown.
  std::span<const Chromosome> all() const { return all_; }
  /// Size of a chromosome, or 0 if it is not listed.
  std::int64_t size(std::string_view chrom) const;

 private:
  std::list<std::string> names_;  // owns the names that all_ refers to
  std::vector<Chromosome> all_;
};

/// UCSC name of an assembly, ignoring case: GRCh38 -> hg38, grcm39 -> mm39; unknown names are
/// returned unchanged.
std::string ucsc_assembly(std::string_view name);

/// Assemblies that a file name or a track line mentions as separate words, by UCSC name and without
/// repeats: "GRCh38-cCREs.bed" names hg38, "xhg38" names none.
std::vector<std::string> assemblies_named_in(std::string_view text);

}  // namespace cdt
