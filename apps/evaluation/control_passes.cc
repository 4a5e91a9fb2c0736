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

/// What all batches of a pass share, at the same addresses in every pass.
struct Constants {
  GenePlaces places;
  Tensor rna, protein;  // (1, G, rna_dim), (1, G, protein_dim)
  Tensor outputs;       // (B, G)
  Tensor window;        // (1, L, dna_dim)
  Trunks trunks;

  /// Resets the arena; the values of the tensors are left undefined.
  Constants(Cdt& model, Tape& tape, Arena& arena, const Dataset& data, std::int64_t batch)
      : places(model.config(), data, tape.backend(), emptied(arena), batch) {
    const CdtConfig& config = model.config();
    rna = arena.tensor({1, config.genes, config.rna_dim});
    protein = arena.tensor({1, config.genes, config.protein_dim});
    outputs = arena.tensor({batch, config.genes});
    window = arena.tensor({1, data.bins, config.dna_dim});
  }
  Constants(const PassPlace& place, const std::vector<float>& rna_values,
            const std::vector<float>& protein_values)
      : Constants(place.model, place.tape, place.constants, place.data, place.feed.batch()) {
    place.tape.backend().upload(rna, rna_values.data());
    place.tape.backend().upload(protein, protein_values.data());
    compute_trunks(place.model, place.tape, place.constants);
  }
  void compute_trunks(Cdt& model, Tape& tape, Arena& arena) {
    tape.eval();
    trunks = model.compute_trunks(tape, rna, protein, arena);
  }

 private:
  static Arena& emptied(Arena& arena) {
    arena.reset();
    return arena;
  }
};

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

PredictionPass pass_of(const PassPlace& place, Constants& c) {
  return {place.model, place.tape, place.feed, c.places, c.trunks, c.outputs};
}

/// Predictions of each enhancer's genes, placed as seen from it, from the DNA of another one.
std::optional<std::vector<PredictionTable>> placed_draws(
    const PredictionPass& pass, const std::vector<std::int32_t>& enhancers, std::uint64_t seed,
    const std::function<bool(std::int64_t done)>& go_on) {
  std::vector<PredictionTable> out;
  if (!pass.places.wanted() || enhancers.size() < 2) return out;
  RandomStream random(seed, kDnaStream);
  for (std::int64_t draw = 0; draw < kPlacedDraws; ++draw) {
    std::vector<std::int32_t> windows;
    for (const std::size_t from : draw_cycle(random, enhancers.size())) {
      windows.push_back(enhancers[from]);
    }
    const auto first = static_cast<std::int64_t>(out.size() * enhancers.size());
    std::optional<PredictionTable> table = predict_enhancers(
        pass, enhancers, [&](std::int64_t done) { return go_on(first + done); }, windows);
    if (!table) return std::nullopt;
    out.push_back(std::move(*table));
  }
  return out;
}

}  // namespace

std::optional<PredictionTable> plain_passes(const PassPlace& place,
                                            const std::vector<std::int32_t>& enhancers,
                                            const std::function<bool(std::int64_t done)>& go_on) {
  Constants c(place, place.data.rna, place.data.protein);
  return predict_enhancers(pass_of(place, c), enhancers, go_on);
}

std::optional<ControlPasses> control_passes(const PassPlace& place,
                                            const std::vector<std::int32_t>& enhancers,
                                            std::span<const float> window, std::uint64_t seed,
                                            const std::function<bool(std::int64_t done)>& go_on) {
  const Dataset& data = place.data;
  std::int64_t done_before = 0;
  const auto next = [&](std::int64_t done) { return go_on(done_before + done); };
  const auto count = std::ssize(enhancers);
  std::optional<PredictionTable> real, mean, shuffled;
  std::optional<std::vector<PredictionTable>> placed;
  {
    Constants c(place, data.rna, data.protein);
    const PredictionPass pass = pass_of(place, c);
    if (!(real = predict_enhancers(pass, enhancers, next))) return std::nullopt;
    done_before += count;
    place.tape.backend().upload(c.window, window.data());
    if (!(mean = predict_from_window(pass, c.window, enhancers, next))) return std::nullopt;
    if (c.places.wanted()) done_before += count;
    if (!(placed = placed_draws(pass, enhancers, seed, next))) return std::nullopt;
    done_before += count * std::ssize(*placed);
  }
  Constants c(place, shuffled_rows(data.rna, data.rna_dim, seed, kRnaStream),
              shuffled_rows(data.protein, data.protein_dim, seed, kProteinStream));
  if (!(shuffled = predict_enhancers(pass_of(place, c), enhancers, next))) return std::nullopt;
  return ControlPasses{std::move(*real), std::move(*shuffled), std::move(*mean),
                       std::move(*placed)};
}

std::int64_t passes_per_enhancer(const CdtConfig& config) {
  return config.gene_position ? 3 + kPlacedDraws : 2;
}

void plan_passes(Cdt& model, Tape& tape, Arena& constants, const Dataset& sizes,
                 const Tensor& dna) {
  Constants c(model, tape, constants, sizes, dna.shape[0]);
  c.compute_trunks(model, tape, constants);
  for (const Tensor& windows : {dna, c.window}) {
    const Tensor places =
        c.places.wanted() ? c.places.features().slice(0, windows.shape[0]) : Tensor{};
    const Trunks placed = model.place(tape, c.trunks, places);
    model.forward({.tape = tape, .dna = tape.constant(windows), .trunks = &placed});
    tape.clear();
  }
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
  plan_passes(model, dry.tape, dry.trunks, sizes,
              counted_above.tensor({batch, bins, config.dna_dim}, dry.backend().activations()));
  dry.add_peaks(&plan);
  return plan;
}

namespace {

/// Draws of predictions from the windows of other enhancers among `enhancers`, those of the pairs.
void shuffle_windows(const PredictionTable& real, const std::vector<Pair>& pairs,
                     const std::vector<std::int32_t>& enhancers, std::int64_t draws,
                     std::uint64_t seed, ControlPredictions* out) {
  RandomStream random(seed, kDnaStream);
  for (std::int64_t draw = 0; draw < draws && enhancers.size() > 1; ++draw) {
    const std::vector<std::size_t> order = draw_cycle(random, enhancers.size());
    std::vector<Pair> given = pairs;
    for (Pair& pair : given) {
      const auto own = std::lower_bound(enhancers.begin(), enhancers.end(), pair.enhancer);
      pair.enhancer = enhancers[order[static_cast<std::size_t>(own - enhancers.begin())]];
    }
    out->shuffled_dna.push_back(real.of(given));
  }
}

}  // namespace

ControlPredictions control_predictions(const ControlPasses& passes, const std::vector<Pair>& pairs,
                                       std::int64_t draws, std::uint64_t seed) {
  ControlPredictions out;
  for (const PredictionTable& table : passes.placed) out.shuffled_dna.push_back(table.of(pairs));
  const std::vector<std::int32_t> enhancers = distinct_enhancers(pairs);
  if (passes.placed.empty()) shuffle_windows(passes.real, pairs, enhancers, draws, seed, &out);
  for (const std::vector<float>& of_draw : out.shuffled_dna) expect_finite(of_draw);
  out.shuffled_genes = passes.shuffled_genes.of(pairs);
  out.mean_dna = passes.mean_dna.of(pairs);
  expect_finite(out.shuffled_genes);
  expect_finite(out.mean_dna);
  return out;
}

Predicted predict_once(Inference& inference, const std::vector<Pair>& pairs,
                       const PredictSettings& settings) {
  const std::vector<std::int32_t> enhancers = distinct_enhancers(pairs);
  const auto count = static_cast<std::int64_t>(enhancers.size());
  Progress progress("predict",
                    (settings.with_controls ? passes_per_enhancer(inference.config) : 1) * count,
                    settings.quiet);
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
