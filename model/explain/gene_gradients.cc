#include "model/explain/gene_gradients.h"

#include "model/explain/gradient_pass.h"

namespace cdt {
namespace {

std::vector<float> row_norms(Tape& tape, const Tensor& gradient) {
  const Tensor rows = gradient.reshaped({gradient.rows(), gradient.cols()});
  const Scratch norms(tape.scratch(), {rows.rows()});
  tape.backend().row_dot_sqrt(rows, rows, *norms);
  return to_host(tape.backend(), *norms);
}

}  // namespace

std::vector<GeneGradients> gene_gradients(Cdt& model, Tape& tape, const Tensor& dna,
                                          const Tensor& rna, const Tensor& protein,
                                          const std::vector<std::int32_t>& genes) {
  Backend& backend = tape.backend();
  tape.clear();
  tape.eval();
  const Var rna_input = tape.input(rna);
  const Var protein_input = tape.input(protein);
  const Var prediction = model.forward(tape, tape.constant(dna), rna_input, protein_input);
  std::vector<GeneGradients> out;
  for (const std::int32_t gene : genes) {
    const Scratch cotangent(tape.scratch(), prediction->value.shape);
    std::vector<float> host(static_cast<std::size_t>(prediction->value.count()), 0.0F);
    host.at(static_cast<std::size_t>(gene)) = 1.0F;
    backend.upload(*cotangent, host.data());
    tape.backward(prediction, *cotangent, /*retain=*/true);
    out.push_back({row_norms(tape, rna_input->grad), row_norms(tape, protein_input->grad)});
    tape.reset_gradients();
  }
  tape.clear();
  return out;
}

}  // namespace cdt
