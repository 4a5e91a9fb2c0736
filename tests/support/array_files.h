// Small arrays, lists and pairs for tests of cdt-import: a test changes the fields it needs, then
// writes the files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/import/arrays.h"
#include "tests/support/input_error.h"
#include "tests/support/npy_bytes.h"

namespace cdt::test {

struct ArrayFilesOnDisk {
  std::filesystem::path dir;
  std::vector<float> dna = counting(4 * 3 * 2), rna = counting(3 * 2), protein = counting(3 * 4);
  std::string genes = "GFI1B\nFNDC5\nTP53\n";
  std::string enhancers =
      "chr1\t1000\t1500\tE1\nchr1\t5000\t5400\tE2\nchr2\t900\t1100\tE3\nchr2\t7000\t7200\tE4\n";
  std::string pairs =
      "split\tenhancer\tgene\tbeta\nval\tE4\tTP53\t0.5\ntrain\tE1\tGFI1B\t-0.25\n"
      "train\tE3\tFNDC5\t-1\nval\tE1\tTP53\t0\n";

  explicit ArrayFilesOnDisk(std::filesystem::path directory) : dir(std::move(directory)) {}

  static std::vector<float> counting(int count) {
    std::vector<float> out;
    for (int i = 0; i < count; ++i) out.push_back(static_cast<float>(i) * 0.5F - 2.0F);
    return out;
  }

  ArraysOptions options() const {
    ArraysOptions options;
    options.dna = dir / "dna.npy";
    options.rna = dir / "rna.npy";
    options.protein = dir / "protein.npy";
    options.genes = dir / "genes.txt";
    options.enhancers = dir / "elements.bed";
    options.pairs = dir / "pairs.tsv";
    options.common.out = dir / "out";
    options.common.quiet = true;
    return options;
  }

  void write() const {
    const ArraysOptions paths = options();
    write_bytes(paths.dna, npy_floats({4, 3, 2}, dna));
    write_bytes(paths.rna, npy_floats({3, 2}, rna));
    write_bytes(paths.protein, npy_floats({3, 4}, protein));
    write_bytes(paths.genes, genes);
    write_bytes(paths.enhancers, enhancers);
    write_bytes(paths.pairs, pairs);
  }
};

}  // namespace cdt::test
