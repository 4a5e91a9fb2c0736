#include "apps/train/validation.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "apps/common/predictions.h"
#include "apps/common/tables.h"
#include "apps/evaluation/baselines.h"
#include "apps/evaluation/controls.h"
#include "apps/evaluation/evaluation.h"
#include "engine/poll.h"
#include "io/dataset/loci.h"
#include "io/format/text.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr std::int64_t kFewest = 3;  // least pairs for a meaningful r: with two it is 1 or -1

/// While it lives the parameters require no gradient, so forward passes store nothing for backward.
class NoGradients {
 public:
  explicit NoGradients(Cdt& model) : model_(model) { set(false); }
  ~NoGradients() { set(true); }
  NoGradients(const NoGradients&) = delete;
  NoGradients& operator=(const NoGradients&) = delete;

 private:
  void set(bool wanted) {
    for (Parameter& p : model_.parameters()) p.variable.needs_grad = wanted && p.trained();
  }
  Cdt& model_;
};

}  // namespace

ValidationParts::ValidationParts(const std::vector<Pair>& train, const std::vector<Pair>& val,
                                 const std::string& steer_by) {
  const GeneTraining training(train);
  std::set<std::int32_t> untrained;
  for (const Pair& pair : val) {
    const bool seen = training.pairs_of(pair.gene) > 0;
    effects_.push_back(pair.beta);
    seen_.push_back(seen);
    if (seen) continue;
    untrained.insert(pair.gene);
    ++unseen_pairs_;
  }
  unseen_genes_ = static_cast<std::int64_t>(untrained.size());
  const auto seen_pairs = static_cast<std::int64_t>(val.size()) - unseen_pairs_;
  leaves_out_unseen_ = steer_by == "seen" && unseen_pairs_ > 0 && seen_pairs >= kFewest;
}

std::vector<float> ValidationParts::part(const std::vector<float>& values, bool seen) const {
  std::vector<bool> flags = seen_;
  if (!seen) flags.flip();
  return chosen<float>(values, flags);
}

Metrics ValidationParts::measure_part(const std::vector<float>& predictions, bool seen) const {
  const std::vector<float> effects = part(effects_, seen);
  const auto n = static_cast<std::int64_t>(effects.size());
  if (n >= kFewest) return compute_metrics(part(predictions, seen), effects);
  return {n, kNaN, kNaN, kNaN, kNaN, kNaN, kNaN, kNaN};
}

ValidationMetrics ValidationParts::measure(const std::vector<float>& predictions) const {
  ValidationMetrics out;
  out.all = compute_metrics(predictions, effects_);
  out.seen = measure_part(predictions, true);
  out.unseen = measure_part(predictions, false);
  out.steering_r = leaves_out_unseen_ ? out.seen.pearson : out.all.pearson;
  return out;
}

nlohmann::ordered_json seen_and_unseen_json(const ValidationMetrics& metrics) {
  return {{"val_seen_pearson", metrics.seen.pearson},
          {"val_seen_r2", metrics.seen.r2},
          {"val_unseen_pearson", metrics.unseen.pearson},
          {"val_unseen_r2", metrics.unseen.r2},
          {"val_pairs_of_unseen_genes", metrics.unseen.n}};
}

ValidationControls::ValidationControls(const Dataset& data, std::uint64_t seed,
                                       const OutputUnits& units)
    : data_(data),
      seed_(seed),
      units_(units),
      pairs_(data.pairs_of(Split::kVal)),
      contexts_(distinct_contexts(pairs_)) {
  const std::vector<Pair> train = data.pairs_of(Split::kTrain);
  if (train.empty() || pairs_.empty()) return;  // there will be no run; the trainer says why
  const std::vector<std::int32_t> locus_of = loci_of(data);
  for (const Pair& pair : pairs_) {
    loci_.push_back(locus_of[static_cast<std::size_t>(pair.enhancer)]);
  }
  const std::vector<float> effects = column(pairs_, &Pair::beta);
  std::vector<BaselinePrediction> baselines = gene_baselines(train, pairs_);
  std::vector<double> r;
  for (const BaselinePrediction& b : baselines) {
    r.push_back(compute_metrics(b.predictions, effects).pearson);
  }
  const std::size_t strongest = strongest_of(r);
  baseline_pearson_ = r[strongest];
  baseline_label_ = baselines[strongest].label;
  baseline_ = {std::move(baselines[strongest].predictions)};
}

const std::vector<float>& ValidationControls::window(Communicator& ranks,
                                                     const std::function<bool()>& go_on) {
  if (window_.empty()) window_ = mean_window(data_, distinct_enhancers(pairs_), go_on, ranks);
  return window_;
}

ComparedValidation ValidationControls::compare(const ControlPasses& passes) const {
  ComparedValidation out = compare(passes.real);
  const PollPause whole;
  ControlPredictions controls = control_predictions(passes, pairs_, kControlDraws, seed_);
  for (std::vector<float>& draw : controls.shuffled_dna) {
    draw = predictions_of(units_, std::move(draw));
  }
  for (std::vector<float>* one : {&controls.mean_dna, &controls.shuffled_genes}) {
    *one = predictions_of(units_, std::move(*one));
  }
  out.controls =
      score_controls({pairs_, out.predictions, loci_, units_.ranks}, controls, {.seed = seed_});
  return out;
}

ComparedValidation ValidationControls::compare(const PredictionTable& real) const {
  const PollPause whole;  // a signal ends the run only after this epoch is kept
  ComparedValidation out;
  out.predictions = predictions_of(units_, real.of(pairs_));
  const std::vector<float> effects = column(pairs_, &Pair::beta);
  out.gain.value = compute_metrics(out.predictions, effects).pearson - baseline_pearson_;
  if (std::isnan(out.gain.value)) return out;
  out.gain.interval =
      bootstrap_pearson_difference(out.predictions, baseline_, effects, loci_, {.seed = seed_});
  return out;
}

std::string ComparedValidation::note(const std::string& baseline) const {
  const auto r = [](double value) { return number_cell(value, 0, 4); };
  std::string out;
  if (controls) {
    if (std::isnan(controls->pearson.value)) return out;
    if (controls->shuffled_dna) {
      out += "DNA shuffled r " + r(controls->shuffled_dna->pearson) + ", ";
    }
    out += "DNA averaged r " + r(controls->mean_dna.pearson) + ", ";
  }
  if (std::isnan(gain.value)) return out + (controls ? "no baseline has an r above 0, " : "");
  return out + r(std::fabs(gain.value)) + (gain.value < 0.0 ? " below the " : " above the ") +
         baseline + ", ";
}

std::optional<ControlPasses> validation_passes(const PassPlace& place,
                                               const std::vector<Context>& contexts,
                                               std::span<const float> window, std::uint64_t seed,
                                               const std::function<bool()>& go_on) {
  const NoGradients guard(place.model);
  return control_passes(place, contexts, window, seed,
                        [&go_on](std::int64_t /*done*/) { return go_on(); });
}

std::optional<PredictionTable> plain_validation(const PassPlace& place,
                                                const std::vector<Context>& contexts,
                                                const std::function<bool()>& go_on) {
  const NoGradients guard(place.model);
  return plain_passes(place, contexts, [&go_on](std::int64_t /*done*/) { return go_on(); });
}

void plan_validation(Cdt& model, Tape& tape, Arena& constants, const Dataset& sizes,
                     const Tensor& dna) {
  const NoGradients guard(model);
  plan_passes(model, tape, constants, sizes, dna);
}

double epoch_loss(const std::vector<float>& prediction, const std::vector<Pair>& pairs,
                  std::int64_t batch, double delta) {
  const auto size = static_cast<std::size_t>(batch);
  double sum = 0.0;
  std::int64_t batches = 0;
  for (std::size_t first = 0; first < pairs.size(); first += size) {
    const std::size_t end = std::min(pairs.size(), first + size);
    double batch_sum = 0.0;
    for (std::size_t i = first; i < end; ++i) {
      const double error = std::abs(static_cast<double>(prediction[i]) - pairs[i].beta);
      batch_sum += error <= delta ? 0.5 * error * error : delta * (error - 0.5 * delta);
    }
    sum += batch_sum / static_cast<double>(end - first);
    ++batches;
  }
  return sum / static_cast<double>(batches);
}

}  // namespace cdt
