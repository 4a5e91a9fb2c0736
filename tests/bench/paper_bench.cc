// Times a training step, prediction and attribution at the sizes of the paper, on random inputs
// (zeros would flatter: they cost less power and hit fewer denormals). One JSON object on stdout.
// Each workload runs in a process of its own, so that its peak memory is its own.
//
//   paper_bench [--batch 8] [--repeat 3] [--bins 896] [--genes 2360] [--hidden 768] [--threads 0]
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <sstream>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/main.h"
#include "engine/error.h"
#include "engine/optim/adamw.h"
#include "io/text.h"
#include "model/attribution.h"

namespace cdt {
namespace {

struct Sizes {
  std::int64_t batch = 8, repeat = 3, bins = 896, genes = 2360, hidden = 768, threads = 0;
};

struct Result {
  double seconds = 0;  // median of the repeats, after one warm-up
  double peak_bytes = 0;
};

struct World {
  explicit World(const Sizes& sizes, bool trainable)
      : backend(make_cpu_backend(static_cast<int>(sizes.threads))),
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

  static constexpr std::size_t kReserve = std::size_t{1} << 36U;
  std::unique_ptr<Backend> backend;
  Arena lasting, step, scratch;
  CdtConfig config;
  Cdt model;
  Tape tape;
  Tensor rna, protein;
};

double median_seconds(std::int64_t repeat, const std::function<void()>& work) {
  work();
  std::vector<double> seconds;
  for (std::int64_t i = 0; i < repeat; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    seconds.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(seconds.begin(), seconds.begin() + static_cast<long>(seconds.size() / 2),
                   seconds.end());
  return seconds[seconds.size() / 2];
}

double train_step(const Sizes& sizes) {
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
  std::uint32_t step = 0;
  return median_seconds(sizes.repeat, [&] {
    w.tape.train(1, step++);
    w.model.zero_gradients();
    const Var logits = w.model.forward(w.tape, w.tape.constant(dna), w.tape.constant(w.rna),
                                       w.tape.constant(w.protein));
    w.tape.backward(huber(w.tape, select(w.tape, logits, genes), target, 1.0F));
    optimiser.step(1e-4, clip_factor(optimiser.gradient_norm(), 1.0));
    w.tape.clear();
  });
}

double predict_enhancer(const Sizes& sizes) {
  World w(sizes, false);
  const Tensor dna = w.random({sizes.batch, sizes.bins, w.config.dna_dim}, 4);
  const Trunks trunks = w.model.compute_trunks(w.tape, w.rna, w.protein, w.lasting);
  return median_seconds(sizes.repeat, [&] {
           w.model.forward_from_trunks(w.tape, w.tape.constant(dna), trunks);
           w.tape.clear();
         }) / static_cast<double>(sizes.batch);
}

double attribute_pairs(const Sizes& sizes, const std::vector<std::int32_t>& genes) {
  World w(sizes, false);
  const Tensor dna = w.random({1, sizes.bins, w.config.dna_dim}, 4);
  Attributor attributor(w.model, w.tape, w.rna, w.protein, w.lasting);
  const auto ignore = [](std::size_t /*index*/, const PairWindows& /*windows*/) {};
  return median_seconds(sizes.repeat, [&] { attributor.attribute(dna, genes, ignore); }) /
         static_cast<double>(genes.size());
}

// Runs `work` in a child and brings its number and its peak resident memory back.
Result in_child(const std::function<double()>& work) {
  int ends[2];
  if (pipe(ends) != 0) throw Error("paper_bench: pipe failed");
  const pid_t child = fork();
  if (child < 0) throw Error("paper_bench: fork failed");
  if (child == 0) {
    const double seconds = work();
    const bool sent = write(ends[1], &seconds, sizeof seconds) == sizeof seconds;
    _exit(sent ? 0 : 1);
  }
  close(ends[1]);
  Result result;
  const bool received = read(ends[0], &result.seconds, sizeof result.seconds) ==
                        static_cast<ssize_t>(sizeof result.seconds);
  close(ends[0]);
  int status = 0;
  rusage usage{};
  if (wait4(child, &status, 0, &usage) != child || status != 0 || !received) {
    throw Error("paper_bench: a workload failed");
  }
  result.peak_bytes = static_cast<double>(usage.ru_maxrss) * 1024.0;
  return result;
}

int run(int argc, char** argv) {
  Sizes sizes;
  Cli cli("paper_bench", "times CDT at paper scale on this machine");
  cli.option("batch", &sizes.batch, "samples per training step and per prediction pass");
  cli.option("repeat", &sizes.repeat, "timed runs of each workload; the median counts");
  cli.option("bins", &sizes.bins, "DNA bins");
  cli.option("genes", &sizes.genes, "genes");
  cli.option("hidden", &sizes.hidden, "hidden size, a multiple of 8");
  cli.option("threads", &sizes.threads, "CPU threads, 0: all");
  for (const char* name : {"batch", "repeat", "bins", "genes", "hidden"}) cli.range(name, 1, 1e5);
  int exit_code = 0;
  if (!cli.parse(argc, argv, &exit_code)) return exit_code;
  const Result train = in_child([&] { return train_step(sizes); });
  const Result predict = in_child([&] { return predict_enhancer(sizes); });
  const Result one = in_child([&] { return attribute_pairs(sizes, {0}); });
  const Result many = in_child([&] { return attribute_pairs(sizes, {0, 1, 2, 3}); });
  std::ostringstream out;
  out << "{\"batch\": " << sizes.batch << ", \"bins\": " << sizes.bins
      << ", \"genes\": " << sizes.genes << ", \"hidden\": " << sizes.hidden
      << ", \"threads\": " << sizes.threads << ", \"repeat\": " << sizes.repeat
      << ", \"train_step_s\": " << format_number(train.seconds)
      << ", \"train_peak_rss_bytes\": " << format_number(train.peak_bytes)
      << ", \"predict_s_per_enhancer\": " << format_number(predict.seconds)
      << ", \"predict_peak_rss_bytes\": " << format_number(predict.peak_bytes)
      << ", \"attribute_s_per_pair\": " << format_number(one.seconds)
      << ", \"attribute_s_per_pair_four_genes\": " << format_number(many.seconds)
      << ", \"attribute_peak_rss_bytes\": " << format_number(one.peak_bytes) << "}\n";
  std::cout << out.str();
  return 0;
}

}  // namespace
}  // namespace cdt

int main(int argc, char** argv) { return cdt::run_main("paper_bench", argc, argv, cdt::run); }
