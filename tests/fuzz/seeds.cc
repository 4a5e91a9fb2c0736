#include "tests/fuzz/seeds.h"

#include <zlib.h>

#include <array>
#include <string>

#include "apps/programs.h"
#include "engine/error.h"
#include "io/format/journal.h"
#include "io/format/output.h"
#include "io/format/zip.h"
#include "model/inputs.h"

namespace cdt::test {
namespace {

namespace fs = std::filesystem;

void make_dataset(const fs::path& directory) {
  std::vector<std::string> words = {"cdt-synth", "--preset", "tiny",  "--enhancers",
                                    "20",        "--bins",   "12",    "--genes",
                                    "4",         "--quiet",  "--out", directory.string()};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int code = synth_main(static_cast<int>(words.size()), argv.data());
  if (code != 0) throw Error("fuzz: no data set could be made");
}

void make_checkpoint(const fs::path& file) {
  CdtConfig config;
  config.dna_dim = 3;
  config.rna_dim = 2;
  config.protein_dim = 2;
  config.genes = 3;
  config.hidden = 4;
  config.heads = 2;
  config.pool_heads = 2;
  config.feed_forward = 4;
  config.fusion = 4;
  config.dna_layers = 1;
  const auto backend = make_cpu_backend(1);
  Arena lasting(*backend, "lasting");
  Cdt model(config, *backend, lasting, false);
  model.initialise(1);
  const std::string digest = "0123456789abcdef";
  const ModelInputs inputs{.genes = {"A", "B", "C"},
                           .bins = 4,
                           .bin_bp = 128,
                           .assembly = "hg38",
                           .rna = digest,
                           .protein = digest,
                           .gene_starts = digest,
                           .train_pairs = digest,
                           .val_pairs = digest};
  save_model(file, model, *backend, inputs_metadata(inputs));
}

/// One stored member "a.npy" of two int64.
std::string npz_bytes() {
  std::string dict = "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }";
  dict.resize(117, ' ');
  dict += '\n';
  const std::string npy =
      "\x93NUMPY\x01" + number(0, 1) + number(dict.size(), 2) + dict + number(5, 8) + number(6, 8);
  return zip({{"a.npy", npy}});
}

void make_gzip(const fs::path& file) {
  std::array<float, kGzipFloats> values{};
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 7.0F;
  const gzFile out = gzopen(file.c_str(), "wb");
  const bool written = gzwrite(out, values.data(), sizeof values) == sizeof values;
  if (gzclose(out) != Z_OK || !written) throw Error("fuzz: no gzip file could be made");
}

/// A block of bgzip whose text is stored uncompressed.
std::string bgzip_block(const std::string& text) {
  const auto size = static_cast<std::uint64_t>(text.size());
  const std::string stored = number(1, 1) + number(size, 2) + number(~size, 2) + text;
  const auto* bytes = reinterpret_cast<const Bytef*>(text.data());
  return number(0x04088b1f, 4) + number(0, 4) + number(0xff00, 2) + number(6, 2) + "BC" +
         number(2, 2) + number(stored.size() + 25, 2) + stored +
         number(crc32(0, bytes, static_cast<uInt>(size)), 4) + number(size, 4);
}

/// Copies of the valid files written by PyTorch, and their parts.
std::vector<PtSeed> make_torch_files(const fs::path& directory) {
  std::vector<PtSeed> out;
  fs::create_directories(directory);
  for (const auto& entry : fs::directory_iterator("tests/parity/fixtures/pt")) {
    const std::string name = entry.path().stem().string();
    const bool large = name == "plain_state_dict" || name == "trajectory_released";
    if (large || name.starts_with("refused_") || name == "no_checksums") continue;
    PtSeed seed{directory / (name + ".pt"), directory / (name + ".pkl"), {}};
    fs::copy_file(entry.path(), seed.file);
    const ZipArchive archive(seed.file);
    for (const auto& [member, info] : archive.members()) {
      seed.members.push_back({member, archive.read(member, 100000)});
      if (member.ends_with("/data.pkl")) write_file(seed.pickle, seed.members.back().content);
    }
    out.push_back(seed);
  }
  return out;
}

}  // namespace

Seeds make_seeds(const fs::path& directory) {
  Seeds seeds;
  seeds.dataset = directory / "data";
  make_dataset(seeds.dataset);
  for (const auto& entry : fs::directory_iterator(seeds.dataset)) {
    seeds.dataset_files.push_back(entry.path());
  }
  seeds.checkpoint = directory / "model.safetensors";
  make_checkpoint(seeds.checkpoint);
  seeds.torch_files = make_torch_files(directory / "pt");
  seeds.npz = directory / "map.npz";
  write_file(seeds.npz, npz_bytes());
  seeds.journal = directory / "shard.cdt";
  JournalWriter journal(seeds.journal, "{}");
  for (const char* record : {"one", "", "three"}) journal.append(record);
  journal.finish();
  seeds.npy_rows = directory / "dna.npy";
  fs::copy_file("tests/arrays/f8_big_endian.npy", seeds.npy_rows);
  seeds.npz_rows = directory / "dna.npz";
  fs::copy_file("tests/arrays/packed.npz", seeds.npz_rows);
  seeds.gzip = directory / "rna.f32.gz";
  make_gzip(seeds.gzip);
  seeds.json = directory / "options.json";
  write_file(seeds.json,
             R"({"epochs": 5, "lr": 1e-3, "pair": ["a:b", "c:\u00e9"], "x": {"y": null}})");
  seeds.packed_annotations = directory / "elements.bed.gz";
  write_file(seeds.packed_annotations,
             bgzip_block("chr1\t5\t90\ta\t0\t.\nchr1\t7\t7\tb\t0\tPLS\n") + bgzip_block(""));
  seeds.annotations = directory / "elements.bed";
  write_file(seeds.annotations,
             "track name=x db=hg38\nchr1\t5\t90\ta\t0\t.\t5\t90\t1,2,3\tpELS,CTCF-bound\n"
             "chr2\t1\t70\tb\t0\t.\t1\t70\t1,2,3\tPLS\nchr1\t50\t60\tc\t0\t.\t5\t6\t0\tdELS\n"
             "chr1\t9\t9\tc\t0\t.\t5\t6\t0\t.\n\n");
  return seeds;
}

}  // namespace cdt::test
