// One step of training on the CPU, from a data set to updated weights; model/cdt.cc goes on from
// here. B pairs in a batch, L bins of a DNA window, G genes.
//   build/bin/cdt-synth --preset tiny --out data && build/tests/one_step data
#include <cstdio>
#include <exception>

#include "engine/backend.h"
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
  const std::int64_t g = config.genes = data.genes_count();
  Cdt model(config, *device, lasting, /*trainable=*/true);
  model.initialise(/*seed=*/1);
  AdamW optimiser(model.variables(), *device, lasting, {});

  // A batch: DNA windows of enhancers, genes, and what silencing the one did to the other.
  constexpr std::int64_t kBatch = 8;
  const std::int64_t window = data.bins * data.dna_dim;
  std::vector<float> windows(static_cast<std::size_t>(kBatch * window)), effects;
  std::vector<std::int32_t> genes;
  for (const Pair& pair : data.pairs_of(Split::kTrain)) {
    if (genes.size() == kBatch) break;
    data.read_dna(pair.enhancer, &windows[genes.size() * static_cast<std::size_t>(window)]);
    genes.push_back(pair.gene);
    effects.push_back(pair.beta);
  }
  const auto upload = [&](const Shape& shape, const void* host, Dtype dtype = Dtype::kFloat32) {
    const Tensor on_device = lasting.tensor(shape, dtype);  // of that shape
    device->upload(on_device, host);
    return on_device;
  };
  const Tensor dna = upload({kBatch, data.bins, data.dna_dim}, windows.data());  // (B, L, dna_dim)
  const Tensor rna = upload({1, g, data.rna_dim}, data.rna.data());              // (1, G, rna_dim)
  const Tensor protein = upload({1, g, data.protein_dim}, data.protein.data());  // (1, G, ..)
  const Tensor gene = upload({kBatch}, genes.data(), Dtype::kInt32);             // (B)
  const Tensor beta = upload({kBatch}, effects.data());                          // (B)

  // Forward: each op computes its value and leaves its gradient rule on the tape.
  Tape tape(*device, step, scratch);
  const auto compute_loss = [&] {
    const Var d = tape.constant(dna), r = tape.constant(rna);  // (B, L, dna_dim), (1, G, rna_dim)
    const Var p = tape.constant(protein);                      // (1, G, protein_dim)
    const Var all = model.forward({.tape = tape, .dna = d, .rna = r, .protein = p});  // (B, G)
    const Var prediction = select(tape, all, gene);        // (B): the gene of each pair
    return huber(tape, prediction, beta, /*delta=*/1.0F);  // (1)
  };
  tape.train(/*seed=*/1, /*step=*/0);  // dropout masks depend on these
  const Var loss = compute_loss();     // (1)
  const float before = to_host(*device, loss->value)[0];
  model.zero_gradients();
  tape.backward(loss);  // the rules, last to first; a weight's gradient has the weight's shape
  tape.clear();
  optimiser.step(/*lr=*/1e-3, /*max_norm=*/1.0);  // clips by the norm of all gradients, then AdamW
  const float norm = to_host(*device, optimiser.norm_and_factor())[0];  // of (2)
  const float after = to_host(*device, compute_loss()->value)[0];
  std::printf("loss %.6f, after the step %.6f; gradient norm %.6f\n", before, after, norm);
} catch (const std::exception& error) {
  std::fprintf(stderr, "one_step: %s\n", error.what());
  return 1;
}
