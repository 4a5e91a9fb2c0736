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
#include "model/gene_windows.h"

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

/// Every gene gets the RNA row of another, the same in all samples, and the protein row of a third.
GeneOrder shuffled_genes(std::int64_t genes, std::uint64_t seed) {
  const auto count = static_cast<std::size_t>(genes);
  RandomStream rna(seed, kRnaStream), protein(seed, kProteinStream);
  return {draw_cycle(rna, count), draw_cycle(protein, count)};
}

/// What all batches of a pass share, at the same addresses in every pass.
struct Constants {
  GenePlaces places;
  SampleTrunks trunks;
  Tensor outputs;  // (B, G)
  Tensor window;   // (1, L, dna_dim)

  /// Resets the arena; the values of the tensors are left undefined.
  Constants(Cdt& model, Tape& tape, Arena& arena, const Dataset& data, std::int64_t batch,
            GeneOrder rows = {})
      : places(model.config(), data, tape.backend(), emptied(arena), batch),
        trunks(model, tape, arena, data, std::move(rows)),
        outputs(arena.tensor({batch, model.config().genes})),
        window(arena.tensor({1, data.bins, model.config().dna_dim})) {}
  explicit Constants(const PassPlace& place, GeneOrder rows = {})
      : Constants(place.model, place.tape, place.constants, place.data, place.feed.batch(),
                  std::move(rows)) {}
  /// The windows of genes, if the model reads them; false if go_on() is.
  bool read_windows(const PassPlace& place, const std::function<bool(std::int64_t done)>& go_on) {
    return place.gene_feed == nullptr ||
           read_gene_windows(place.model, place.tape, *place.gene_feed, place.genes, trunks.of(0),
                             [&] { return go_on(0); });
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
  return {place.model, place.tape, place.feed, c.places, c.trunks, c.outputs, place.ranks};
}

std::size_t place_of(std::int32_t enhancer, const std::vector<std::int32_t>& ascending) {
  const auto found = std::lower_bound(ascending.begin(), ascending.end(), enhancer);
  return static_cast<std::size_t>(found - ascending.begin());
}

/// Predictions of the genes of each context from the DNA of another enhancer; where genes start and
/// their RNA remain those of the context.
std::optional<std::vector<PredictionTable>> placed_draws(
    const PredictionPass& pass, const std::vector<Context>& contexts, std::uint64_t seed,
    const std::function<bool(std::int64_t done)>& go_on) {
  std::vector<PredictionTable> out;
  const std::vector<std::int32_t> enhancers = distinct_enhancers(contexts);
  if (!pass.depends_on_context() || enhancers.size() < 2) return out;
  RandomStream random(seed, kDnaStream);
  for (std::int64_t draw = 0; draw < kPlacedDraws; ++draw) {
    const std::vector<std::size_t> donors = draw_cycle(random, enhancers.size());
    std::vector<std::int32_t> windows;
    for (const Context& context : contexts) {
      windows.push_back(enhancers[donors[place_of(context.enhancer, enhancers)]]);
    }
    const auto first = static_cast<std::int64_t>(out.size() * contexts.size());
    std::optional<PredictionTable> table = predict_contexts(
        pass, contexts, [&](std::int64_t done) { return go_on(first + done); }, windows);
    if (!table) return std::nullopt;
    out.push_back(std::move(*table));
  }
  return out;
}

}  // namespace

void PassPlace::read_windows_of(DnaFeed* windows, const std::vector<Pair>& pairs) {
  gene_feed = windows;
  genes = distinct_genes(pairs);
}

std::optional<PredictionTable> plain_passes(const PassPlace& place,
                                            const std::vector<Context>& contexts,
                                            const std::function<bool(std::int64_t done)>& go_on) {
  Constants c(place);
  if (!c.read_windows(place, go_on)) return std::nullopt;
  return predict_contexts(pass_of(place, c), contexts, go_on);
}

std::optional<ControlPasses> control_passes(const PassPlace& place,
                                            const std::vector<Context>& contexts,
                                            std::span<const float> window, std::uint64_t seed,
                                            const std::function<bool(std::int64_t done)>& go_on) {
  std::int64_t done_before = 0;
  const auto next = [&](std::int64_t done) { return go_on(done_before + done); };
  const auto count = std::ssize(contexts);
  std::optional<PredictionTable> real, mean, shuffled;
  std::optional<std::vector<PredictionTable>> placed;
  {
    Constants c(place);
    if (!c.read_windows(place, next)) return std::nullopt;
    const PredictionPass pass = pass_of(place, c);
    if (!(real = predict_contexts(pass, contexts, next))) return std::nullopt;
    done_before += count;
    place.tape.backend().upload(c.window, window.data());
    if (!(mean = predict_from_window(pass, c.window, contexts, next))) return std::nullopt;
    if (pass.depends_on_context()) done_before += count;
    if (!(placed = placed_draws(pass, contexts, seed, next))) return std::nullopt;
    done_before += count * std::ssize(*placed);
  }
  Constants c(place, shuffled_genes(place.model.config().genes, seed));
  if (!c.read_windows(place, next)) return std::nullopt;
  if (!(shuffled = predict_contexts(pass_of(place, c), contexts, next))) return std::nullopt;
  return ControlPasses{std::move(*real), std::move(*shuffled), std::move(*mean),
                       std::move(*placed)};
}

std::int64_t passes_per_context(const CdtConfig& config, const Dataset& data) {
  return config.gene_position || data.samples_count() > 1 ? 3 + kPlacedDraws : 2;
}

void plan_passes(Cdt& model, Tape& tape, Arena& constants, const Dataset& sizes,
                 const Tensor& dna) {
  Constants c(model, tape, constants, sizes, dna.shape[0]);
  const Trunks& trunks = c.trunks.of(0);
  if (model.config().gene_window) {
    std::vector<std::int32_t> genes(
        static_cast<std::size_t>(std::min(dna.shape[0], model.config().genes)));
    std::iota(genes.begin(), genes.end(), 0);
    model.read_gene_windows(tape, dna.slice(0, std::ssize(genes)), genes, trunks);
  }
  for (const Tensor& windows : {dna, c.window}) {
    const Tensor places =
        c.places.wanted() ? c.places.features().slice(0, windows.shape[0]) : Tensor{};
    const Trunks placed = model.place(tape, trunks, places);
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
  std::optional<DnaFeed> gene_feed;
  if (config.gene_window) {
    gene_feed.emplace(sizes, dry.backend(), dry.lasting, batch, 0, 0, Windows::kOfGenes);
  }
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
      pair.enhancer = enhancers[order[place_of(pair.enhancer, enhancers)]];
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
  const std::vector<Context> contexts = distinct_contexts(pairs);
  const auto count = static_cast<std::int64_t>(contexts.size());
  const std::int64_t rounds =
      settings.with_controls ? passes_per_context(inference.config, inference.data) : 1;
  Progress progress("predict", rounds * count, settings.quiet);
  const auto go_on = [&](std::int64_t done) {
    stop_if_interrupted();
    progress.update(done);
    return true;
  };
  inference.model->freeze();
  const std::int64_t batch = std::min(settings.batch, count);
  const MemoryPlan plan =
      plan_prediction(inference.config, batch, inference.data.bins, *inference.backend);
  // With controls, or in several samples, a row is read more than once.
  const bool again = settings.with_controls || contexts.size() > enhancers.size();
  DnaFeed feed(inference.data, *inference.backend, inference.lasting, batch,
               again ? std::ssize(enhancers) : 0, plan.device_reserve());
  Arena constants(*inference.backend, "trunks");
  PassPlace place{*inference.model, inference.tape, constants, feed, inference.data};
  std::optional<DnaFeed> gene_feed;
  if (inference.config.gene_window) {
    gene_feed.emplace(inference.data, *inference.backend, inference.lasting, batch,
                      settings.with_controls ? std::ssize(distinct_genes(pairs)) : 0,
                      plan.device_reserve(), Windows::kOfGenes);
    place.read_windows_of(&*gene_feed, pairs);
  }
  Predicted out;
  if (settings.with_controls) {
    const std::vector<float> window = mean_window(inference.data, enhancers, [] {
      stop_if_interrupted();
      return true;
    });
    const auto passes = std::make_shared<const ControlPasses>(
        *control_passes(place, contexts, window, settings.seed, go_on));
    out.predictions = passes->real.of(pairs);
    out.controls = [passes, seed = settings.seed](const std::vector<Pair>& some) {
      return control_predictions(*passes, some, kControlDraws, seed);
    };
  } else {
    out.predictions = plain_passes(place, contexts, go_on)->of(pairs);
  }
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    expect_finite(inference.data, pairs[i], out.predictions[i]);
  }
  progress.finish();
  return out;
}

}  // namespace cdt
