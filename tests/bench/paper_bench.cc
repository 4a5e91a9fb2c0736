// Times a training step, prediction and attribution at the sizes of the paper, on random inputs
// (zeros would flatter: they cost less power and hit fewer denormals). One JSON object on stdout.
// Each workload runs in a process of its own, so that its peak memory is its own.
//
//   paper_bench [--device cpu] [--precision fp32] [--batch 8] [--repeat 3] [--bins 896] ...
//
// Device memory is what the arenas had in use at most; the libraries' own workspaces are not
// counted.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <sstream>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/main.h"
#include "apps/common/session.h"
#include "engine/error.h"
#include "engine/optim/adamw.h"
#include "io/text.h"
#include "model/attribution.h"

namespace cdt {
namespace {

struct Sizes {
  std::int64_t batch = 8, repeat = 3, bins = 896, genes = 2360, hidden = 768;
  bool attribution_only = false, all_genes = false;
  CommonOptions common;  // device, precision, threads
};

// What a child process sends to its parent.
struct Timing {
  double seconds = 0;  // median of the repeats, after the warm-up
  double device_bytes = 0;
};

struct Result {
  Timing timing;
  double peak_bytes = 0;  // resident, of the host
};

struct World {
  explicit World(const Sizes& sizes, bool trainable)
      : backend(open_backend(sizes.common)),
        lasting(*backend, "lasting", kReserve),
        step(*backend, "step", kReserve),
        scratch(*backend, "scratch", kReserve),
        config(configuration(sizes)),
        model(config, *backend, lasting, trainable),
        tape(*backend, step, scratch) {
    model.initialise(1);
    rna = random({1, config.genes, config.rna_dim}, 2);
    protein = random({1, config.genes, config.protein_dim}, 3);
  }

  static CdtConfig configuration(const Sizes& sizes) {
    CdtConfig config;
    config.genes = sizes.genes;
    config.hidden = sizes.hidden;
    config.feed_forward = 4 * sizes.hidden;
    config.fusion = 2 * sizes.hidden;
    return config;
  }

  Tensor random(const Shape& shape, std::uint32_t stream) {
    RandomStream draws(7, stream);
    std::vector<float> host(static_cast<std::size_t>(shape.count()));
    for (float& v : host) v = static_cast<float>(draws.uniform() - 0.5);
    const Tensor t = lasting.tensor(shape);
    backend->upload(t, host.data());
    return t;
  }

  // Median seconds of `work` on an idle device, waiting for what it started. On the CPU one run
  // warms up; a GPU chooses kernels in the first, records the second and prepares the recording in
  // a third.
  Timing time(std::int64_t repeat, const std::function<void()>& work) {
    std::vector<double> seconds;
    for (std::int64_t i = backend->asynchronous() ? -3 : -1; i < repeat; ++i) {
      backend->synchronize();
      const auto start = std::chrono::steady_clock::now();
      work();
      backend->synchronize();
      const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
      if (i >= 0) seconds.push_back(passed.count());
    }
    const auto middle = seconds.begin() + static_cast<long>(seconds.size() / 2);
    std::nth_element(seconds.begin(), middle, seconds.end());
    return {*middle, static_cast<double>(backend->used_bytes())};
  }

  static constexpr std::size_t kReserve = std::size_t{1} << 36U;
  std::unique_ptr<Backend> backend;
  Arena lasting, step, scratch;
  CdtConfig config;
  Cdt model;
  Tape tape;
  Tensor rna, protein;
};

Timing train_step(const Sizes& sizes) {
  World w(sizes, true);
  const Tensor dna = w.random({sizes.batch, sizes.bins, w.config.dna_dim}, 4);
  const Tensor target = w.random({sizes.batch}, 5);
  std::vector<std::int32_t> genes(static_cast<std::size_t>(sizes.batch));
  for (std::size_t i = 0; i < genes.size(); ++i) {
    genes[i] = static_cast<std::int32_t>(i * 17 % static_cast<std::size_t>(sizes.genes));
  }
  std::vector<Var> parameters;
  for (Parameter& p : w.model.parameters()) parameters.push_back(&p.variable);
  AdamW optimiser(parameters, *w.backend, w.lasting, {});
  const Tensor index = w.lasting.tensor({sizes.batch}, Dtype::kInt32);
  w.backend->upload(index, genes.data());
  std::uint32_t step = 0;
  const auto compute = [&] {
    w.tape.train(1, step);
    w.model.zero_gradients();
    const Var logits = w.model.forward(w.tape, w.tape.constant(dna), w.tape.constant(w.rna),
                                       w.tape.constant(w.protein));
    w.tape.backward(huber(w.tape, select(w.tape, logits, index), target, 1.0F));
    optimiser.clip_and_update(1.0);
    w.tape.clear();
  };
  return w.time(sizes.repeat, [&] {
    w.backend->begin_step(++step);
    optimiser.begin_step(1e-4);
    w.backend->run_recorded("train", {dna, target, index}, compute);
  });
}

Timing predict_enhancer(const Sizes& sizes) {
  World w(sizes, false);
  const Tensor dna = w.random({sizes.batch, sizes.bins, w.config.dna_dim}, 4);
  const Trunks trunks = w.model.compute_trunks(w.tape, w.rna, w.protein, w.lasting);
  const auto compute = [&] {
    w.model.forward_from_trunks(w.tape, w.tape.constant(dna), trunks);
    w.tape.clear();
  };
  Timing timing = w.time(sizes.repeat, [&] { w.backend->run_recorded("predict", {dna}, compute); });
  timing.seconds /= static_cast<double>(sizes.batch);
  return timing;
}

Timing attribute_pairs(const Sizes& sizes, const std::vector<std::int32_t>& genes) {
  World w(sizes, false);
  const Tensor dna = w.random({1, sizes.bins, w.config.dna_dim}, 4);
  Attributor attributor(w.model, w.tape, w.rna, w.protein, w.lasting);
  const auto ignore = [](std::size_t /*index*/, const PairWindows& /*windows*/) {};
  Timing timing = w.time(sizes.repeat, [&] { attributor.attribute(dna, genes, ignore); });
  timing.seconds /= static_cast<double>(genes.size());
  return timing;
}

// The gradient window of one pair without any of the savings, as a script does it: the whole model
// forward and backward, weight gradients and the gradient at all of the DNA input included.
Timing attribute_plainly(const Sizes& sizes) {
  World w(sizes, true);
  const Tensor input = w.random({1, sizes.bins, w.config.dna_dim}, 4);
  std::vector<float> norms(static_cast<std::size_t>(sizes.bins));
  return w.time(sizes.repeat, [&] {
    w.tape.eval();
    w.model.zero_gradients();
    const Var dna = w.tape.input(input);
    const Var out =
        w.model.forward(w.tape, dna, w.tape.constant(w.rna), w.tape.constant(w.protein));
    const Scratch seed(w.scratch, out->value.shape);
    w.backend->fill(*seed, 0.0F);
    w.backend->fill((*seed).reshaped({sizes.genes}).slice(0, 1), 1.0F);
    w.tape.backward(out, *seed);
    const Tensor rows = dna->grad.reshaped({sizes.bins, w.config.dna_dim});
    const Scratch lengths(w.scratch, {sizes.bins});
    w.backend->row_dot_sqrt(rows, rows, *lengths);
    w.backend->download(norms.data(), *lengths);
    w.tape.clear();
  });
}

// Runs `work` in a child and brings its timing and its peak resident memory back. A child that
// fails has said why; the parent ends with its exit status.
Result in_child(const char* name, const std::function<Timing()>& work) {
  int ends[2];
  if (pipe(ends) != 0) throw Error("paper_bench: pipe failed");
  std::cout.flush();  // or the child prints it too
  const pid_t child = fork();
  if (child < 0) throw Error("paper_bench: fork failed");
  if (child == 0) {
    const auto send = [&](int /*argc*/, char** /*argv*/) {
      const Timing timing = work();
      return write(ends[1], &timing, sizeof timing) == sizeof timing ? 0 : 1;
    };
    _exit(run_main("paper_bench", 0, nullptr, send));
  }
  close(ends[1]);
  Result result;
  const bool received = read(ends[0], &result.timing, sizeof result.timing) ==
                        static_cast<ssize_t>(sizeof result.timing);
  close(ends[0]);
  int status = 0;
  rusage usage{};
  if (wait4(child, &status, 0, &usage) != child || WIFSIGNALED(status)) {
    throw Error("paper_bench: " + std::string(name) + " was killed");
  }
  if (status != 0 || !received) std::exit(WEXITSTATUS(status));
  result.peak_bytes = static_cast<double>(usage.ru_maxrss) * 1024.0;
  return result;
}

// The numbers of a workload under their names.
void print(std::ostream& out, const char* seconds_name, const char* workload, const Result& r) {
  out << ", \"" << seconds_name << "\": " << format_number(r.timing.seconds) << ", \"" << workload
      << "_peak_rss_bytes\": " << format_number(r.peak_bytes) << ", \"" << workload
      << "_peak_device_bytes\": " << format_number(r.timing.device_bytes);
}

// Genes per enhancer against the plain way, in one run: seconds per pair and their ratio.
int compare_attribution(const Sizes& sizes) {
  const double plain =
      in_child("plain attribution", [&] { return attribute_plainly(sizes); }).timing.seconds;
  std::cout << "{\"bins\": " << sizes.bins << ", \"genes\": " << sizes.genes
            << ", \"hidden\": " << sizes.hidden << ", \"repeat\": " << sizes.repeat
            << ", \"plain_s_per_pair\": " << format_number(plain);
  std::vector<std::int64_t> counts{1, 8, 64};
  if (sizes.all_genes) counts.push_back(sizes.genes);
  for (const std::int64_t count : counts) {
    std::vector<std::int32_t> genes;
    for (std::int64_t i = 0; i < count; ++i) {
      genes.push_back(static_cast<std::int32_t>(i % sizes.genes));
    }
    const double seconds =
        in_child("attribution", [&] { return attribute_pairs(sizes, genes); }).timing.seconds;
    std::cout << ", \"" << count << "_genes\": {\"s_per_pair\": " << format_number(seconds)
              << ", \"plain_over_this\": " << format_number(plain / seconds) << "}" << std::flush;
  }
  std::cout << "}\n";
  return 0;
}

int run(int argc, char** argv) {
  Sizes sizes;
  sizes.common.device = "cpu";
  Cli cli("paper_bench", "times CDT at paper scale on this machine");
  cli.option("batch", &sizes.batch, "samples per training step and per prediction pass");
  cli.option("repeat", &sizes.repeat, "timed runs of each workload; the median counts");
  cli.option("bins", &sizes.bins, "DNA bins");
  cli.option("genes", &sizes.genes, "genes");
  cli.option("hidden", &sizes.hidden, "hidden size, a multiple of 8");
  cli.flag("attribution-only", &sizes.attribution_only,
           "compare 1, 8 and 64 genes per enhancer with the plain way, nothing else");
  cli.flag("all-genes", &sizes.all_genes, "with --attribution-only: all genes per enhancer too");
  cli.common(&sizes.common, {"device", "precision", "threads"});
  for (const char* name : {"batch", "repeat", "bins", "genes", "hidden"}) cli.range(name, 1, 1e5);
  int exit_code = 0;
  if (!cli.parse(argc, argv, &exit_code)) return exit_code;
  if (sizes.attribution_only) return compare_attribution(sizes);
  const Result train = in_child("training", [&] { return train_step(sizes); });
  const Result predict = in_child("prediction", [&] { return predict_enhancer(sizes); });
  const Result one = in_child("attribution", [&] { return attribute_pairs(sizes, {0}); });
  const Result many = in_child("attribution", [&] { return attribute_pairs(sizes, {0, 1, 2, 3}); });
  std::ostringstream out;
  out << "{\"device\": \"" << sizes.common.device << "\", \"precision\": \""
      << sizes.common.precision << "\", \"batch\": " << sizes.batch << ", \"bins\": " << sizes.bins
      << ", \"genes\": " << sizes.genes << ", \"hidden\": " << sizes.hidden
      << ", \"threads\": " << sizes.common.threads << ", \"repeat\": " << sizes.repeat;
  print(out, "train_step_s", "train", train);
  print(out, "predict_s_per_enhancer", "predict", predict);
  print(out, "attribute_s_per_pair", "attribute", one);
  print(out, "attribute_s_per_pair_four_genes", "attribute_four_genes", many);
  out << "}\n";
  std::cout << out.str();
  return 0;
}

}  // namespace
}  // namespace cdt

int main(int argc, char** argv) { return cdt::run_main("paper_bench", argc, argv, cdt::run); }
