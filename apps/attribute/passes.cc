#include "apps/attribute/passes.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "apps/common/predictions.h"
#include "apps/common/program.h"
#include "engine/backend.h"
#include "engine/error.h"

namespace cdt {
namespace {

void expect_finite(const PairScores& scores, const Dataset& data, const Pair& pair) {
  const bool finite = std::all_of(scores.windows.begin(), scores.windows.end(), [](const auto& w) {
    return std::all_of(w.begin(), w.end(), [](float x) { return std::isfinite(x); });
  });
  if (std::isfinite(scores.prediction) && finite) return;
  throw Error("the attribution of enhancer " + enhancer_of(data, pair).name + ", gene " +
              gene_of(data, pair) + " is not finite");
}

/// Lets the explainer of a model with gene windows read those of the pairs' genes; returns the feed
/// that it keeps using, or null.
std::unique_ptr<DnaFeed> read_gene_windows(Inference& inference, const std::vector<Pair>& pairs,
                                           Explainer& explainer) {
  if (!inference.config.gene_window) return nullptr;
  auto feed = std::make_unique<DnaFeed>(inference.data, *inference.backend, inference.lasting,
                                        kGeneWindowsAtOnce, 0, 0, Windows::kOfGenes);
  explainer.read_gene_windows(*feed, distinct_genes(pairs), stop_if_interrupted);
  return feed;
}

}  // namespace

EnhancerPasses::EnhancerPasses(Inference& inference, const AttributeOptions& options,
                               const Methods& methods, const std::vector<Region>& regions,
                               const std::vector<Pair>& pairs)
    : inference_(inference),
      options_(options.gradient),
      regions_(regions),
      explainer_(*inference.model, inference.tape, inference.rna, inference.protein,
                 inference.lasting),
      gene_feed_(read_gene_windows(inference, pairs, explainer_)),
      places_(inference.config, inference.data, *inference.backend, inference.lasting, 1),
      baseline_(inference, explainer_, options_.baseline),
      claims_wanted_(claims_of_baseline(methods, options_.baseline)) {
  const ScorerContext context{inference, explainer_,          baseline_,
                              options_,  options.choice.seed, want_product_};
  for (const Method* method : methods) scorers_.push_back(method->make(context));
  const std::int64_t places = choose_places(inference, want_product_, pairs.size());
  if (places == 0) return;
  batch_.emplace(explainer_, places, inference.data.bins, want_product_, inference.lasting);
}

bool EnhancerPasses::is_zero(const Tensor& dna) {
  const Tensor rows = dna.reshaped({dna.rows(), dna.cols()});
  const InFloat32 values(*inference_.backend, rows, inference_.scratch);
  return all_zero(row_norms(*inference_.backend, inference_.scratch, *values));
}

void EnhancerPasses::score(EnhancerWindow* window, EnhancerResult* out) {
  for (const PairWindows& windows : window->defaults) {
    out->scores.push_back({windows.prediction, {}});
  }
  for (const auto& scorer : scorers_) {
    MethodScores scores = scorer->score(*window);
    CDT_CHECK(scores.windows.size() == window->genes.size(), "a method scores every gene");
    for (std::size_t i = 0; i < out->scores.size(); ++i) {
      out->scores[i].windows.push_back(std::move(scores.windows[i]));
    }
    out->remarks.push_back(std::move(scores.remarks));
    if (!scores.completeness.empty()) out->completeness = std::move(scores.completeness);
    stop_if_interrupted();
  }
  for (std::size_t i = 0; i < out->pairs.size(); ++i) {
    expect_finite(out->scores[i], inference_.data, out->pairs[i]);
  }
}

void EnhancerPasses::add_regions(EnhancerWindow* window, EnhancerResult* out) {
  std::vector<BinRange> ranges;
  for (std::size_t r = 0; r < regions_.size(); ++r) {
    const std::optional<BinRange> bins = regions_[r].bins_in(inference_.data, window->enhancer);
    if (!bins) continue;
    out->regions.push_back({r, *bins, {}});
    ranges.push_back(*bins);
  }
  const bool correlated = claims_wanted_ && !window->zero_dna;
  if (ranges.empty() && !correlated) return;
  const std::vector<float>& from = baseline_.z();
  out->claims = gradient_claims(explainer_, window->z(), from, window->genes);
  if (ranges.empty()) return;
  std::vector<std::vector<RegionEffect>> effects =
      region_effects(explainer_, window->z(), from, ranges, window->genes, out->claims);
  for (std::size_t i = 0; i < effects.size(); ++i) out->regions[i].effects = std::move(effects[i]);
  stop_if_interrupted();
}

EnhancerResult EnhancerPasses::finish(EnhancerWindow window, const std::vector<Pair>& pairs) {
  EnhancerResult out;
  out.enhancer = window.enhancer;
  out.zero_dna = window.zero_dna;
  out.pairs = pairs;
  score(&window, &out);
  if (options_.paths) {
    out.paths = split_paths(explainer_, window.z(), window.genes, stop_if_interrupted);
  }
  if (options_.path_heads) {
    out.path_heads = split_heads(explainer_, window.z(), window.genes, stop_if_interrupted);
  }
  if (options_.gene_gradients) {
    out.gene_gradients = gene_gradients(explainer_, window.z(), window.genes);
  }
  add_regions(&window, &out);
  out.for_maps = [this, window = std::move(window)](const std::vector<AttentionMap>& wanted,
                                                    const MapReceiver& receive) mutable {
    if (!std::exchange(trunks_shown_, true)) trunk_maps(explainer_, wanted, receive);
    enhancer_maps(explainer_, window.z(), wanted, receive);
  };
  return out;
}

void EnhancerPasses::use_sample(std::int32_t sample) {
  if (sample == sample_) return;
  explainer_.use_rna(inference_.data.rna_of(sample));
  sample_ = sample;
}

EnhancerResult EnhancerPasses::run_alone(const std::vector<Pair>& pairs, const Tensor& dna) {
  if (places_.wanted()) explainer_.place_genes(places_.load({pairs.front().enhancer}));
  EnhancerWindow window(explainer_, pairs, dna, is_zero(dna));
  attribute(explainer_, window.z(), window.genes, want_product_,
            [&](std::size_t, const PairWindows& windows) {
              stop_if_interrupted();
              window.defaults.push_back(windows);
            });
  return finish(std::move(window), pairs);
}

std::vector<EnhancerResult> EnhancerPasses::run(const EnhancerBatch& batch, const Tensor& dna) {
  std::vector<EnhancerResult> out;
  use_sample(batch.enhancers.front().front().sample);
  if (batch.places.empty()) {
    out.push_back(run_alone(batch.enhancers.front(), dna));
    return out;
  }
  std::vector<std::vector<std::int32_t>> genes;
  for (const auto& [enhancer, first, count] : batch.places) {
    const auto begin = batch.enhancers[enhancer].begin() + static_cast<std::ptrdiff_t>(first);
    genes.push_back(column({begin, begin + static_cast<std::ptrdiff_t>(count)}, &Pair::gene));
  }
  std::vector<std::vector<PairWindows>> windows;
  for (const auto& pairs : batch.enhancers) windows.emplace_back(pairs.size());
  batch_->run(dna, genes, [&](std::size_t at, std::size_t index, PairWindows of_pair) {
    stop_if_interrupted();
    const EnhancerBatch::Place& place = batch.places[at];
    windows[place.enhancer][place.first + index] = std::move(of_pair);
  });
  for (std::size_t at = 0; at < batch.places.size(); ++at) {
    const auto [enhancer, first, count] = batch.places[at];
    if (first > 0 || count == 0) continue;
    const auto row = static_cast<std::int64_t>(at);
    EnhancerWindow window(explainer_, batch.enhancers[enhancer], dna.slice(row, row + 1),
                          batch_->is_zero(at));
    window.defaults = std::move(windows[enhancer]);
    out.push_back(finish(std::move(window), batch.enhancers[enhancer]));
  }
  return out;
}

}  // namespace cdt
