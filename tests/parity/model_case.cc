#include "tests/parity/model_case.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "model/gene_windows.h"
#include "model/positions.h"
#include "tests/support/precision.h"

namespace cdt::test {
namespace {

using Floats = std::vector<float>;

// Float32 rounding leaves about 1e-7 of a sibling's norm where the exact gradient is zero; real
// gradients are far larger at these sizes.
constexpr double kVanishing = 1e-5;

}  // namespace

Floats Piece::of(const Floats& whole) const {
  return {whole.begin() + static_cast<std::ptrdiff_t>(begin),
          whole.begin() + static_cast<std::ptrdiff_t>(end)};
}

ModelCase::ModelCase(const std::string& name)
    : fixture(name),
      model(fixture.config(), *engine.backend, engine.lasting, true),
      dna(engine.upload(fixture, "input/dna")),
      rna(engine.upload(fixture, "input/rna")),
      protein(engine.upload(fixture, "input/protein")) {
  for (Parameter& p : model.parameters()) {
    model.set(&p.variable, fixture.values("weight/" + p.name).data());
  }
  if (model.config().gene_window) {
    gene_dna = engine.upload(fixture, "input/gene_dna");
    // Three at a time, so that the last batch is not full.
    gene_windows_.emplace(gene_dna.shape, fixture.values("input/gene_dna"), *engine.backend,
                          engine.lasting, 3);
  }
  if (!model.config().gene_position) return;
  const Floats distances = fixture.values("input/distance");  // NaN: no place
  Floats features(distances.size() * kGeneFeatures);
  for (std::size_t i = 0; i < distances.size(); ++i) {
    std::optional<std::int64_t> distance;
    if (!std::isnan(distances[i])) distance = std::llround(distances[i]);
    gene_features(distance, dna.shape[1], static_cast<std::int64_t>(fixture.number("bin_bp")),
                  features.data() + i * kGeneFeatures);
  }
  places = engine.upload({batch(), model.config().genes, kGeneFeatures}, features);
}

std::vector<std::int32_t> ModelCase::genes(std::int64_t step) const {
  const Floats all = fixture.values("input/gene");
  const auto first = all.begin() + step * batch();
  return {first, first + batch()};
}

Tensor ModelCase::betas(std::int64_t step) {
  const Floats all = fixture.values("input/beta");
  const auto first = all.begin() + step * batch();
  return engine.upload({batch()}, {first, first + batch()});
}

Var ModelCase::forward(Var dna_input, Recorder* recorder, Var windows) {
  Tape& tape = engine.tape;
  if (windows == nullptr && !gene_dna.empty()) windows = tape.constant(gene_dna);
  return model.forward({.tape = tape,
                        .dna = dna_input,
                        .rna = tape.constant(rna),
                        .protein = tape.constant(protein),
                        .gene_position = places.empty() ? nullptr : tape.constant(places),
                        .gene_dna = windows,
                        .recorder = recorder});
}

Var ModelCase::forward_pairs(Var dna_input, const std::vector<std::int32_t>& targets) {
  Tape& tape = engine.tape;
  Var windows = nullptr;
  if (!gene_dna.empty()) {
    const Tensor own = tape.saved(dna.shape);
    for (std::int64_t b = 0; b < batch(); ++b) {
      const std::int64_t gene = targets[static_cast<std::size_t>(b)];
      engine.backend->copy(own.slice(b, b + 1), gene_dna.slice(gene, gene + 1));
    }
    windows = tape.constant(own);
  }
  return model.forward_pairs({.tape = tape,
                              .dna = dna_input,
                              .rna = tape.constant(rna),
                              .protein = tape.constant(protein),
                              .gene_position = places.empty() ? nullptr : tape.constant(places),
                              .gene_dna = windows},
                             index(targets));
}

Trunks ModelCase::trunks() {
  const Trunks all = model.compute_trunks(engine.tape, rna, protein, engine.lasting);
  if (gene_windows_) {
    read_gene_windows(model, engine.tape, gene_windows_->feed(), all_genes(), all);
  }
  return model.place(engine.tape, all, places);
}

std::vector<std::int32_t> ModelCase::all_genes() const {
  std::vector<std::int32_t> out(static_cast<std::size_t>(model.config().genes));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

void ModelCase::place(Explainer& explainer, std::int64_t sample) {
  if (gene_windows_ && told_ != &explainer) {
    explainer.read_gene_windows(gene_windows_->feed(), all_genes());
    told_ = &explainer;
  }
  if (!places.empty()) explainer.place_genes(places.slice(sample, sample + 1));
}

Tensor ModelCase::index(const std::vector<std::int32_t>& genes) {
  const Tensor t = engine.lasting.tensor({static_cast<std::int64_t>(genes.size())}, Dtype::kInt32);
  engine.backend->upload(t, genes.data());
  return t;
}

Var ModelCase::loss(Var predictions, std::int64_t step) {
  return huber(engine.tape, predictions, betas(step), 1.0F);
}

Var ModelCase::loss(Var logits, const std::vector<std::int32_t>& targets, std::int64_t step) {
  return loss(select(engine.tape, logits, index(targets)), step);
}

void ModelCase::check_values(const Recorder& recorder, bool all, Comparison& c) {
  for (const std::string& name : fixture.names("value/")) {
    const auto found = recorder.values.find(name);
    if (found != recorder.values.end()) {
      check_samples(name, found->second->value, "value/" + name, c);
    } else if (all) {
      ADD_FAILURE() << name << " was not recorded";
    }
  }
}

void ModelCase::check_maps(const Recorder& recorder, bool all, Comparison& c) {
  for (const std::string& name : fixture.names("attention/")) {
    const auto found = recorder.attention.find(name);
    if (found != recorder.attention.end()) {
      check_samples(name, found->second, "attention/" + name, c);
    } else if (all) {
      ADD_FAILURE() << name << " was not recorded";
    }
  }
}

void ModelCase::check_samples(const std::string& name, const Tensor& got, const std::string& wanted,
                              Comparison& c) {
  const Floats want = fixture.values(wanted);
  if (got.shape[0] == fixture.shape(wanted)[0]) {
    EXPECT_EQ(got.shape, fixture.shape(wanted)) << name;
    c.check(name, engine.download(got), want);
    return;
  }
  for (std::int64_t b = 0; b < got.shape[0]; ++b) {
    c.check(name + " of sample " + std::to_string(b), engine.download(got.slice(b, b + 1)), want);
  }
}

double ModelCase::prediction_scale(std::int64_t count) const {
  if (float32_accuracy()) return 0.0;
  const Floats all = fixture.values("value/task_layer");
  return norm(all) * std::sqrt(static_cast<double>(count) / static_cast<double>(all.size()));
}

double ModelCase::gradient_scale(const std::string& module) const {
  double scale = 0.0;
  for (const Parameter& p : model.parameters()) {
    if (p.module == module) scale = std::max(scale, norm(fixture.values("gradient/" + p.name)));
  }
  return scale;
}

std::vector<Piece> ModelCase::pieces_of(const Parameter& parameter) const {
  const Floats gradient = fixture.values("gradient/" + parameter.name);
  std::vector<Piece> pieces = {{parameter.name, 0, gradient.size()}};
  if (parameter.name.find(".in_proj_") != std::string::npos) {
    const std::size_t third = gradient.size() / 3;
    pieces = {{parameter.name + "[query]", 0, third},
              {parameter.name + "[key]", third, 2 * third},
              {parameter.name + "[value]", 2 * third, gradient.size()}};
  }
  const double scale = gradient_scale(parameter.module);
  for (Piece& piece : pieces) {
    if (norm(piece.of(gradient)) < kVanishing * scale) piece.noise_scale = scale;
  }
  return pieces;
}

void ModelCase::check_gradients(Comparison& c) {
  const auto& parameters = model.parameters();
  // NOLINTNEXTLINE(modernize-loop-convert): to a range that this clang cannot make of a deque
  for (auto p = parameters.rbegin(); p != parameters.rend(); ++p) {
    const Floats got = engine.download(p->variable.grad);
    const Floats want = fixture.values("gradient/" + p->name);
    for (const Piece& piece : pieces_of(*p)) {
      c.check("d " + piece.label, piece.of(got), piece.of(want), piece.noise_scale);
    }
  }
}

}  // namespace cdt::test
