// Targets that read text by lines: tab-separated tables, BED files, lists of names.
#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/error.h"
#include "io/dataset/folds.h"
#include "io/dataset/gene_starts.h"
#include "io/dataset/lists.h"
#include "io/format/text_file.h"
#include "io/genome/annotations.h"
#include "io/genome/assembly.h"
#include "io/genome/locus.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

namespace cdt::test {
namespace {

constexpr const char* kFile = "input";
constexpr const char* kAgain = "again";
/// First line of a BED file that is written again: the name of a chromosome may begin as a foreign
/// format does.
constexpr const char* kComment = "#\n";

void check_names(const std::vector<std::string>& names) {
  CDT_CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size(),
            "an accepted list with a name twice");
  CDT_CHECK(std::count(names.begin(), names.end(), "") == 0, "an accepted empty name");
}

/// Index of a name in a list, to which it is added if need be.
std::int32_t index_in(const std::string& name, std::vector<std::string>* names) {
  const auto at = std::find(names->begin(), names->end(), name);
  const auto index = static_cast<std::int32_t>(at - names->begin());
  if (at == names->end()) names->push_back(name);
  return index;
}

struct PairTable {
  std::vector<Pair> pairs;
  std::vector<std::string> enhancers, genes, samples;

  std::string text() const { return pairs_text(pairs, enhancers, genes, samples); }
};

PairTable read_table(const char* path) {
  PairTable out;
  PairsFile file(path, true);
  while (file.next()) {
    Pair pair{file.split(), 0, 0, file.beta(), file.label(), file.fold(), file.se(), 0};
    CDT_CHECK(std::isfinite(pair.beta) && std::isfinite(pair.se) && pair.se >= 0.0F,
              "an accepted effect");
    CDT_CHECK(pair.label >= -1 && pair.label <= 1, "an accepted label");
    CDT_CHECK(pair.fold >= 0 && pair.fold <= kMostFolds, "an accepted fold");
    pair.enhancer = index_in(file.name(PairsFile::kEnhancer), &out.enhancers);
    pair.gene = index_in(file.name(PairsFile::kGene), &out.genes);
    if (file.has_samples()) {
      pair.sample = index_in(file.name(PairsFile::kSample), &out.samples);
    }
    out.pairs.push_back(pair);
  }
  return out;
}

std::string bed_text(const std::vector<Enhancer>& enhancers) {
  std::string out = kComment;
  for (const Enhancer& e : enhancers) {
    out += tab_separated({e.chrom, std::to_string(e.start), std::to_string(e.end), e.name, "."});
  }
  return out;
}

void check_element(const Annotations& annotations, const Element& e) {
  CDT_CHECK(e.start >= 0 && e.start < e.end, "an accepted interval");
  CDT_CHECK(e.label < annotations.labels.size(), "an element with a label of the file");
}

/// Compares what overlaps an interval with a search through all elements.
void check_overlap(const ElementList& list, std::int64_t start, std::int64_t end) {
  std::vector<const Element*> expected;
  for (const Element& e : list.elements()) {
    if (e.start < end && e.end > start) expected.push_back(&e);
  }
  CDT_CHECK(list.overlapping(start, end) == expected, "the elements that overlap an interval");
  CDT_CHECK(list.nearest(start, end) != nullptr, "a nearest element");
}

}  // namespace

void fuzz_tsv(std::string_view input) {
  const MemoryFile memory(kFile, input);
  TsvFile file(kFile, {"a", "b"}, {"c"});
  while (file.next()) {
    for (int column = 0; column < 3; ++column) {
      if (!file.has(column)) continue;
      const std::string_view field = file.field(column);
      CDT_CHECK(field.find_first_of(std::string_view("\t\n\0", 3)) == std::string_view::npos,
                "a field with something that separates fields");
    }
  }
}

void fuzz_pairs(std::string_view input) {
  const MemoryFile memory(kFile, input);
  const std::string text = read_table(kFile).text();
  const MemoryFile again(kAgain, text);
  CDT_CHECK(read_table(kAgain).text() == text, "pairs that do not read back");
}

void fuzz_genes(std::string_view input) {
  const MemoryFile memory(kFile, input);
  check_names(read_gene_list(kFile));
}

void fuzz_bed(std::string_view input) {
  const MemoryFile memory(kFile, input);
  const std::vector<Enhancer> enhancers = read_enhancers(kFile, Unnamed::kNameByPlace);
  std::vector<std::string> names;
  for (const Enhancer& e : enhancers) {
    CDT_CHECK(e.start >= 0 && e.start < e.end && !e.chrom.empty(), "an accepted enhancer");
    names.push_back(e.name);
    const std::optional<Locus> locus = parse_locus(locus_text(e));
    CDT_CHECK(locus && *locus == Locus({e.chrom, e.start, e.end, ""}), "a locus reads back");
  }
  check_names(names);
  const std::string text = bed_text(enhancers);
  const MemoryFile again(kAgain, text);
  CDT_CHECK(read_enhancers(kAgain) == enhancers, "enhancers that do not read back");
}

void fuzz_gene_starts(std::string_view input) {
  const MemoryFile memory(kFile, input);
  const std::vector<std::string> genes = {"A", "B", "C"};
  const std::vector<Enhancer> enhancers = {{"chr1", 100, 200, "e"}};
  const GeneStarts starts = read_gene_starts(kFile, genes, enhancers, "data");
  CDT_CHECK(starts.of_gene.size() == genes.size(), "a start or none for each gene");
  for (const std::optional<GeneStart>& start : starts.of_gene) {
    CDT_CHECK(!start || start->position >= 0, "an accepted start");
  }
  const std::string text = kComment + gene_table_text(starts.of_gene, genes);
  const MemoryFile again(kAgain, text);
  CDT_CHECK(read_gene_starts(kAgain, genes, enhancers, "data").of_gene == starts.of_gene,
            "gene starts that do not read back");
}

void fuzz_annotations(std::string_view input) {
  const MemoryFile memory(kFile, input);
  const Annotations annotations = read_annotations(kFile);
  std::int64_t elements = 0;
  for (const auto& [chrom, list] : annotations.chromosomes) {
    elements += std::ssize(list.elements());
    for (const Element& e : list.elements()) check_element(annotations, e);
    check_overlap(list, 50, 60);
    check_overlap(list, 0, 1000);
    check_overlap(list, list.elements().back().end, list.elements().back().end + 1);
  }
  CDT_CHECK(elements == annotations.elements, "as many elements as it says");
  for (const std::vector<std::size_t>& classes : annotations.classes_of_label) {
    for (const std::size_t index : classes) {
      CDT_CHECK(index < annotations.classes.size(), "a class of the file");
    }
  }
}

void fuzz_chrom_sizes(std::string_view input) {
  const MemoryFile memory(kFile, input);
  for (const char* assembly : {"hg38", "mm10"}) {
    const ChromosomeSizes sizes(assembly, kFile);
    std::string_view before;
    for (const Chromosome& chromosome : sizes.all()) {
      CDT_CHECK(chromosome.size >= 1 && chromosome.name > before, "chromosomes in order");
      CDT_CHECK(sizes.size(chromosome.name) == chromosome.size, "a chromosome that is found");
      before = chromosome.name;
    }
  }
}

}  // namespace cdt::test
