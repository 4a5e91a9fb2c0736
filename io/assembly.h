// Genome assemblies: the sizes of their chromosomes, and which assembly a text names.
#pragma once

#include <cstdint>
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

/// Size of a chromosome, or 0 where assembly or chromosome is not in the table.
std::int64_t chromosome_size(std::string_view assembly, std::string_view chrom);

/// The UCSC name of an assembly, whatever the case: GRCh38 -> hg38, grcm39 -> mm39; a name that is
/// not known stays as it is.
std::string ucsc_assembly(std::string_view name);

/// The assemblies that a file name or a track line mentions as words of their own, by UCSC name and
/// without repeats: "GRCh38-cCREs.bed" names hg38, "xhg38" none.
std::vector<std::string> assemblies_named_in(std::string_view text);

}  // namespace cdt
