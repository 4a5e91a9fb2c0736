#include "apps/evaluation/control_passes.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "apps/common/predictions.h"
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
  bool read_windows(const PassPlace& place, const std::function<bool()>& go_on) {
    return place.gene_feed == nullptr ||
           read_gene_windows(place.model, place.tape, *place.gene_feed, place.genes, trunks.of(0),
                             go_on);
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

PredictionPass pass_of(const PassPlace& place, Constants& c) {
  return {place.model, place.tape, place.feed, c.places, c.trunks, c.outputs};
}

std::size_t place_of(std::int32_t enhancer, const std::vector<std::int32_t>& ascending) {
  const auto found = std::lower_bound(ascending.begin(), ascending.end(), enhancer);
  return static_cast<std::size_t>(found - ascending.begin());
}

/// By draw, then by context: the enhancer whose DNA replaces its own; where genes start and their
/// RNA remain those of the context.
std::vector<std::vector<std::int32_t>> donor_windows(const std::vector<Context>& contexts,
                                                     std::int64_t draws, std::uint64_t seed) {
  std::vector<std::vector<std::int32_t>> out(static_cast<std::size_t>(draws));
  const std::vector<std::int32_t> enhancers = distinct_enhancers(contexts);
  RandomStream random(seed, kDnaStream);
  for (std::vector<std::int32_t>& windows : out) {
    const std::vector<std::size_t> donors = draw_cycle(random, enhancers.size());
    for (const Context& context : contexts) {
      windows.push_back(enhancers[donors[place_of(context.enhancer, enhancers)]]);
    }
  }
  return out;
}

/// Returns the tasks at the front that are of one round.
std::span<const PassTask> front_round(std::span<const PassTask> tasks) {
  const auto end = std::find_if(tasks.begin(), tasks.end(), [&](const PassTask& task) {
    return task.round != tasks.front().round;
  });
  return tasks.first(static_cast<std::size_t>(end - tasks.begin()));
}

/// Runs the tasks of one round.
bool run_round(const PassPlace& place, Constants& c, const std::vector<Context>& contexts,
               std::span<const PassTask> tasks, std::span<const float> window,
               const std::vector<std::int32_t>& windows, const TaskReceiver& receive) {
  const std::int32_t round = tasks.front().round;
  const PredictionPass pass = pass_of(place, c);
  std::vector<ContextBatch> batches;
  for (const PassTask& task : tasks) batches.push_back(task.contexts);
  const auto with_round = [&](const ContextBatch& batch, std::span<const float> rows) {
    return receive({round, batch}, rows);
  };
  if (round != kMeanRound) return predict_batches(pass, contexts, batches, with_round, windows);
  place.tape.backend().upload(c.window, window.data());
  return predict_from_window(pass, c.window, contexts, batches, with_round);
}

/// The tasks that a rank runs.
std::span<const PassTask> share_of_rank(std::span<const PassTask> tasks, int rank, int ranks) {
  const Slice share = slice_of(std::ssize(tasks), rank, ranks);
  return tasks.subspan(static_cast<std::size_t>(share.begin),
                       static_cast<std::size_t>(share.count()));
}

/// Runs all tasks, each on one of the ranks, into tables; nothing if go_on() returns false on any.
std::optional<PassTables> passes_in_tables(const PassPlace& place,
                                           const std::vector<Context>& contexts,
                                           const Rounds& rounds, std::span<const float> window,
                                           std::uint64_t seed,
                                           const std::function<bool(std::int64_t done)>& go_on) {
  const std::unique_ptr<Communicator> alone = make_lone_communicator();
  Communicator& ranks = place.ranks != nullptr ? *place.ranks : *alone;
  const auto genes = static_cast<std::size_t>(place.model.config().genes);
  const std::vector<PassTask> tasks =
      tasks_of(rounds, contexts, static_cast<std::size_t>(place.feed.batch()));
  std::vector<float> mine = {1.0F};  // whether all of them were run, then their rows
  std::int64_t done = 0;
  const auto add = [&](const PassTask& task, std::span<const float> rows) {
    mine.insert(mine.end(), rows.begin(), rows.end());
    return go_on(done += static_cast<std::int64_t>(task.contexts.size()));
  };
  const std::span<const PassTask> own = share_of_rank(tasks, ranks.rank(), ranks.size());
  if (!run_passes(place, contexts, rounds, own, window, seed, add, [&] { return go_on(done); })) {
    mine = {0.0F};
  }
  const std::vector<std::vector<float>> all = gather_floats(ranks, mine);
  PassTables tables(rounds, contexts, place.model.config().genes);
  for (int rank = 0; rank < ranks.size(); ++rank) {
    const std::vector<float>& rows = all[static_cast<std::size_t>(rank)];
    if (rows.front() == 0.0F) return std::nullopt;
    std::size_t at = 1;
    for (const PassTask& task : share_of_rank(tasks, rank, ranks.size())) {
      const std::size_t count = task.contexts.size() * genes;
      tables.add(task, std::span(rows).subspan(at, count));
      at += count;
    }
  }
  return tables;
}

}  // namespace

void PassPlace::read_windows_of(DnaFeed* windows, const std::vector<Pair>& pairs) {
  gene_feed = windows;
  genes = distinct_genes(pairs);
}

bool run_passes(const PassPlace& place, const std::vector<Context>& contexts, const Rounds& rounds,
                std::span<const PassTask> tasks, std::span<const float> window, std::uint64_t seed,
                const TaskReceiver& receive, const std::function<bool()>& go_on) {
  const std::vector<std::vector<std::int32_t>> donors =
      donor_windows(contexts, rounds.placed_draws, seed);
  std::optional<Constants> c;
  bool shuffled = false;  // the genes of c
  while (!tasks.empty()) {
    const std::span<const PassTask> now = front_round(tasks);
    const std::int32_t round = now.front().round;
    if (!c || shuffled != (round == rounds.shuffled_genes())) {
      shuffled = round == rounds.shuffled_genes();
      c.reset();
      c.emplace(place, shuffled ? shuffled_genes(place.model.config().genes, seed) : GeneOrder{});
      if (!c->read_windows(place, go_on)) return false;
    }
    const bool placed = round >= kPlacedRound && !shuffled;
    const std::vector<std::int32_t> own;
    const auto& windows = placed ? donors[static_cast<std::size_t>(round - kPlacedRound)] : own;
    if (!run_round(place, *c, contexts, now, window, windows, receive)) return false;
    tasks = tasks.subspan(now.size());
  }
  return true;
}

std::optional<PredictionTable> plain_passes(const PassPlace& place,
                                            const std::vector<Context>& contexts,
                                            const std::function<bool(std::int64_t done)>& go_on) {
  std::optional<PassTables> tables = passes_in_tables(place, contexts, {}, {}, 0, go_on);
  if (!tables) return std::nullopt;
  return tables->take_plain();
}

std::optional<ControlPasses> control_passes(const PassPlace& place,
                                            const std::vector<Context>& contexts,
                                            std::span<const float> window, std::uint64_t seed,
                                            const std::function<bool(std::int64_t done)>& go_on) {
  const Rounds rounds = rounds_of(place.model.config(), place.data, contexts, true);
  std::optional<PassTables> tables = passes_in_tables(place, contexts, rounds, window, seed, go_on);
  if (!tables) return std::nullopt;
  return tables->take();
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
  plan_passes(model, dry.tape, dry.trunks, sizes, feed.memory());
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

}  // namespace cdt
