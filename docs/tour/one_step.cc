// One training step on the CPU, from a data set to updated weights; model/cdt.cc comes next.
// B pairs in a batch; L bins of a DNA window, D numbers each; G genes, R of RNA and P of protein.
//   build/bin/cdt-synth --preset tiny --out data && build/tests/one_step data
#include <cstdio>
#include <exception>

#include "engine/optim/adamw.h"
#include "io/dataset/dataset.h"
#include "model/cdt.h"

int main(int argc, char** argv) try {
  using namespace cdt;
  const Dataset data(argc > 1 ? argv[1] : "data");
  const std::unique_ptr<Backend> device = make_cpu_backend(/*threads=*/1);
  Arena lasting(*device, "lasting"), step(*device, "step"), scratch(*device, "scratch");
  CdtConfig config{.hidden = 32, .heads = 4, .feed_forward = 64, .fusion = 64, .dropout = 0};
  config.dna_dim = data.dna_dim;
  config.rna_dim = data.rna_dim;
  config.protein_dim = data.protein_dim;
  config.genes = data.genes_count();
  Cdt model(config, *device, lasting, /*trainable=*/true);
  model.initialise(/*seed=*/1);
  AdamW optimiser(model.variables(), *device, lasting, {});

  // A batch: pairs of an enhancer and a gene, and what silencing the one did to the other.
  constexpr std::int64_t kB = 8;
  std::vector<float> windows(static_cast<std::size_t>(kB * data.bins * data.dna_dim)), effects;
  std::vector<std::int32_t> genes;
  const std::vector<Pair> pairs = data.pairs_of(Split::kTrain);
  for (std::size_t b = 0; b < kB; ++b) {
    data.read_dna(pairs.at(b).enhancer, &windows[b * windows.size() / kB]);
    genes.push_back(pairs[b].gene);
    effects.push_back(pairs[b].beta);
  }
  const auto upload = [&](const Shape& shape, const void* host, Dtype dtype = Dtype::kFloat32) {
    const Tensor on_device = lasting.tensor(shape, dtype);  // (shape)
    device->upload(on_device, host);
    return on_device;
  };
  const Tensor dna = upload({kB, data.bins, data.dna_dim}, windows.data());     // (B, L, D)
  const Tensor rna = upload({1, config.genes, data.rna_dim}, data.rna.data());  // (1, G, R)
  const Tensor protein =                                                        // (1, G, P)
      upload({1, config.genes, data.protein_dim}, data.protein.data());
  const Tensor gene = upload({kB}, genes.data(), Dtype::kInt32);  // (B)
  const Tensor beta = upload({kB}, effects.data());               // (B)

  Tape tape(*device, step, scratch);  // each op computes its value and leaves its gradient rule
  const auto loss_now = [&] {
    const Var all = model.forward({.tape = tape,  // (B, G)
                                   .dna = tape.constant(dna),
                                   .rna = tape.constant(rna),
                                   .protein = tape.constant(protein)});
    return huber(tape, select(tape, all, gene), beta, /*delta=*/1.0F);
  };
  const Var loss = loss_now();  // (1), from select()'s (B): the gene of each pair
  const float before = to_host(*device, loss->value)[0];
  model.zero_gradients();
  tape.backward(loss);  // the rules, last to first; a weight's gradient has the weight's shape
  tape.clear();
  optimiser.step(/*lr=*/1e-3, /*max_norm=*/1.0);  // clips by the norm of all gradients, then AdamW
  std::printf("loss %.6f, after the step %.6f; gradient norm %.6f\n", before,
              to_host(*device, loss_now()->value)[0],
              to_host(*device, optimiser.norm_and_factor())[0]);
} catch (const std::exception& error) {
  return std::fprintf(stderr, "one_step: %s\n", error.what()), 1;
}
