#include "tests/hostile_hdf5/seeds.h"

#include <functional>

#include "tests/support/hdf5_writer.h"
#include "tests/support/input_error.h"

namespace cdt::test {
namespace {

constexpr hsize_t kRows = 7;

std::vector<float> counting(hsize_t count) {
  std::vector<float> out;
  for (hsize_t i = 0; i < count; ++i) out.push_back(0.25F * static_cast<float>(i) - 1.0F);
  return out;
}

std::vector<int> numbers(int first) {
  std::vector<int> out;
  for (int i = 0; i < static_cast<int>(kRows); ++i) out.push_back(first + 100 * i);
  return out;
}

const std::vector<std::string> kChromosomes = {"chr1", "chr1", "chr2", "chrX", "", "chr3", "chr10"};
const Hdf5Storage kPacked = {{2, 4, 3}, true, true, true};

void write_dna(Hdf5Writer& file) {
  file.numbers("embeddings", {kRows, 4, 3}, counting(kRows * 12), kPacked);
  file.numbers("centers", {kRows}, numbers(1000));
  file.variable_strings("chroms", kChromosomes);
}

void write_screen(Hdf5Writer& file) {
  file.numbers("esm2_idx", {kRows}, numbers(0), {{3}, true});
  file.fixed_strings("enhancer_chr", kChromosomes, 6);
  file.numbers("enhancer_start", {kRows}, numbers(500));
  file.numbers("enhancer_end", {kRows}, numbers(900));
  file.numbers("beta", {kRows}, counting(kRows), {}, H5T_IEEE_F64BE);
}

void write_table(Hdf5Writer& file) {
  file.variable_strings("gene_names", kChromosomes, {{4}, true});
  file.numbers("embeddings", {kRows, 5}, counting(kRows * 5));
}

void write_compact(Hdf5Writer& file) {
  const Hdf5Handle group(H5Gcreate2(file.id(), "layer", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                         H5Gclose);
  const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_layout(creation.get(), H5D_COMPACT);
  file.empty("layer/compact", H5T_NATIVE_DOUBLE, {kRows, 3}, creation.get());
  file.numbers("layer/contiguous", {kRows, 3}, counting(kRows * 3));
}

}  // namespace

std::vector<HostileSeed> hostile_seeds(const std::filesystem::path& folder) {
  const Hdf5Handle newest(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_libver_bounds(newest.get(), H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
  const std::filesystem::path path = folder / "seed.h5";
  std::vector<HostileSeed> seeds;
  const auto add = [&](const std::string& name, const std::function<void(Hdf5Writer&)>& fill,
                       hid_t access = H5P_DEFAULT) {
    {
      Hdf5Writer file(path, H5P_DEFAULT, access);
      fill(file);
    }
    seeds.push_back({name, read_bytes(path)});
    std::filesystem::remove(path);
  };
  add("DNA", write_dna);
  add("screen", write_screen);
  add("table of genes", write_table);
  add("compact and contiguous", write_compact);
  add("DNA, newest format", write_dna, newest.get());
  seeds.push_back({"groups of h5py", read_bytes("tests/arrays/groups.h5")});
  return seeds;
}

}  // namespace cdt::test
