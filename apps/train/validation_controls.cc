#include "apps/train/validation_controls.h"

#include <cmath>
#include <utility>

#include "apps/common/predictions.h"
#include "apps/common/tables.h"
#include "apps/evaluation/baselines.h"
#include "apps/evaluation/loci.h"
#include "apps/evaluation/metrics_json.h"
#include "engine/poll.h"
#include "model/stats/statistics.h"

namespace cdt {

ValidationControls::ValidationControls(const Dataset& data, std::uint64_t seed)
    : data_(data),
      seed_(seed),
      pairs_(data.pairs_of(Split::kVal)),
      enhancers_(distinct_enhancers(pairs_)) {
  const std::vector<Pair> train = data.pairs_of(Split::kTrain);
  if (train.empty() || pairs_.empty()) return;  // no run: the trainer says why
  const std::vector<std::int32_t> locus_of = loci_of(data);
  for (const Pair& pair : pairs_) {
    loci_.push_back(locus_of[static_cast<std::size_t>(pair.enhancer)]);
  }
  const std::vector<float> effects = effects_of(pairs_);
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

const std::vector<float>& ValidationControls::window(const std::function<bool()>& go_on) {
  if (window_.empty()) window_ = mean_window(data_, enhancers_, go_on);
  return window_;
}

ComparedValidation ValidationControls::compare(const ControlPasses& passes) const {
  const PollPause whole;  // a signal ends the run once the epoch is kept
  ComparedValidation out;
  out.predictions = passes.real.of(pairs_);
  const std::vector<float> effects = effects_of(pairs_);
  out.controls =
      score_controls({pairs_, out.predictions, loci_},
                     control_predictions(passes, pairs_, kControlDraws, seed_), {.seed = seed_});
  out.gain = compute_metrics(out.predictions, effects).pearson - baseline_pearson_;
  out.gain_interval = {std::nan(""), std::nan("")};
  if (std::isnan(out.gain)) return out;
  out.gain_interval =
      bootstrap_pearson_difference(out.predictions, baseline_, effects, loci_, {.seed = seed_});
  return out;
}

std::string ComparedValidation::note(const std::string& baseline) const {
  const auto r = [](double value) { return number_cell(value, 0, 4); };
  std::string out;
  if (std::isnan(controls.pearson)) return out;
  if (controls.shuffled_dna) out += "DNA shuffled r " + r(controls.shuffled_dna->pearson) + ", ";
  out += "DNA averaged r " + r(controls.mean_dna.pearson) + ", ";
  if (std::isnan(gain)) return out + "no baseline has an r above 0, ";
  return out + r(std::fabs(gain)) + (gain < 0.0 ? " below the " : " above the ") + baseline + ", ";
}

std::string ComparedValidation::json(const std::string& baseline) const {
  const nlohmann::ordered_json gain_json = {
      {"over", baseline}, {"difference", gain}, {"ci95", interval_json(gain_interval)}};
  return ",\"val_gain\":" + gain_json.dump() +
         ",\"val_controls\":" + controls_json(controls).dump();
}

}  // namespace cdt
