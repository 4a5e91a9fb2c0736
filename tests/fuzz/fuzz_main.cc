// fuzz SECONDS [SEED]: damages the files of a small data set, a checkpoint and an archive, one at a
// time, and reads them. A reader may accept a file or throw InputError; anything else, including a
// sanitizer's report, is a finding. The damaged file is then kept at the path in the last line.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "apps/common/program.h"
#include "engine/error.h"
#include "io/dataset/dataset.h"
#include "io/dataset/truth.h"
#include "io/format/gzip.h"
#include "io/format/journal.h"
#include "io/format/json.h"
#include "io/format/npy_rows.h"
#include "io/format/npz.h"
#include "io/format/tensor_file.h"
#include "io/format/text.h"
#include "io/genome/annotations.h"
#include "model/inputs.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/seeds.h"
#include "tests/support/zip_bytes.h"

namespace cdt::test {
namespace {

namespace fs = std::filesystem;

struct Target {
  fs::path file;
  std::function<void()> read;
};

struct Count {
  std::int64_t read = 0, refused = 0;
};

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void put(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

void read_dataset(const fs::path& directory) {
  const Dataset data(directory);
  std::vector<float> window(static_cast<std::size_t>(data.bins * data.dna_dim));
  for (std::int32_t i = 0; i < data.enhancers_count(); ++i) data.read_dna(i, window.data());
  read_truth(directory, data.bins);
}

void read_checkpoint(const fs::path& file) {
  constexpr ModelOverrides kHeads{2, 2};
  const std::unique_ptr<TensorFile> reader = open_tensor_file(file);
  const CdtConfig config = read_model_config(*reader, kHeads);
  read_model_inputs(*reader, config.genes);
  const auto backend = make_cpu_backend(1);
  Arena lasting(*backend, "lasting");
  load_model(*reader, config, *backend, lasting);
}

/// Reads every tensor of a file, if it is small enough.
void read_tensors(const fs::path& file) {
  constexpr std::int64_t kMost = 1 << 20;
  const std::unique_ptr<TensorFile> reader = open_tensor_file(file);
  for (const TensorInfo& info : reader->tensors()) {
    std::int64_t count = 1;
    for (const std::int64_t dim : info.shape) {
      if (__builtin_mul_overflow(count, dim, &count)) count = kMost + 1;
    }
    if (count > kMost) continue;
    std::vector<float> values(static_cast<std::size_t>(count));
    try {
      reader->read(info.name, values.data());
    } catch (const InputError&) {  // the others are still read
    }
  }
}

/// Reads a file with this `pickle` and matching checksums in the same way.
void read_packed(const fs::path& pickle, std::vector<ZipEntry> members) {
  const fs::path packed = pickle.parent_path() / "packed.pt";
  for (ZipEntry& m : members) {
    if (m.name.ends_with("/data.pkl")) m.content = bytes_of(pickle);
  }
  put(packed, zip(members));
  read_tensors(packed);
}

void read_elements(const fs::path& file) {
  const Annotations annotations = read_annotations(file);
  for (const auto& [chrom, list] : annotations.chromosomes) {
    list.nearest(50, 60);
    list.overlapping(0, 1000);
  }
}

void read_rows(FloatRows& array) {
  std::vector<float> row(static_cast<std::size_t>(array.row_values()));
  for (std::int64_t i = 0; i < array.rows(); ++i) array.read(i, row.data());
  array.finish();
}

void read_journal(const fs::path& file) {
  JournalReader reader(file);
  std::string record;
  while (reader.next(&record)) continue;
}

std::vector<Target> make_targets(const fs::path& work) {
  const Seeds seeds = make_seeds(work);
  std::vector<Target> targets;
  for (const fs::path& file : seeds.dataset_files) {
    targets.push_back({file, [=] { read_dataset(seeds.dataset); }});
  }
  targets.push_back({seeds.checkpoint, [=] { read_checkpoint(seeds.checkpoint); }});
  for (const PtSeed& seed : seeds.torch_files) {
    targets.push_back({seed.file, [=] { read_tensors(seed.file); }});
    targets.push_back({seed.pickle, [=] { read_packed(seed.pickle, seed.members); }});
  }
  targets.push_back({seeds.npz, [=] { read_npz_integers(seeds.npz, "a", std::size_t{1} << 20U); }});
  targets.push_back({seeds.npy_rows, [=] { read_rows(*open_npy_rows(seeds.npy_rows)); }});
  for (const char* name : {"dna", "table"}) {
    targets.push_back({seeds.npz_rows, [=] { read_rows(*open_npz_rows(seeds.npz_rows, name)); }});
  }
  targets.push_back({seeds.gzip, [=] { read_gzip_floats(seeds.gzip, kGzipFloats); }});
  targets.push_back({seeds.annotations, [=] { read_elements(seeds.annotations); }});
  targets.push_back({seeds.packed_annotations, [=] { read_elements(seeds.packed_annotations); }});
  targets.push_back({seeds.journal, [=] { read_journal(seeds.journal); }});
  targets.push_back({seeds.json, [=] { parse_json_file(seeds.json); }});
  return targets;
}

Count attack(const Target& target, std::chrono::duration<double> time, RandomStream* draws) {
  const std::string whole = bytes_of(target.file);
  const auto end = std::chrono::steady_clock::now() + time;
  Count count;
  while (std::chrono::steady_clock::now() < end) {
    put(target.file, mutated(whole, draws));
    ++count.read;
    try {
      target.read();
    } catch (const InputError&) {
      ++count.refused;
    }
  }
  put(target.file, whole);
  target.read();
  return count;
}

int fuzz(int argc, char** argv) {
  double seconds = 0.0;
  std::int64_t seed = 1;
  const bool understood = argc >= 2 && argc <= 3 && parse_double(argv[1], &seconds) &&
                          (argc == 2 || parse_int64(argv[2], &seed));
  if (!understood) throw InputError("command line", "usage", "fuzz SECONDS [SEED]");
  const fs::path work = fs::temp_directory_path() / "cdt-fuzz";
  fs::remove_all(work);
  fs::create_directories(work);
  const std::vector<Target> targets = make_targets(work);
  RandomStream draws(static_cast<std::uint64_t>(seed), 0);
  const std::chrono::duration<double> each(seconds / static_cast<double>(targets.size()));
  for (const Target& target : targets) {
    std::cout << target.file.string() << ": " << std::flush;
    const Count count = attack(target, each, &draws);
    std::cout << count.read << " read, " << count.refused << " refused" << std::endl;
  }
  fs::remove_all(work);
  return kExitDone;
}

}  // namespace
}  // namespace cdt::test

int main(int argc, char** argv) { return cdt::run_main("fuzz", argc, argv, cdt::test::fuzz); }
