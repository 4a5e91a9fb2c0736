// Small files in the layout of the published ones, for tests of cdt-import. The defaults exercise
// every loading rule; a test changes the fields it needs, then writes the files.
#pragma once

#include <zlib.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "apps/import/published/import.h"
#include "tests/support/hdf5_writer.h"
#include "tests/support/input_error.h"

namespace cdt::test {

/// An npz with one stored member, an int64 array of shape (rows, 2).
inline std::string npz_bytes(const std::string& name,
                             const std::vector<std::pair<std::int64_t, std::int64_t>>& rows) {
  std::string header = "{'descr': '<i8', 'fortran_order': False, 'shape': (" +
                       std::to_string(rows.size()) + ", 2), }";
  header.resize(117, ' ');
  std::string npy =
      std::string("\x93NUMPY\x01\x00", 8) + std::string("\x76\x00", 2) + header + "\n";
  for (const auto& row : rows) npy.append(reinterpret_cast<const char*>(&row), 16);
  const auto little = [](std::uint64_t value, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
    return out;
  };
  const std::string member = name + ".npy";
  const auto size = npy.size();
  const auto crc =
      crc32(0, reinterpret_cast<const unsigned char*>(npy.data()), static_cast<unsigned>(size));
  const std::string common = little(20, 2) + little(0, 2) + little(0, 2) + little(0, 4) +
                             little(crc, 4) + little(size, 4) + little(size, 4) +
                             little(member.size(), 2) + little(0, 2);
  const std::string local = "PK\x03\x04" + common + member + npy;
  const std::string central = std::string("PK\x01\x02") + little(20, 2) + common + little(0, 2) +
                              little(0, 2) + little(0, 2) + little(0, 4) + little(0, 4) + member;
  return local + central + "PK\x05\x06" + little(0, 4) + little(1, 2) + little(1, 2) +
         little(central.size(), 4) + little(local.size(), 4) + little(0, 2);
}

struct PublishedScreen {
  std::vector<int> esm2_idx, labels, start, end;
  std::vector<std::string> chrom;
  std::vector<float> beta;
  std::vector<float> se;  // not written if empty
  bool has_beta = true, has_labels = true;

  void add(int gene, const std::string& chromosome, int from, int to, float effect, int label) {
    esm2_idx.push_back(gene);
    chrom.push_back(chromosome);
    start.push_back(from);
    end.push_back(to);
    beta.push_back(effect);
    labels.push_back(label);
  }
};

struct PublishedFiles {
  std::filesystem::path dir;
  bool variable_strings = false;
  Hdf5Storage storage;  // storage of the DNA embeddings

  static constexpr int kBins = 4, kDim = 3;
  std::vector<std::string> dna_chrom = {"chr1", "chr1", "chr2", "chr1", "chr1", "chr1", "chr2"};
  std::vector<int> dna_centre = {1000, 5000, 1000, 5900, 5000, 9000, 7000};
  std::vector<float> dna;  // value(row, i); row 5 is all zero
  std::vector<std::string> rna_genes = {"A1BG", "BRCA2", "FNDC5", "TP53"};
  std::vector<std::string> protein_genes = rna_genes;
  std::vector<float> rna, protein;  // (4, 3), (4, 2)
  std::vector<std::pair<std::int64_t, std::int64_t>> old_to_new = {
      {10, 2}, {11, 0}, {12, 1}, {10, 3}};
  PublishedScreen train, val;

  static float value(int row, int i) {
    return row == 5 ? 0.0F : static_cast<float>(row * 100 + i) * 0.5F + 1.0F;
  }

  explicit PublishedFiles(std::filesystem::path directory) : dir(std::move(directory)) {
    for (int row = 0; row < 7; ++row) {
      for (int i = 0; i < kBins * kDim; ++i) dna.push_back(value(row, i));
    }
    for (int i = 0; i < 12; ++i) rna.push_back(static_cast<float>(i) * 0.125F);
    for (int i = 0; i < 8; ++i) protein.push_back(static_cast<float>(i) * -0.5F);
    train.add(10, "chr1", 900, 1101, -0.5F, 1);    // centre floor(1000.5): row 0
    train.add(99, "chr1", 4900, 5100, -0.1F, 1);   // gene not mapped
    train.add(11, "chr1", 4900, 5100, NAN, 0);     // repeated coordinate: its last row, 4
    train.add(12, "chr1", 5300, 5700, -0.25F, 0);  // 5500: 5900 is nearer, 5000 comes first: row 4
    train.add(98, "chr1", 4900, 5100, -0.1F, 0);   // gene not mapped
    train.add(11, "chr1", 8900, 9100, -1.5F, 0);   // row 5, all zero
    val.add(10, "chr1", 900, 1101, 0.5F, 0);       // a pair that is also in train
    val.add(11, "chr2", 1901, 2101, -0.1F, 1);     // 1001 bp from the next window: no DNA
    val.add(12, "chr1", 900, 1100, -0.2F, 0);      // another element of row 0
    val.add(99, "chr2", 900, 1100, -0.2F, 1);      // gene not mapped
    val.add(12, "chr2", 1900, 2100, 0.25F, 0);     // 1000 bp away: row 2
  }

  ImportOptions options() const {
    ImportOptions options;
    options.dna = dir / "dna.h5";
    options.rna = dir / "rna.h5";
    options.protein = dir / "protein.h5";
    options.mapping = dir / "mapping.npz";
    options.train = dir / "train.h5";
    options.val = dir / "val.h5";
    options.common.out = dir / "out";
    options.common.quiet = true;
    return options;
  }

  void write() const {
    const ImportOptions paths = options();
    {
      Hdf5Writer file(paths.dna);
      file.numbers("embeddings", {dna_centre.size(), kBins, kDim}, dna, storage);
      file.numbers("centers", {dna_centre.size()}, dna_centre);
      strings(file, "chroms", dna_chrom);
    }
    write_table(paths.rna, rna_genes, rna, 3);
    write_table(paths.protein, protein_genes, protein, 2);
    write_bytes(paths.mapping, npz_bytes("old_to_new", old_to_new));
    write_screen(paths.train, train);
    write_screen(paths.val, val);
  }

  void write_screen(const std::filesystem::path& path, const PublishedScreen& screen) const {
    Hdf5Writer file(path);
    const std::vector<hsize_t> rows = {screen.esm2_idx.size()};
    file.numbers("enformer_idx", rows, screen.start);
    file.numbers("esm2_idx", rows, screen.esm2_idx);
    file.numbers("enhancer_start", rows, screen.start);
    file.numbers("enhancer_end", rows, screen.end);
    strings(file, "enhancer_chr", screen.chrom);
    if (screen.has_beta) file.numbers("beta", rows, screen.beta);
    if (!screen.se.empty()) file.numbers("se", rows, screen.se);
    if (screen.has_labels) file.numbers("labels", rows, screen.labels);
  }

 private:
  void strings(Hdf5Writer& file, const std::string& name,
               const std::vector<std::string>& values) const {
    if (variable_strings) {
      file.variable_strings(name, values);
    } else {
      file.fixed_strings(name, values, 8);
    }
  }

  void write_table(const std::filesystem::path& path, const std::vector<std::string>& genes,
                   const std::vector<float>& values, hsize_t dim) const {
    Hdf5Writer file(path);
    file.numbers("embeddings", {genes.size(), dim}, values, {{2, 2}, true});
    strings(file, "gene_names", genes);
  }
};

}  // namespace cdt::test
