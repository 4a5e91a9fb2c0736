#include "apps/train/settings.h"

#include <limits>
#include <type_traits>

#include "apps/common/cli_words.h"
#include "apps/common/precision.h"
#include "engine/error.h"
#include "io/dataset/folds.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr const char* kNone = "none";  // how an empty list is written
constexpr double kMost = Setting{}.max;

using S = TrainSettings;
constexpr std::array<Setting, 28> kSettings = {{
    {"epochs", "maximum number of epochs", &S::epochs, 1},
    {"max-steps",
     "optimiser steps in all, after which the run validates, saves and ends; 0: no limit",
     &S::max_steps,
     0,
     1e15,
     nullptr,
     {},
     "0",
     true},
    {"batch-size", "pairs per forward and backward pass", &S::batch_size, 1, 4096},
    {"accumulate",
     "batches whose gradients are averaged for one optimiser step",
     &S::accumulate,
     1,
     4096,
     nullptr,
     {},
     "1",
     true},
    {"lr", "initial learning rate", &S::lr, 1e-12, 1e3},
    {"weight-decay", "decoupled weight decay", &S::weight_decay, 0.0, 1e3},
    {"dropout", "dropout probability, everywhere", &S::dropout, 0.0, 0.999},
    {"huber-delta", "error at which the loss turns from quadratic to linear", &S::huber_delta,
     1e-12, 1e6},
    {"grad-clip", "global gradient norm to clip at; 0: no clipping", &S::grad_clip, 0.0, 1e9},
    {"patience",
     "epochs without a gain of 0.001 (of the loss: of a thousandth of it) before stopping",
     &S::patience, 1},
    {"monitor",
     "number over val pairs that steers training (learning rate, best model, early stopping): "
     "pearson, loss (lower is better), or auprc, the average precision of the positive pairs",
     &S::monitor,
     0,
     0,
     nullptr,
     {"pearson", kMonitorLoss, kMonitorAuprc},
     "pearson",
     true},
    {"positive-below",
     "with --monitor auprc: pairs whose beta is below this are positive; without it, pairs of "
     "label 1",
     &S::positive_below,
     -1e6,
     1e6,
     nullptr,
     {},
     "-inf",
     true},
    {"steer-by",
     "val pairs that steer training: those whose gene has train pairs, or all",
     &S::steer_by,
     0,
     0,
     nullptr,
     {"seen", "all"},
     "all"},
    {"init-head",
     "initial last layer: random as in the released code, or each gene's shrunk mean",
     &S::init_head,
     0,
     0,
     nullptr,
     {"released", "mean"},
     "released"},
    {"init",
     "initial weights: drawn from --seed, or the reference's after torch.manual_seed(SEED)",
     &S::init,
     0,
     0,
     nullptr,
     {"seed", kTorchSeed},
     "seed",
     true},
    {"order",
     "order of pairs in an epoch: from --seed; as by a DataLoader with a generator of that SEED; "
     "torch: as by one that continues the generator of --init",
     &S::order,
     0,
     0,
     nullptr,
     {"seed", kTorchSeed, kGlobalOrder},
     "seed",
     true},
    {"variant", "variant of the model", &S::variant, 0, 0, nullptr, {"released", "paper"}},
    {"hidden", "hidden size D", &S::hidden, 1, kMost, &CdtConfig::hidden},
    {"heads", "attention heads", &S::heads, 1, kMost, &CdtConfig::heads},
    {"pool-heads", "pooling attention heads", &S::pool_heads, 1, kMost, &CdtConfig::pool_heads},
    {"feed-forward", "feed-forward width", &S::feed_forward, 1, kMost, &CdtConfig::feed_forward},
    {"fusion", "width of the fusion layer", &S::fusion, 1, kMost, &CdtConfig::fusion},
    {"dna-layers", "DNA self-attention blocks", &S::dna_layers, 0, 1000, &CdtConfig::dna_layers},
    {"rna-layers", "RNA self-attention blocks", &S::rna_layers, 0, 1000, &CdtConfig::rna_layers},
    {"protein-layers", "protein self-attention blocks", &S::protein_layers, 0, 1000,
     &CdtConfig::protein_layers},
    {"fold",
     "fold of the data set that tests; the next one is val, the others train; 0: by split",
     &S::fold,
     0,
     kMostFolds,
     nullptr,
     {},
     "0",
     true},
    {"train-share",
     "share of the train pairs to use, taken by whole loci",
     &S::train_share,
     1e-6,
     1,
     nullptr,
     {},
     "1",
     true},
    {"freeze",
     "module or parameter to keep fixed, with wildcards * and ?; its dropout stays on",
     &S::freeze,
     0,
     0,
     nullptr,
     {},
     kNone,
     true},
}};
// Settings that are added with the common options.
constexpr std::array<Setting, 2> kCommonSettings = {{
    {"seed", "", &S::seed, 0, std::numeric_limits<double>::infinity()},
    {"precision", "", &S::precision, 0, 0, nullptr, kPrecisionWords},
}};

std::vector<std::string> words_of(const Setting& setting) {
  std::vector<std::string> out;
  for (const char* word : setting.words) {
    if (word != nullptr) out.emplace_back(word);
  }
  return out;
}

}  // namespace

std::span<const Setting> own_settings() { return kSettings; }
std::span<const Setting> common_settings() { return kCommonSettings; }

std::string text_of(const Setting& setting, const TrainSettings& settings) {
  return std::visit(
      [&](auto member) -> std::string {
        const auto& value = settings.*member;
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          return value.empty() ? kNone : joined(value, " ");
        } else if constexpr (std::is_same_v<T, std::string>) {
          return value;
        } else if constexpr (std::is_same_v<T, double>) {
          return format_number(value);
        } else {
          return std::to_string(value);
        }
      },
      setting.member);
}

void read_setting(JsonReader& json, const Setting& setting, TrainSettings* settings) {
  const std::string name = setting.name;
  std::visit(
      [&](auto member) {
        auto& value = settings->*member;
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          value = json.has(name) ? json.strings(name) : T{};
        } else if constexpr (std::is_same_v<T, std::string>) {
          const bool older = setting.unless_stored != nullptr && !json.has(name);
          value = older ? setting.unless_stored : json.string(name);
          if (!is_choice(value, words_of(setting))) {
            json.fail(name, expected_got("out of range", "one of the words of --" + name, value));
          }
        } else {
          if (setting.unless_stored != nullptr && !json.has(name)) return;
          if constexpr (std::is_same_v<T, double>) {
            value = json.number(name);
          } else {
            value = json.integer(name);
          }
          const auto number = static_cast<double>(value);
          if (!(number >= setting.min && number <= setting.max)) {
            json.fail(name,
                      expected_got("out of range",
                                   range_text(setting.min, setting.max, !std::is_same_v<T, double>),
                                   text_of(setting, *settings)));
          }
        }
      },
      setting.member);
}

void add_settings(Cli& cli, TrainSettings* settings) {
  for (const Setting& setting : own_settings()) {
    std::visit(
        [&](auto member) {
          auto* target = &(settings->*member);
          using T = std::decay_t<decltype(*target)>;
          if constexpr (std::is_same_v<T, std::vector<std::string>>) {
            cli.option(setting.name, target, setting.help);
          } else if constexpr (std::is_same_v<T, std::string>) {
            cli.choice(setting.name, target, words_of(setting), setting.help);
          } else {
            cli.number(setting.name, target, setting.min, setting.max, setting.help);
          }
        },
        setting.member);
  }
}

}  // namespace cdt
