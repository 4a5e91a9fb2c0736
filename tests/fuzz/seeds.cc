// fuzz_seeds FOLDER: writes small valid files of each kind, the first inputs of the fuzz targets,
// with the writers of the engine where it has one: FOLDER/TARGET/NAME. tests/fuzz/seeds.sh adds
// those that a run of the programs leaves.
#include <zlib.h>

#include <array>
#include <cstring>
#include <deque>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "apps/attribute/result_record.h"
#include "apps/common/optimiser_file.h"
#include "apps/common/torch_checkpoint.h"
#include "apps/evaluation/study.h"
#include "apps/train/state.h"
#include "engine/arena.h"
#include "engine/backend.h"
#include "engine/error.h"
#include "engine/optim/adamw.h"
#include "io/dataset/manifest.h"
#include "io/format/file.h"
#include "io/format/journal.h"
#include "io/format/output.h"
#include "io/format/safetensors.h"
#include "io/format/zip.h"
#include "model/checkpoint.h"
#include "model/inputs.h"
#include "tests/fuzz/two_parameters.h"
#include "tests/support/zip_bytes.h"

namespace cdt::test {
namespace {

namespace fs = std::filesystem;

class Seeds {
 public:
  explicit Seeds(fs::path folder) : folder_(std::move(folder)) {}

  /// The path of a seed, whose folder is made.
  fs::path path(const char* target, const std::string& name) const {
    fs::create_directories(folder_ / target);
    return folder_ / target / name;
  }
  void write(const char* target, const std::string& name, const std::string& bytes) const {
    write_file(path(target, name), bytes);
  }

 private:
  fs::path folder_;
};

std::string read_whole(const fs::path& file) {
  const InputFile in(file);
  return in.head(in.size());
}

/// The header of a safetensors file, as a seed of its own: targets make a file of it.
void write_header(const Seeds& seeds, const char* target, const std::string& name) {
  const std::string bytes = read_whole(seeds.path(target, name));
  std::uint64_t size = 0;
  std::memcpy(&size, bytes.data(), sizeof size);
  seeds.write(target, name + "-header", bytes.substr(sizeof size, size));
}

CdtConfig tiny_config() {
  CdtConfig config;
  config.dna_dim = 3;
  config.rna_dim = 2;
  config.protein_dim = 2;
  config.genes = 3;
  config.hidden = config.feed_forward = config.fusion = 4;
  config.heads = config.pool_heads = 2;
  config.dna_layers = 1;
  return config;
}

void write_checkpoint(const fs::path& file, const CdtConfig& config) {
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

void write_checkpoints(const Seeds& seeds) {
  CdtConfig config = tiny_config();
  write_checkpoint(seeds.path("checkpoint", "released"), config);
  config.readout = Readout::kGene;
  config.bin_position = config.gene_position = config.gene_window = true;
  config.bins = 4;
  write_checkpoint(seeds.path("checkpoint", "extended"), config);
  CdtConfig small = tiny_config();
  small.variant = Variant::kPaper;
  small.dna_layers = small.rna_layers = small.protein_layers = 0;
  write_checkpoint(seeds.path("checkpoint", "paper"), small);
  for (const char* name : {"released", "extended", "paper"}) {
    write_header(seeds, "checkpoint", name);
  }
  for (const CdtConfig& c : {tiny_config(), config}) {
    seeds.write("model-config", "of-" + std::to_string(c.bins), model_config_json(c));
  }
}

void write_safetensors_seed(const Seeds& seeds) {
  const std::array<float, 6> values{0, 1, -2, 3.5F, 1e-30F, 6};
  const std::vector<TensorToWrite> tensors = {
      {"w", {2, 3}, values.data()}, {"b", {2}, values.data()}, {"e", {0, 5}, values.data()}};
  write_safetensors(seeds.path("safetensors", "two"), tensors, {{"format", "pt"}});
  const auto file = [](const std::string& header, std::size_t bytes) {
    return number(header.size(), 8) + header + std::string(bytes, '\x3c');
  };
  seeds.write("safetensors", "types",
              file(R"({"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},)"
                   R"("b":{"dtype":"BF16","shape":[1,3],"data_offsets":[4,10]},)"
                   R"("c":{"dtype":"F64","shape":[],"data_offsets":[10,18]},)"
                   R"("d":{"dtype":"I64","shape":[1],"data_offsets":[18,26]}})",
                   26));
  seeds.write("safetensors", "none", file("{}", 0));
  for (const char* name : {"two", "types"}) write_header(seeds, "safetensors", name);
}

/// What two_parameters() and their moments hold, from the start.
constexpr std::array<float, 6> kValues{0, 1, 2, 3.5F, 1e-30F, 6};

/// States of a run whose epochs have four steps of two pairs: at the start of an epoch, and within.
void write_states(const Seeds& seeds) {
  const auto backend = make_cpu_backend(1);
  Arena lasting(*backend, "lasting");
  std::deque<Parameter> parameters = two_parameters(lasting);
  const AdamW optimiser(variables_of(parameters), *backend, lasting, {});
  for (std::size_t i = 0; i < optimiser.size(); ++i) {
    backend->upload(optimiser.first_moment(i), kValues.data());
    backend->upload(optimiser.second_moment(i), kValues.data());
  }
  const std::string digest = "0123456789abcdef";
  const RunFacts facts{R"({"weight-decay":1e-05,"seed":1})", "data", "cpu", {{"pairs", digest}}};
  TrainState state;
  state.epoch = 3;
  state.best_epoch = 1;
  state.schedule.best = state.stopping.best = state.best_metric = 0.25;
  state.stopping.patience = 7;
  state.best_weights = digest;
  for (const char* name : {"start", "within"}) {
    state.global_step = 8 + state.position;
    save_state(seeds.path("state", name), state, facts, {digest, digest}, parameters, optimiser,
               *backend);
    write_header(seeds, "state", name);
    state.position = 2;
    state.predictions = state.targets = {0.5F, 0.5F, 0.5F, 0.5F};
  }
}

/// Optimisers of two_parameters(); one is the state of a run.
void write_optimisers(const Seeds& seeds) {
  const fs::path state = seeds.path("optimiser", "run");
  fs::copy_file(seeds.path("state", "start"), state, fs::copy_options::overwrite_existing);
  const auto backend = make_cpu_backend(1);
  Arena lasting(*backend, "lasting");
  const std::deque<Parameter> parameters = two_parameters(lasting);
  const auto optimiser = open_optimiser(state);
  AtomicFile converted(seeds.path("optimiser", "converted"));
  write_optimiser(converted, parameters, *optimiser, "0123456789abcdef");
  converted.commit();
  for (const char* name : {"run", "converted"}) write_header(seeds, "optimiser", name);
  const auto fill = [&](const Parameter& of, float* out) {
    std::copy_n(kValues.begin(), of.variable.value.count(), out);
  };
  const fs::path torch = seeds.path("optimiser", "torch");
  write_torch_checkpoint(torch, {parameters, fill, {{"a", "b"}}, optimiser.get()});
  fs::copy_file(torch, seeds.path("pt", "checkpoint"), fs::copy_options::overwrite_existing);
}

/// The pickles of these .pt files; the files themselves are seeds of another target.
void write_pickles(const Seeds& seeds, const fs::path& fixtures) {
  for (const auto& entry : fs::directory_iterator(fixtures)) {
    const std::string name = entry.path().stem().string();
    if (name == "refused_old_form" || name == "refused_protocol_1") continue;
    const ZipArchive archive(entry.path(), ZipArchive::Checksums::kMayBeMissing);
    for (const auto& [member, info] : archive.members()) {
      if (!member.ends_with("/data.pkl") || info.unpacked > 2048) continue;
      seeds.write("pickle", name, archive.read(member, 2048));
    }
  }
}

std::string npy(const std::string& descr, const std::string& shape, const std::string& data) {
  std::string dict = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }";
  dict.resize((dict.size() + 10 + 63) / 64 * 64 - 11, ' ');
  dict += '\n';
  return "\x93NUMPY" + number(1, 2) + number(dict.size(), 2) + dict + data;
}

void write_archives(const Seeds& seeds) {
  const std::string integers = npy("<i8", "(2,)", number(5, 8) + number(6, 8));
  const std::string bytes = npy("|u1", "(2, 2)", "abcd");
  const std::string reals = npy("<f4", "(2, 1)", number(0x3f800000, 4) + number(0, 4));
  seeds.write("npz", "integers", zip({{"a.npy", integers}, {"b.npy", bytes}}));
  seeds.write("npz", "reals", zip64({{"a.npy", reals, 8}}));
  seeds.write("npz-array", "integers", integers);
  seeds.write("npz-array", "bytes", bytes);
  seeds.write("npz-array", "reals", reals);
  seeds.write("zip", "both", zip({{"a", "text"}, {"b", std::string(90, 'x'), 8}}, "comment"));
  seeds.write("zip", "wide", zip64({{"a", "text"}, {"b", std::string(90, 'x'), 8}}));
  seeds.write("zip", "empty", zip({{"a", ""}, {"b", "", 8}}));
}

std::string gzip(const std::string& text) {
  std::string out(text.size() + 100, '\0');
  z_stream stream{};
  CDT_CHECK(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY) == Z_OK,
            "deflateInit2");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  CDT_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END, "deflate");
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
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

void write_gzips(const Seeds& seeds) {
  const std::string elements = "chr1\t5\t90\ta\t0\t.\nchr1\t7\t7\tb\t0\tPLS\n";
  seeds.write("gzip", "one", gzip("eight by"));
  seeds.write("gzip", "two", gzip(std::string(200, 'a')) + gzip("bbbb"));
  seeds.write("gzip", "blocks", bgzip_block("eight by") + bgzip_block(""));
  seeds.write("annotations", "blocks", bgzip_block(elements) + bgzip_block(""));
  seeds.write("gene-starts", "packed", gzip("chr1\t5\t90\tA\t0\t+\nchr2\t7\t9\tB\t0\t-\n"));
}

void write_manifests(const Seeds& seeds) {
  Manifest manifest;
  manifest.enhancers = 5;
  manifest.bins = 4;
  manifest.dna_dim = manifest.genes = 3;
  manifest.rna_dim = manifest.protein_dim = 2;
  seeds.write("manifest", "plain", manifest_text(manifest, "{}"));
  manifest.samples = 2;
  manifest.dna_is_bfloat16 = manifest.has_dna_gene = manifest.dna_gene_is_bfloat16 = true;
  manifest.gene_starts_file = "genes.bed";
  seeds.write("manifest", "all", manifest_text(manifest, R"({"a": 1})"));
}

void write_study(const Seeds& seeds) {
  Study study;
  study.data = "data";
  study.data_digest = study.table_digest = "0123456789abcdef";
  study.positives = "beta below -0.1";
  study.outputs = "ranks";
  study.extensions = "gene readout";
  StudyArm arm;
  arm.folds.emplace_back();
  arm.folds.back().runs = {0.5};
  arm.runs.name = "runs";
  arm.ensemble.name = arm.strongest = "ensemble";
  for (StudyScore* score : {&arm.runs, &arm.ensemble}) score->pearson_by_fold = {0.5};
  arm.baselines = arm.controls = arm.others = {arm.ensemble};
  arm.claims.push_back({"gain", true, "text"});
  study.arms = {arm};
  seeds.write("study", "one", study_json(study));
}

void write_journals(const Seeds& seeds) {
  JournalWriter journal(seeds.path("journal", "finished"), "{}");
  for (const char* record : {"one", "", "three"}) journal.append(record);
  journal.finish();
  JournalWriter(seeds.path("journal", "stopped"), "{}").append("one");
  seeds.write("shard-header", "plain",
              R"({"format":"cdt-shard","version":1,"shard":2,"shards":3,"tables":"a","truth":"b",)"
              R"("files":[{"option":"tracks","file":"t","digest":"d"}],"provenance":{"program":)"
              R"("cdt-predict","code":"1","command_line":"x","options":{"split":"test","seed":1},)"
              R"("fingerprint":{"model":"m","data":"d"},"device":{"kind":"cpu","threads":2}}})");
  EnhancerResult result;
  result.pairs = {{.enhancer = 1, .gene = 0}, {.enhancer = 1, .gene = 2}};
  result.scores.resize(2);
  for (PairScores& scores : result.scores) scores.windows.assign(2, std::vector<float>(4, 0.5F));
  result.remarks.resize(2);
  seeds.write("result-record", "plain", encode_result(result));
  result.remarks[1].resize(2, {1.0, 2.0});
  result.completeness.resize(2);
  result.paths.resize(2);
  result.path_heads.resize(2);
  result.gene_gradients.resize(2);
  result.claims.resize(2);
  result.regions.emplace_back().effects.resize(2);
  seeds.write("result-record", "all", encode_result(result));
}

void write_all(const Seeds& seeds) {
  write_checkpoints(seeds);
  write_safetensors_seed(seeds);
  write_states(seeds);
  write_optimisers(seeds);
  write_pickles(seeds, "tests/parity/fixtures/pt");
  write_archives(seeds);
  write_gzips(seeds);
  write_manifests(seeds);
  write_study(seeds);
  write_journals(seeds);
}

}  // namespace
}  // namespace cdt::test

int main(int argc, char** argv) {
  try {
    if (argc != 2) throw cdt::InputError("command line", "usage", "fuzz_seeds FOLDER");
    cdt::test::write_all(cdt::test::Seeds(argv[1]));
  } catch (const std::exception& error) {
    std::cerr << "fuzz_seeds: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
