#include "apps/predict/split_evaluation.h"

#include <algorithm>
#include <functional>
#include <iostream>
#include <utility>

#include "apps/evaluation/evaluation.h"
#include "apps/evaluation/noise_ceiling.h"
#include "apps/predict/files.h"
#include "engine/error.h"
#include "io/dataset/loci.h"
#include "io/dataset/truth.h"
#include "io/format/output.h"
#include "io/format/text.h"
#include "model/inputs.h"

namespace cdt {
namespace {

// Least sizes of a row of predictions.tsv and of controls.tsv.
constexpr std::size_t kRowBytes = 24, kControlsRowBytes = 64;

bool all_equal(const std::vector<float>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

/// Throws InputError if the screens share too few pairs, or if one has the same effect for all of
/// them.
void expect_comparable(const PredictOptions& options, const Screen& screen,
                       const std::vector<Pair>& pairs) {
  const auto [places, first, second] = measured_twice(pairs, screen);
  const std::string file = options.replicate.string();
  if (first.size() < kFewestMeasuredTwice) {
    throw InputError(file, "rows", "fewer than three pairs of the split " + options.split);
  }
  const std::string shared = " all " + std::to_string(first.size()) + " shared pairs " +
                             "have one effect, so the two screens have no correlation";
  if (all_equal(second)) throw InputError(file, "beta", "here" + shared);
  if (all_equal(first)) throw InputError(file, "beta", "in the data set" + shared);
}

/// Reads the second screen, which is refused before predictions are made.
Screen screen_of_split(const PredictOptions& options, const Dataset& data,
                       const std::vector<Pair>& pairs) {
  ScreenFile read = read_replicate(options.replicate, data, pairs);
  expect_comparable(options, read.effects, pairs);
  const std::string skipped = read.skipped(options.replicate);
  if (!skipped.empty()) note(skipped);
  return std::move(read.effects);
}

}  // namespace

std::vector<Pair> pairs_to_predict(const PredictOptions& options, const Dataset& data) {
  std::vector<Pair> pairs = data.pairs_of(split_named(options.split));
  if (!pairs.empty()) return pairs;
  throw InputError((data.directory / "pairs.tsv").string(), "split",
                   "no pairs in split " + options.split);
}

SplitEvaluation::SplitEvaluation(const PredictOptions& options, const EvaluatedModel& model,
                                 const std::vector<Pair>& pairs, const std::filesystem::path& out)
    : options_(options),
      model_(model),
      pairs_(pairs),
      out_(out),
      ceiling_(noise_ceiling(truth_of(model.data), model.data, pairs, options.split)) {
  if (!options.replicate.empty()) screen_ = screen_of_split(options, model.data, pairs);
  require_free_space(out,
                     pairs.size() * (kRowBytes + (options.no_controls ? 0 : kControlsRowBytes)));
  baselines_ = fit_baselines(options.baselines, model.data, pairs, options.common.quiet);
}

void SplitEvaluation::finish(const Predicted& predicted, const std::string& provenance) {
  const Dataset& data = model_.data;
  const std::vector<std::int32_t> locus_of = loci_of(data);
  Evaluation evaluation =
      evaluate({pairs_, predicted.predictions, data.pairs_of(Split::kTrain),
                pairs_that_chose(data, options_.split), locus_of, predicted.controls,
                baselines_.predictions, ceiling_, options_.threshold(), baselines_.places,
                model_.fingerprint, read_output_units(model_.file).ranks},
               {.replicates = options_.bootstrap, .seed = options_.passes().seed});
  evaluation.split = options_.split;
  evaluation.trained_here = trained_here(model_.file, data);
  evaluation.use = data.use;
  evaluation.folds = data.folds;
  evaluation.train_pairs = std::ssize(data.pairs_of(Split::kTrain));
  evaluation.data = path_text(options_.common.data);
  evaluation.model_file = path_text(options_.common.model);
  if (!baselines_.gene_starts.empty()) evaluation.gene_starts = path_text(baselines_.gene_starts);
  if (screen_) {
    evaluation.replicate =
        compare_screens(pairs_, predicted.predictions, *screen_, locus_of, evaluation.bootstrap);
    evaluation.replicate->source = path_text(options_.replicate);
  }
  write_prediction(out_,
                   predictions_tsv(data, pairs_, predicted.predictions, baselines_.predictions),
                   predicted.controls ? controls_tsv(data, pairs_, predicted.controls(pairs_)) : "",
                   provenance, &evaluation);
  std::cout << summary_table(evaluation);
}

}  // namespace cdt
