// The inputs of the sections of cdt-attribute, for tests of a single section.
#pragma once

#include <filesystem>

#include "apps/attribute/sections.h"
#include "tests/support/small_dataset.h"
#include "tests/support/temp_dir.h"

namespace cdt::test {

/// A folder with a small data set, and a context that refers to both.
struct SectionInputs {
  explicit SectionInputs(const std::vector<Pair>& data_pairs) {
    write_small_dataset(dir.path / "data", data_pairs);
    data.emplace(dir.path / "data");
  }
  SectionContext context() const {
    return {dir.path, options, config, fingerprint, *data,  sizes,
            pairs,    methods, truth,  annotations, regions};
  }
  /// A result with one pair per gene, without numbers.
  static EnhancerResult result(std::int32_t enhancer, const std::vector<std::int32_t>& genes,
                               bool zero_dna = false) {
    EnhancerResult out;
    out.enhancer = enhancer;
    out.zero_dna = zero_dna;
    for (const std::int32_t gene : genes) {
      out.pairs.push_back({.enhancer = enhancer, .gene = gene});
    }
    return out;
  }

  TempDir dir;
  AttributeOptions options;
  CdtConfig config;
  Fingerprint fingerprint;
  std::optional<Dataset> data;
  ChromosomeSizes sizes{"hg38"};
  std::vector<Pair> pairs;
  Methods methods = choose_methods("");
  std::optional<Truth> truth;
  std::vector<Annotations> annotations;
  std::vector<Region> regions;
};

}  // namespace cdt::test
