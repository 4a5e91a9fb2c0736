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

/// chr1 to chr22, chrM, chrX and chrY of hg19 or hg38 (UCSC chrom.sizes), in byte order of their
/// names, the order bigWig files need. Empty for any other assembly. Synonyms count.
std::span<const Chromosome> chromosomes_of(std::string_view assembly);

/// The chromosomes of one assembly, from the table above or from a file.
class ChromosomeSizes {
 public:
  /// Those of chromosomes_of().
  explicit ChromosomeSizes(std::string_view assembly);
  /// Those of a file as UCSC's chrom.sizes: two columns with a tab between, name and bases, in any
  /// order. InputError names the file and "line N": columns, a size that is none, a name twice, a
  /// size that is not that of `assembly` where that is in the table; "rows" where there is none.
  ChromosomeSizes(std::string_view assembly, const std::filesystem::path& file);
  ChromosomeSizes(const ChromosomeSizes&) = delete;
  ChromosomeSizes& operator=(const ChromosomeSizes&) = delete;

  /// In byte order of their names; empty: not known.
  std::span<const Chromosome> all() const { return all_; }
  /// 0 where the chromosome is not among them.
  std::int64_t size(std::string_view chrom) const;

 private:
  std::list<std::string> names_;  // what the views of all_ look at
  std::vector<Chromosome> all_;
};

/// The UCSC name of an assembly, whatever the case: GRCh38 -> hg38, grcm39 -> mm39; a name that is
/// not known stays as it is.
std::string ucsc_assembly(std::string_view name);

/// The assemblies that a file name or a track line mentions as words of their own, by UCSC name and
/// without repeats: "GRCh38-cCREs.bed" names hg38, "xhg38" none.
std::vector<std::string> assemblies_named_in(std::string_view text);

}  // namespace cdt
