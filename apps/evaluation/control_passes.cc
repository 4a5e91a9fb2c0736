#include "apps/evaluation/control_passes.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>

#include "apps/common/predictions.h"
#include "apps/common/program.h"
#include "apps/common/progress.h"
#include "engine/error.h"
#include "engine/random.h"
#include "model/dna_feed.h"

namespace cdt {
namespace {

// Random streams derived from the seed.
constexpr std::uint32_t kDnaStream = 0xC001, kRnaStream = 0xC002, kProteinStream = 0xC003;

/// Draws a random permutation of a single cycle, so that nothing keeps its place (Sattolo 1986).
std::vector<std::size_t> draw_cycle(RandomStream& random, std::size_t count) {
  std::vector<std::size_t> out(count);
  std::iota(out.begin(), out.end(), std::size_t{0});
  for (std::size_t i = count; i-- > 1;) {
    std::swap(out[i], out[static_cast<std::size_t>(random.below(i))]);
  }
  return out;
}

/// Rows of a (rows, width) matrix in random order, none in its own place.
std::vector<float> shuffled_rows(const std::vector<float>& rows, std::int64_t width,
                                 std::uint64_t seed, std::uint32_t stream) {
  RandomStream random(seed, stream);
  const auto size = static_cast<std::size_t>(width);
  std::vector<float> out;
  out.reserve(rows.size());
  for (const std::size_t from : draw_cycle(random, rows.size() / size)) {
    const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(from * size);
    out.insert(out.end(), begin, begin + width);
  }
  return out;
}

/// Tensors shared by all batches of a pass, at the same addresses in every pass.
struct Constants {
  Tensor rna, protein;  // (1, G, rna_dim), (1, G, protein_dim)
  Tensor outputs;       // (B, G)
  Tensor window;        // (1, L, dna_dim)
  Trunks trunks;

  Constants(Cdt& model, Arena& arena, std::int64_t batch, std::int64_t bins) {
    const CdtConfig& config = model.config();
    arena.reset();
    rna = arena.tensor({1, config.genes, config.rna_dim});
    protein = arena.tensor({1, config.genes, config.protein_dim});
    outputs = arena.tensor({batch, config.genes});
    window = arena.tensor({1, bins, config.dna_dim});
  }
  void compute_trunks(Cdt& model, Tape& tape, Arena& arena) {
    tape.eval();
    trunks = model.compute_trunks(tape, rna, protein, arena);
  }
};

Constants make_constants(const PassPlace& place, const std::vector<float>& rna,
                         const std::vector<float>& protein) {
  Constants c(place.model, place.constants, place.feed.batch(), place.data.bins);
  Backend& backend = place.tape.backend();
  backend.upload(c.rna, rna.data());
  backend.upload(c.protein, protein.data());
  c.compute_trunks(place.model, place.tape, place.constants);
  return c;
}

void predict_window(Cdt& model, Tape& tape, const Constants& c) {
  const Var predicted =
      model.forward({.tape = tape, .dna = tape.constant(c.window), .trunks = &c.trunks});
  tape.backend().copy(c.outputs.slice(0, 1), predicted->value);
  tape.clear();
}

void expect_finite(const std::vector<float>& predictions) {
  const bool finite =
      std::all_of(predictions.begin(), predictions.end(), [](float p) { return std::isfinite(p); });
  if (!finite) throw Error("a prediction of the controls is not a finite number");
}

void expect_finite(const Dataset& data, const Pair& pair, float prediction) {
  if (std::isfinite(prediction)) return;
  throw Error("the prediction for enhancer " + enhancer_of(data, pair).name + ", gene " +
              gene_of(data, pair) + " is not a finite number");
}

/// Predictions of the model without controls.
std::optional<PredictionTable> plain_passes(const PassPlace& place,
                                            const std::vector<std::int32_t>& enhancers,
                                            const std::function<bool(std::int64_t done)>& go_on) {
  const Constants c = make_constants(place, place.data.rna, place.data.protein);
  return predict_enhancers(place.model, place.tape, place.feed, c.trunks, c.outputs, enhancers,
                           go_on);
}

}  // namespace

std::optional<ControlPasses> control_passes(const PassPlace& place,
                                            const std::vector<std::int32_t>& enhancers,
                                            std::span<const float> window, std::uint64_t seed,
                                            const std::function<bool(std::int64_t done)>& go_on) {
  const Dataset& data = place.data;
  Backend& backend = place.tape.backend();
  Constants c = make_constants(place, data.rna, data.protein);
  std::optional<PredictionTable> real =
      predict_enhancers(place.model, place.tape, place.feed, c.trunks, c.outputs, enhancers, go_on);
  if (!real) return std::nullopt;
  std::vector<float> mean(static_cast<std::size_t>(data.genes_count()));
  backend.upload(c.window, window.data());
  predict_window(place.model, place.tape, c);
  backend.download(mean.data(), c.outputs.slice(0, 1));
  c = make_constants(place, shuffled_rows(data.rna, data.rna_dim, seed, kRnaStream),
                     shuffled_rows(data.protein, data.protein_dim, seed, kProteinStream));
  const auto first = static_cast<std::int64_t>(enhancers.size());
  std::optional<PredictionTable> shuffled =
      predict_enhancers(place.model, place.tape, place.feed, c.trunks, c.outputs, enhancers,
                        [&](std::int64_t done) { return go_on(first + done); });
  if (!shuffled) return std::nullopt;
  return ControlPasses{std::move(*real), std::move(*shuffled), std::move(mean)};
}

void plan_passes(Cdt& model, Tape& tape, Arena& constants, const Tensor& dna) {
  Constants c(model, constants, dna.shape[0], dna.shape[1]);
  c.compute_trunks(model, tape, constants);
  model.forward({.tape = tape, .dna = tape.constant(dna), .trunks = &c.trunks});
  tape.clear();
  predict_window(model, tape, c);
}

MemoryPlan plan_prediction(const CdtConfig& config, std::int64_t batch, std::int64_t bins,
                           Backend& device) {
  DryRun dry(device);
  MemoryPlan plan;
  Cdt model(config, dry.backend(), dry.lasting, false);
  model.freeze();
  plan.weights = dry.taken();
  const Dataset sizes = sizes_of(config, bins);
  upload_genes(dry.backend(), dry.lasting, sizes.rna, config.genes, config.rna_dim);
  upload_genes(dry.backend(), dry.lasting, sizes.protein, config.genes, config.protein_dim);
  const DnaFeed feed(sizes, dry.backend(), dry.lasting, batch);
  plan.data = dry.taken();
  plan.host = dry.host();
  Arena counted_above(dry.backend(),
                      "dna");  // already counted: the feed has its batch in the lasting arena
  plan_passes(model, dry.tape, dry.trunks,
              counted_above.tensor({batch, bins, config.dna_dim}, dry.backend().activations()));
  dry.add_peaks(&plan);
  return plan;
}

ControlPredictions control_predictions(const ControlPasses& passes, const std::vector<Pair>& pairs,
                                       std::int64_t draws, std::uint64_t seed) {
  ControlPredictions out;
  const std::vector<std::int32_t> enhancers = distinct_enhancers(pairs);
  RandomStream random(seed, kDnaStream);
  for (std::int64_t draw = 0; draw < draws && enhancers.size() > 1; ++draw) {
    const std::vector<std::size_t> order = draw_cycle(random, enhancers.size());
    std::vector<Pair> given = pairs;
    for (Pair& pair : given) {
      const auto own = std::lower_bound(enhancers.begin(), enhancers.end(), pair.enhancer);
      pair.enhancer = enhancers[order[static_cast<std::size_t>(own - enhancers.begin())]];
    }
    out.shuffled_dna.push_back(passes.real.of(given));
    expect_finite(out.shuffled_dna.back());
  }
  out.shuffled_genes = passes.shuffled_genes.of(pairs);
  for (const Pair& pair : pairs) {
    out.mean_dna.push_back(passes.mean_dna[static_cast<std::size_t>(pair.gene)]);
  }
  expect_finite(out.shuffled_genes);
  expect_finite(out.mean_dna);
  return out;
}

Predicted predict_once(Inference& inference, const std::vector<Pair>& pairs,
                       const PredictSettings& settings) {
  const std::vector<std::int32_t> enhancers = distinct_enhancers(pairs);
  const auto count = static_cast<std::int64_t>(enhancers.size());
  Progress progress("predict", settings.with_controls ? 2 * count : count, settings.quiet);
  const auto go_on = [&](std::int64_t done) {
    stop_if_interrupted();
    progress.update(done);
    return true;
  };
  inference.model->freeze();
  const std::int64_t batch = std::min(settings.batch, count);
  const MemoryPlan plan =
      plan_prediction(inference.config, batch, inference.data.bins, *inference.backend);
  // With controls every row is read twice.
  DnaFeed feed(inference.data, *inference.backend, inference.lasting, batch,
               settings.with_controls ? count : 0, plan.device_reserve());
  Arena constants(*inference.backend, "trunks");
  const PassPlace place{*inference.model, inference.tape, constants, feed, inference.data};
  Predicted out;
  if (settings.with_controls) {
    const std::vector<float> window = mean_window(inference.data, enhancers, [] {
      stop_if_interrupted();
      return true;
    });
    const auto passes = std::make_shared<const ControlPasses>(
        *control_passes(place, enhancers, window, settings.seed, go_on));
    out.predictions = passes->real.of(pairs);
    out.controls = [passes, seed = settings.seed](const std::vector<Pair>& some) {
      return control_predictions(*passes, some, kControlDraws, seed);
    };
  } else {
    out.predictions = plain_passes(place, enhancers, go_on)->of(pairs);
  }
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    expect_finite(inference.data, pairs[i], out.predictions[i]);
  }
  progress.finish();
  return out;
}

}  // namespace cdt
