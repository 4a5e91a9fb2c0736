#include "apps/attribute/batches.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "apps/common/memory_check.h"
#include "engine/backend.h"
#include "io/format/text.h"
#include "model/dna_feed.h"
#include "model/explain/attribution.h"
#include "model/explain/attribution_batch.h"
#include "model/gene_places.h"

namespace cdt {
namespace {

constexpr std::int64_t kMostPlaces = 8;
constexpr std::size_t kForward = 1;  // cost of a forward pass, in rounds

using Counts = std::vector<std::size_t>;  // number of pairs of each enhancer

std::size_t places_for(const Counts& counts, std::size_t rounds) {
  std::size_t places = 0;
  for (const std::size_t count : counts) places += (count + rounds - 1) / rounds;
  return places;
}

/// Fewest rounds in which `places` serve these enhancers, of which there are at most as many.
std::size_t rounds_for(const Counts& counts, std::size_t places) {
  std::size_t rounds = 1;
  while (places_for(counts, rounds) > places) ++rounds;
  return rounds;
}

/// How many of the next enhancers share a pass at the lowest cost per pair.
std::size_t best_share(const Counts& next, std::size_t places) {
  std::size_t best = 0;
  double best_cost = 0.0;
  Counts counts;
  for (std::size_t n = 1; n <= std::min(places, next.size()); ++n) {
    counts.push_back(next[n - 1]);
    const auto pairs = std::accumulate(counts.begin(), counts.end(), std::size_t{0});
    const double cost =
        static_cast<double>(kForward + rounds_for(counts, places)) / static_cast<double>(pairs);
    if (best != 0 && cost > best_cost) continue;
    best = n;
    best_cost = cost;
  }
  return best;
}

void give_places(EnhancerBatch* batch, std::size_t places) {
  Counts counts;
  for (const auto& pairs : batch->enhancers) counts.push_back(pairs.size());
  const std::size_t rounds = rounds_for(counts, places);
  for (std::size_t e = 0; e < counts.size(); ++e) {
    for (std::size_t first = 0; first < counts[e]; first += rounds) {
      batch->places.push_back({e, first, std::min(rounds, counts[e] - first)});
    }
  }
  batch->places.resize(places, {counts.size() - 1, 0, 0});
}

std::vector<std::vector<Pair>> by_enhancer(const std::vector<Pair>& pairs) {
  std::vector<std::vector<Pair>> out;
  for (const Pair& pair : pairs) {
    const bool is_new = out.empty() || out.back().front().enhancer != pair.enhancer ||
                        out.back().front().sample != pair.sample;
    if (is_new) out.emplace_back();
    out.back().push_back(pair);
  }
  return out;
}

}  // namespace

std::vector<std::int32_t> EnhancerBatch::rows() const {
  if (places.empty()) return {enhancers.front().front().enhancer};
  std::vector<std::int32_t> out;
  for (const Place& place : places) out.push_back(enhancers[place.enhancer].front().enhancer);
  return out;
}

std::vector<EnhancerBatch> cut_into_batches(const std::vector<Pair>& pairs, std::int64_t places,
                                            std::int64_t most_genes) {
  std::vector<std::vector<Pair>> all = by_enhancer(pairs);
  const auto room = static_cast<std::size_t>(places);
  std::vector<EnhancerBatch> out;
  for (std::size_t begin = 0; begin < all.size();) {
    Counts next;
    for (std::size_t e = begin; e < std::min(all.size(), begin + room); ++e) {
      const bool is_of_sample = all[e].front().sample == all[begin].front().sample;
      if (std::ssize(all[e]) > most_genes || !is_of_sample) break;
      next.push_back(all[e].size());
    }
    const std::size_t end = begin + std::max<std::size_t>(1, best_share(next, room));
    EnhancerBatch& batch = out.emplace_back();
    for (; begin < end; ++begin) batch.enhancers.push_back(std::move(all[begin]));
    if (!next.empty()) give_places(&batch, room);
  }
  return out;
}

namespace {

/// What every attribution has on the device, in a dry run.
struct DryExplainer {
  DryExplainer(const CdtConfig& config, std::int64_t batch, std::int64_t bins, Backend& device)
      : dry(device),
        sizes(sizes_of(config, bins)),
        model(config, dry.backend(), dry.lasting, false),
        weights(dry.taken()),
        explainer(model, dry.tape, upload(sizes.rna, config.rna_dim),
                  upload(sizes.protein, config.protein_dim), dry.lasting),
        feed(sizes, dry.backend(), dry.lasting, batch),
        places(config, sizes, dry.backend(), dry.lasting, 1) {
    if (config.gene_window) read_gene_windows();
    if (places.wanted()) explainer.place_genes(places.features());
  }

  Tensor upload(const std::vector<float>& values, std::int64_t width) {
    return upload_genes(dry.backend(), dry.lasting, values, model.config().genes, width);
  }
  void read_gene_windows() {
    gene_feed.emplace(sizes, dry.backend(), dry.lasting, kGeneWindowsAtOnce, 0, 0,
                      Windows::kOfGenes);
    std::vector<std::int32_t> genes(
        static_cast<std::size_t>(std::min(kGeneWindowsAtOnce, model.config().genes)));
    std::iota(genes.begin(), genes.end(), 0);
    model.read_gene_windows(dry.tape, gene_feed->memory().slice(0, std::ssize(genes)), genes,
                            explainer.trunks());
  }
  /// The plan of all that ran.
  MemoryPlan plan() {
    MemoryPlan out;
    out.weights = weights;
    out.data = dry.taken();
    out.host = dry.host();
    dry.add_peaks(&out);
    return out;
  }

  DryRun dry;
  Dataset sizes;
  Cdt model;
  std::size_t weights;
  Explainer explainer;
  DnaFeed feed;
  GenePlaces places;
  std::optional<DnaFeed> gene_feed;
};

/// Most pairs of one enhancer and sample.
std::int64_t most_pairs(const std::vector<Pair>& pairs) {
  std::size_t most = 0;
  for (const std::vector<Pair>& of_enhancer : by_enhancer(pairs)) {
    most = std::max(most, of_enhancer.size());
  }
  return static_cast<std::int64_t>(most);
}

}  // namespace

MemoryPlan plan_attribution(const CdtConfig& config, std::int64_t places, std::int64_t bins,
                            bool want_product, Backend& device) {
  DryExplainer run(config, places, bins, device);
  AttributionBatch batch(run.explainer, places, bins, want_product, run.dry.lasting);
  batch.run(run.feed.memory(),
            std::vector<std::vector<std::int32_t>>(static_cast<std::size_t>(places), {0}),
            [](std::size_t /*place*/, std::size_t /*index*/, const PairWindows& /*windows*/) {});
  return run.plan();
}

MemoryPlan plan_alone(const CdtConfig& config, std::int64_t genes, std::int64_t bins,
                      Backend& device) {
  DryExplainer run(config, 1, bins, device);
  std::vector<std::int32_t> some;  // a split may hold a pair twice
  for (std::int64_t i = 0; i < genes; ++i) {
    some.push_back(static_cast<std::int32_t>(i % config.genes));
  }
  attribute(run.explainer, run.explainer.project(run.feed.memory()), some, false,
            [](std::size_t /*index*/, const PairWindows& /*windows*/) {});
  return run.plan();
}

void expect_memory(const Inference& inference, const std::vector<Pair>& pairs) {
  if (pairs.empty()) return;
  Backend& device = *inference.backend;
  const std::vector<MemoryBound> bounds = with_device(device, memory_bounds());
  const std::int64_t genes = most_pairs(pairs);
  const bool batches = device.asynchronous() && !inference.config.gene_position;
  const MemoryQuestion question{
      .option = "--model",
      .subject = "an attribution of " + number_of(genes, "gene") + " of an enhancer",
      .asked = batches ? 1 : genes,
      .plan =
          [&](std::int64_t size) {
            const std::int64_t bins = inference.data.bins;
            return batches ? plan_attribution(inference.config, 1, bins, false, device)
                           : plan_alone(inference.config, size, bins, device);
          },
      .already = inference.lasting.held(),
      .advice =
          [&](std::int64_t fits, const std::string& needed) {
            return fits > 0 ? number_of(fits, "gene") + " of each enhancer fit at a time"
                            : "one gene takes up to " + needed;
          }};
  plan_that_fits(question, bounds, device);
}

std::int64_t choose_places(const Inference& inference, bool want_product, std::size_t pairs) {
  Backend& backend = *inference.backend;
  // Where genes are placed by enhancer, each enhancer has queries of its own: no common pass.
  if (!backend.asynchronous() || inference.config.gene_position) return 0;
  const std::size_t free = backend.free_bytes();
  auto places = std::min(kMostPlaces, static_cast<std::int64_t>(pairs));
  const auto fits = [&] {
    return plan_attribution(inference.config, places, inference.data.bins, want_product, backend)
               .device_reserve() <= free;
  };
  while (places > 1 && !fits()) --places;
  return places;
}

}  // namespace cdt
