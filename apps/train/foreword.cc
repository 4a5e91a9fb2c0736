#include "apps/train/foreword.h"

#include <algorithm>
#include <array>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/common/tables.h"
#include "apps/evaluation/baselines.h"
#include "io/dataset/gene_starts.h"
#include "io/format/text.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr std::int64_t kDwarfs = 50000;  // parameters per train pair

std::string pairs_file(const Dataset& data) { return (data.directory / "pairs.tsv").string(); }

/// Number of pairs that two splits share.
struct Shared {
  std::int64_t count = 0;
  const Pair* first = nullptr;
};

void warn_of_shared_pairs(const Dataset& data) {
  std::map<std::pair<std::int32_t, std::int32_t>, std::array<bool, 3>> splits;
  std::map<std::pair<Split, Split>, Shared> shared;
  for (const Pair& pair : data.pairs) {
    std::array<bool, 3>& held = splits[{pair.enhancer, pair.gene}];
    bool& mine = held[static_cast<std::size_t>(pair.split)];
    for (const Split other : kSplits) {
      if (mine || other == pair.split || !held[static_cast<std::size_t>(other)]) continue;
      Shared& entry = shared[std::minmax(other, pair.split)];
      if (entry.count++ == 0) entry.first = &pair;
    }
    mine = true;
  }
  for (const auto& [which, found] : shared) {
    warn(text(
        "%s: split: %lld pair(s) in both %s and %s, the first %s; results on %s are no test on new "
        "pairs",
        pairs_file(data).c_str(), static_cast<long long>(found.count), split_name(which.first),
        split_name(which.second), pair_name(data, *found.first).c_str(), split_name(which.second)));
  }
}

/// Warns about effects that are all equal. kind: "train pair", for instance.
void warn_of_effects(const Dataset& data, const std::string& kind, const std::vector<float>& betas,
                     const char* consequence) {
  constexpr std::size_t kTooFew = 3;  // two pairs always correlate with 1 or -1
  const bool differ =
      std::any_of(betas.begin(), betas.end(), [&](float beta) { return beta != betas.front(); });
  if (betas.empty() || (differ && betas.size() >= kTooFew)) return;
  const std::string count = number_of(static_cast<std::int64_t>(betas.size()), kind);
  const std::string what =
      betas.size() < kTooFew ? "no more than " + count
                             : "all " + count + " have the effect " + format_number(betas.front());
  warn(pairs_file(data) + ": beta: " + what + ": " + consequence);
}

void warn_of_unseen_genes(const Dataset& data, const ValidationParts& validation,
                          const TrainSettings& settings) {
  const std::int64_t unseen = validation.unseen_pairs();
  if (unseen == 0) return;
  const auto all = static_cast<std::int64_t>(data.pairs_of(Split::kVal).size());
  std::string consequence = "they steer training like the others (--steer-by all)";
  if (validation.leaves_out_unseen()) {
    consequence = "they do not steer training (--steer-by all includes them)";
  } else if (settings.readout == "gene") {
    consequence = "they steer training like the others, since genes share the head";
  } else if (settings.steer_by == "seen") {
    consequence = "all steer training, since the others are too few";
  }
  warn(pairs_file(data) + ": gene: " + std::to_string(unseen) + " of " +
       number_of(all, "val pair") + " are of " + number_of(validation.unseen_genes(), "gene") +
       " without training pairs; " + consequence);
}

void say_unknown_starts(const Dataset& data) {
  const std::optional<ChosenGeneStarts> genes = choose_gene_starts({}, data);
  const std::string remark = genes ? genes->starts.remark(genes->file) : "";
  if (!remark.empty()) note(remark);
}

/// "60.1 million", "9,184"
std::string counted(std::int64_t number) {
  constexpr std::int64_t kMillion = 1'000'000;
  if (number >= kMillion) return text("%.3g million", static_cast<double>(number) / kMillion);
  return format_with_commas(number);
}

}  // namespace

void warn_about_pairs(const Dataset& data, const ValidationParts& validation,
                      const TrainSettings& settings) {
  std::vector<float> trained;
  for (const Pair& pair : data.pairs_of(Split::kTrain)) trained.push_back(pair.beta);
  warn_of_shared_pairs(data);
  warn_of_unseen_genes(data, validation, settings);
  warn_of_effects(data, "train pair", trained, "there are no differences to learn");
  if (settings.monitor != TrainSettings{}.monitor) return;
  warn_of_effects(data, validation.leaves_out_unseen() ? "steering val pair" : "val pair",
                  validation.steering_effects(),
                  "the correlation that chooses the best model is meaningless, so the first "
                  "epoch's may be kept");
}

void say_what_it_takes(const Cdt& model, const MemoryPlan& plan, const Dataset& data,
                       const std::string& steered_by, const TrainOptions& options, int ranks) {
  const auto train = static_cast<std::int64_t>(data.pairs_of(Split::kTrain).size());
  const TrainSettings& settings = options.settings;
  const std::int64_t steps = train / settings.step_pairs();
  const std::size_t mib = (plan.total() >> 20U) + 1;
  std::cerr << "model of " << counted(model.parameter_count()) << " parameters, "
            << (model.trained_count() < model.parameter_count()
                    ? counted(model.trained_count()) + " of them trained, "
                    : "")
            << "about " << mib << " MiB of memory"
            << (ranks > 1 ? " for each of " + std::to_string(ranks) + " ranks" : "") << "; "
            << number_of(train, "train pair") << ", " << number_of(steps, "step") << " per epoch"
            << (settings.accumulate > 1 ? ", each of " + std::to_string(settings.accumulate) +
                                              " batches of " + std::to_string(settings.batch_size)
                                        : "")
            << ", at most " << number_of(settings.epochs, "epoch")
            << (settings.max_steps > 0 ? " or " + number_of(settings.max_steps, "step") : "")
            << "; steered by " << steered_by << '\n';
  const std::string extensions = extensions_text(model.config());
  if (!extensions.empty() && !options.resume) {
    note("the model has " + extensions + kNotInReleased);
  }
  if (model.config().gene_position && !options.resume) say_unknown_starts(data);
  const bool sizes_chosen = options.given.count("hidden") > 0 || !options.common.model.empty();
  if (options.resume || sizes_chosen || model.parameter_count() / kDwarfs < train) return;
  note("that is " + counted(model.parameter_count() / train) +
       " parameters per train pair; a smaller model is faster and may do as well: --hidden 64 "
       "--heads 4 --feed-forward 128 --fusion 128");
}

void say_where_it_begins(const TrainState& state, double lr,
                         const std::filesystem::path& optimiser) {
  note("begins at epoch " + std::to_string(state.first_epoch) + " with the optimiser of " +
       optimiser.string() + ", after " + number_of(state.global_step, "update") +
       ", learning rate " + format_number(lr));
}

void say_what_is_resumed(const TrainState& state, const TrainSettings& settings,
                         const std::string& began_on, const std::string& device) {
  if (began_on != device) {
    note("the run began on " + began_on + " and continues on " + device +
         "; results may differ in the last bits");
  }
  const std::int64_t done = state.epoch - 1;
  if (state.stopped) {
    note("the run ended by early stopping after " + number_of(done, "epoch"));
  } else if (done >= settings.epochs) {
    note("all " + std::to_string(done) + " epochs are done" +
         (settings.decays() ? "" : "; a larger --epochs continues"));
  }
}

void start_head_at_gene_means(const std::vector<Pair>& train, Cdt& model) {
  const Linear& last = model.head.last;
  const std::vector<float> zeros(static_cast<std::size_t>(last.weight->value.count()));
  model.set(last.weight, zeros.data());
  if (model.config().readout == Readout::kGene) {  // one output for all genes
    const std::vector<float> effects = column(train, &Pair::beta);
    const std::vector<double> exact(effects.begin(), effects.end());
    const auto mean_effect = static_cast<float>(mean(exact));
    model.set(last.bias, &mean_effect);
    return;
  }
  model.set(last.bias, shrunk_gene_means(train, model.config().genes).data());
}

}  // namespace cdt
