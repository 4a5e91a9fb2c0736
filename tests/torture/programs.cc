#include "tests/torture/programs.h"

#include <unistd.h>

#include <fstream>
#include <stdexcept>

namespace cdt::test {
namespace {

namespace fs = std::filesystem;

const Words kSizes{"--hidden",       "8", "--heads",  "2", "--pool-heads", "2",
                   "--feed-forward", "8", "--fusion", "8"};

Words synth(const Suite& suite, const std::string& seed, const std::string& folder) {
  return {suite.program("synth"),
          "--preset",
          "tiny",
          "--enhancers",
          "24",
          "--bins",
          "12",
          "--genes",
          "6",
          "--seed",
          seed,
          "--gene-starts",
          "--threads",
          "1",
          "--out",
          folder,
          "--quiet"};
}

/// Writes FILE.npy: float32 of this shape, with the bytes of a blob.
void write_npy(const fs::path& blob, const std::string& shape, const fs::path& npy) {
  constexpr std::size_t kHeader = 118;  // pads the head to 128 bytes
  std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }";
  text.resize(kHeader - 1, ' ');
  std::ofstream(npy, std::ios::binary)
      << std::string("\x93NUMPY\x01\x00\x76\x00", 10) << text << '\n'
      << bytes_of(blob);
}

Program make(const std::string& label, Words words, Words earlier, const std::string& sign) {
  const std::string name = fs::path(words.front()).filename().string().substr(4);
  return {.label = label.empty() ? name : name + ", " + label,
          .name = name,
          .words = std::move(words),
          .earlier = std::move(earlier),
          .sign = sign};
}

/// Programs that read a data set, and no model.
void add_data_programs(const Suite& suite, std::vector<Program>* list) {
  const fs::path data = in(suite) / "data";
  const std::string result = out(suite) / "result";
  const std::string json = out(suite) / "result.json";
  const Words replace{"--overwrite"};
  list->push_back(
      make("", synth(suite, "3", result) + replace, synth(suite, "4", result), "dataset.json"));
  const Words split{suite.program("split"), "--data", data, "--out", result, "--quiet", "--by"};
  list->push_back(
      make("", split + Words{"locus", "--overwrite"}, split + Words{"pair"}, "dataset.json"));
  const Words import{suite.program("import"),
                     "--dna",
                     in(suite) / "dna.npy",
                     "--rna",
                     in(suite) / "rna.npy",
                     "--protein",
                     in(suite) / "protein.npy",
                     "--genes",
                     data / "rna.genes.txt",
                     "--enhancers",
                     data / "enhancers.bed",
                     "--pairs",
                     data / "pairs.tsv",
                     "--bin-bp",
                     "128",
                     "--assembly",
                     "hg38",
                     "--out",
                     result,
                     "--quiet"};
  list->push_back(
      make("of arrays", import + replace, import + Words{"--store", "bfloat16"}, "dataset.json"));
  const Words audit{suite.program("audit"), "--out", json, "--quiet", "--data"};
  list->push_back(
      make("", audit + Words{data, "--overwrite"}, audit + Words{in(suite) / "other"}, ""));
  const Words ceiling{suite.program("ceiling"),
                      data / "pairs.tsv",
                      in(suite) / "other/pairs.tsv",
                      "--key",
                      "enhancer,gene",
                      "--out",
                      json,
                      "--seed"};
  list->push_back(make("", ceiling + Words{"1", "--overwrite"}, ceiling + Words{"2"}, ""));
}

/// Programs that read a model.
void add_model_programs(Suite& suite, std::vector<Program>* list) {
  const fs::path data = in(suite) / "data";
  const fs::path run = in(suite) / "run";
  const std::string result = out(suite) / "result";
  const Words inputs{"--data",    data, "--model", run / "model.safetensors",
                     "--threads", "1",  "--quiet", "--out"};
  const Words predict = Words{suite.program("predict")} + inputs + Words{result, "--split"};
  list->push_back(
      make("", predict + Words{"val", "--overwrite"}, predict + Words{"train"}, "metrics.json"));
  const Words combine =
      Words{suite.program("predict"), "--data", data, "--quiet", "--out", result, "--combine"};
  const Words first = combine + Words{in(suite) / "prediction-run"};
  list->push_back(
      make("a study", first + Words{"--combine", in(suite) / "prediction-other-run", "--overwrite"},
           first, "study.json"));
  list->push_back(
      make("a shard", predict + Words{"val", "--shard", "1/2", "--continue"}, {}, "shard.cdt"));
  const Words attribute = Words{suite.program("attribute")} + inputs +
                          Words{result, "--null-replicates", "9", "--tracks", "1", "--split"};
  list->push_back(make("", attribute + Words{"val", "--methods", "random", "--overwrite"},
                       attribute + Words{"train", "--all-genes"}, "summary.json"));
  const Words merge{suite.program("merge"), result};
  const auto shards = [&](const std::string& of) {
    return Words{in(suite) / ("shards-" + of) / "1", in(suite) / ("shards-" + of) / "2", "--quiet"};
  };
  list->push_back(make("", merge + shards("val") + Words{"--overwrite"}, merge + shards("train"),
                       "metrics.json"));
  const Words convert{suite.program("convert"), "--quiet"};
  list->push_back(make("a folder", convert + Words{run / "last", result, "--overwrite"},
                       convert + Words{in(suite) / "other-run/last", result}, "state.safetensors"));
  const std::string torch = out(suite) / "result.pt";
  list->push_back(make("a .pt file", convert + Words{run / "last", torch, "--overwrite"},
                       convert + Words{in(suite) / "other-run/last", torch}, ""));
  if (access("/usr/bin/gnuplot", X_OK) != 0) return suite.skip("cdt-report", "needs gnuplot");
  const Words report{suite.program("report"),
                     "--data",
                     data,
                     "--out",
                     out(suite) / "page.html",
                     "--quiet",
                     "--threads",
                     "1",
                     "--run"};
  list->push_back(
      make("", report + Words{run, "--overwrite"}, report + Words{in(suite) / "other-run"}, ""));
}

}  // namespace

fs::path in(const Suite& suite) { return suite.folder() / "in"; }
fs::path out(const Suite& suite) { return suite.folder() / "out"; }

Ended must_run(const Suite& suite, const Words& words) {
  Ended ended = run(suite.command(words));
  if (ended.code == 0) return ended;
  std::string text;
  for (const std::string& word : words) text += word + " ";
  throw std::runtime_error(text + "exit status " + std::to_string(ended.code) + ": " + ended.err);
}

Words training(const Suite& suite) {
  Words words = Words{suite.program("train"),
                      "--data",
                      in(suite) / "data",
                      "--batch-size",
                      "4",
                      "--patience",
                      "1000",
                      "--threads",
                      "1",
                      "--quiet"} +
                kSizes;
  // Saves within an epoch, where the program has them: as often as it may.
  static const bool saves =
      must_run(suite, {suite.program("train"), "--help"}).out.find("--save-every ") !=
      std::string::npos;
  return saves ? words + Words{"--save-every", "1e-9"} : words;
}

void make_inputs(Suite& suite) {
  fs::create_directories(in(suite));
  const fs::path data = in(suite) / "data";
  must_run(suite, synth(suite, "1", data));
  must_run(suite, synth(suite, "2", in(suite) / "other"));
  write_npy(data / "dna.f32", "24, 12, 8", in(suite) / "dna.npy");
  write_npy(data / "rna.f32", "6, 6", in(suite) / "rna.npy");
  write_npy(data / "protein.f32", "6, 5", in(suite) / "protein.npy");
  for (const auto& [name, seed] : {std::pair{"run", "1"}, {"other-run", "2"}}) {
    must_run(suite,
             training(suite) + Words{"--epochs", "1", "--seed", seed, "--out", in(suite) / name});
  }
  for (const std::string of : {"run", "other-run"}) {
    must_run(suite, {suite.program("predict"), "--data", data, "--model",
                     in(suite) / of / "model.safetensors", "--threads", "1", "--quiet", "--split",
                     "val", "--out", in(suite) / ("prediction-" + of)});
  }
  for (const std::string split : {"val", "train"}) {
    for (const std::string shard : {"1", "2"}) {
      must_run(suite,
               {suite.program("predict"), "--data", data, "--model",
                in(suite) / "run/model.safetensors", "--threads", "1", "--quiet", "--split", split,
                "--shard", shard + "/2", "--out", in(suite) / ("shards-" + split) / shard});
    }
  }
}

std::vector<Program> programs(Suite& suite) {
  std::vector<Program> list;
  add_data_programs(suite, &list);
  add_model_programs(suite, &list);
  for (Program& program : list) {
    write_tree(out(suite), {});
    if (!program.earlier.empty()) must_run(suite, program.earlier);
    program.before = read_tree(out(suite));
    program.printed = must_run(suite, program.words).out;
    program.after = read_tree(out(suite));
    if (program.before == program.after) {
      throw std::runtime_error(program.label + ": the earlier output is the same as the new one");
    }
  }
  return list;
}

std::string torn(const Program& program, const Tree& tree) {
  const std::string sign = program.sign.empty() ? "" : "result/" + program.sign;
  if (!sign.empty() && !tree.contains(sign)) return "";
  Tree whole = without_remains(tree);
  // A folder without files is no part of an output either.
  for (auto at = whole.begin(); at != whole.end();) {
    const auto next = std::next(at);
    const bool empty = next == whole.end() || !next->first.starts_with(at->first + "/");
    at = at->second.type == Node::Type::kFolder && empty ? whole.erase(at) : next;
  }
  const std::string from_old = difference(program.before, whole);
  const std::string from_new = difference(program.after, whole);
  if (from_old.empty() || from_new.empty()) return "";
  return "neither the old output (" + from_old + ") nor the new one (" + from_new + ")";
}

}  // namespace cdt::test
