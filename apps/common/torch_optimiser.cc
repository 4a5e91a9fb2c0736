// Reads the optimiser, scheduler and early stopping of a PyTorch checkpoint.
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/common/torch_checkpoint.h"
#include "engine/error.h"
#include "engine/optim/adamw.h"
#include "io/format/pt.h"
#include "io/format/text.h"
#include "model/checkpoint.h"

namespace cdt {
namespace {

using Kind = PickleValue::Kind;

constexpr std::size_t kMostStateEntries = 64;  // per parameter; AdamW has 4

/// The first of these entries that is a dict, or null.
const PickleValue* find_dict(const PickleValue& root, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    const PickleValue* found = root.find(key);
    if (found != nullptr && found->is(Kind::kDict)) return found;
  }
  return nullptr;
}

const PickleValue* find_optimiser(const PickleValue& root) {
  return find_dict(root, {"optimizer_state_dict", "optimizer"});
}

/// A dict of numbers; its errors are InputErrors(file, "NAME.KEY").
class Numbers {
 public:
  Numbers(const PtArchive& archive, std::string name, const PickleValue& dict)
      : archive_(archive), name_(std::move(name)), dict_(dict) {}

  [[noreturn]] void fail(const std::string& key, const std::string& what) const {
    throw InputError(archive_.path().string(), name_ + "." + key, what);
  }
  const PickleValue& at(const std::string& key) const {
    const PickleValue* value = dict_.find(key);
    if (value == nullptr) fail(key, "is missing");
    return *value;
  }
  double number(const std::string& key) const { return number(key, at(key)); }
  double number(const std::string& key, const PickleValue& value) const {
    std::optional<double> number = pickled_number(value);
    if (!number && PtArchive::is_tensor(value)) number = scalar(key, value);
    if (!number) fail(key, "is no number");
    return *number;
  }
  std::int64_t integer(const std::string& key) const {
    const double value = number(key);
    if (!(std::abs(value) < 0x1p53) || value != std::trunc(value)) {
      fail(key, expected_got("is no whole number", "an integer", format_number(value)));
    }
    return static_cast<std::int64_t>(value);
  }
  /// Throws InputError unless it has this value; a missing key counts as equal.
  void expect(const std::string& key, double value) const {
    if (dict_.find(key) == nullptr) return;
    const double got = number(key);
    if (got != value) {
      fail(key,
           expected_got("is another than this engine's", format_number(value), format_number(got)));
    }
  }
  /// Throws InputError unless it is a list or tuple of exactly these numbers.
  void expect(const std::string& key, const std::vector<double>& values) const {
    const PickleValue& list = at(key);
    if (list.items.size() != values.size()) fail(key, "has another length");
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double got = number(key, *list.items[i]);
      if (got != values[i]) {
        fail(key, expected_got("is another than this engine's", format_number(values[i]),
                               format_number(got)));
      }
    }
  }
  void expect(const std::string& key, const char* word) const {
    if (dict_.find(key) == nullptr || at(key).text == word) return;
    fail(key, expected_got("is another than this engine's", word, printable(at(key).text, 40)));
  }

 private:
  /// Value of a tensor with one element, such as Adam's step.
  double scalar(const std::string& key, const PickleValue& value) const {
    const PtTensor tensor = archive_.tensor(value, name_ + "." + key);
    if (tensor.count != 1 || tensor.info.dtype != "F32") fail(key, "is no number");
    float out = 0;
    archive_.read(tensor, &out);
    return out;
  }

  const PtArchive& archive_;
  std::string name_;
  const PickleValue& dict_;
};

class TorchOptimiser : public OptimiserFile {
 public:
  explicit TorchOptimiser(const std::filesystem::path& path) : OptimiserFile(path), archive_(path) {
    const PickleValue* optimiser = find_optimiser(archive_.root());
    if (optimiser == nullptr) {
      throw InputError(path.string(), "optimizer_state_dict", "is missing; the file is a model");
    }
    read_group(*optimiser);
    read_states(*optimiser);
    read_schedule();
    read_stopping();
  }

 private:
  Numbers numbers_of(const std::string& name, const PickleValue& dict) const {
    return {archive_, name, dict};
  }

  void read_group(const PickleValue& optimiser) {
    const PickleValue& groups = numbers_of("optimizer_state_dict", optimiser).at("param_groups");
    if (groups.items.size() != 1 || !groups.items[0]->is(Kind::kDict)) {
      throw InputError(path().string(), "optimizer_state_dict.param_groups",
                       expected_got("this engine has one group of parameters", "1",
                                    std::to_string(groups.items.size())));
    }
    const Numbers group = numbers_of("param_groups", *groups.items[0]);
    const AdamWOptions ours;
    group.expect("betas", {ours.beta1, ours.beta2});
    group.expect("eps", ours.eps);
    group.expect("amsgrad", 0.0);
    group.expect("maximize", 0.0);
    group.expect("decoupled_weight_decay", 1.0);
    numbers_.schedule.lr = group.number("lr");
    numbers_.weight_decay = group.number("weight_decay");
    const PickleValue& order = group.at("params");
    for (std::size_t i = 0; i < order.items.size(); ++i) {
      if (order.items[i]->is(Kind::kInteger) &&
          order.items[i]->integer == static_cast<std::int64_t>(i)) {
        continue;
      }
      group.fail("params", "is no list 0, 1, 2, ... of parameters");
    }
    states_.resize(order.items.size(), nullptr);
    parameters_ = states_.size();
  }

  void read_states(const PickleValue& optimiser) {
    const PickleValue& states = numbers_of("optimizer_state_dict", optimiser).at("state");
    for (std::size_t i = 0; states.is(Kind::kDict) && i + 1 < states.items.size(); i += 2) {
      const PickleValue& key = *states.items[i];
      const bool good = key.is(Kind::kInteger) && key.integer >= 0 &&
                        key.integer < static_cast<std::int64_t>(states_.size());
      const PickleValue& state = *states.items[i + 1];
      if (!good || !state.is(Kind::kDict) || state.items.size() > 2 * kMostStateEntries) {
        throw InputError(path().string(), "optimizer_state_dict.state",
                         "damaged: an entry of no parameter");
      }
      states_[static_cast<std::size_t>(key.integer)] = &state;
    }
    for (std::size_t i = 0; i < states_.size(); ++i) {
      if (states_[i] == nullptr) continue;  // a parameter that was not trained
      const Numbers state = numbers_of(name_of(i), *states_[i]);
      const std::int64_t steps = state.integer("step");
      if (numbers_.steps == 0) numbers_.steps = steps;
      if (steps == numbers_.steps) continue;
      state.fail("step", expected_got("parameters have done different numbers of updates",
                                      std::to_string(numbers_.steps), std::to_string(steps)));
    }
  }

  void read_schedule() {
    const PickleValue* dict = find_dict(archive_.root(), {"scheduler_state_dict", "scheduler"});
    if (dict == nullptr) {
      note(path().string() + ": holds no scheduler_state_dict; the schedule starts from scratch");
      return;
    }
    const Numbers numbers = numbers_of("scheduler_state_dict", *dict);
    const PickleValue* mode = dict->find("mode");
    const bool of_loss = mode != nullptr && mode->text == "min";
    numbers_.follow(of_loss ? "loss" : "pearson");
    numbers.expect("mode", of_loss ? "min" : "max");
    numbers.expect("threshold_mode", "rel");
    numbers.expect("factor", ReduceLrOnPlateau::kFactor);
    numbers.expect("patience", static_cast<double>(ReduceLrOnPlateau::kPatience));
    numbers.expect("threshold", ReduceLrOnPlateau::kThreshold);
    numbers.expect("eps", ReduceLrOnPlateau::kEps);
    numbers.expect("cooldown", 0.0);
    numbers.expect("min_lrs", std::vector<double>{0.0});
    numbers_.schedule.best = numbers.number("best");
    numbers_.schedule.bad_epochs = numbers.integer("num_bad_epochs");
    numbers_.epochs = numbers.integer("last_epoch");
  }

  void read_stopping() {
    const PickleValue* dict = find_dict(archive_.root(), {"early_stopping"});
    if (dict == nullptr) {
      note(path().string() + ": holds no early_stopping; its count starts from zero");
      return;
    }
    const Numbers numbers = numbers_of("early_stopping", *dict);
    // cdt-convert writes what neither the mode nor PyTorch says.
    if (const PickleValue* monitor = dict->find("monitor")) {
      numbers_.follow(monitor->text);
    } else if (numbers_.monitor.empty()) {
      numbers_.follow("pearson");
    }
    numbers.expect("min_delta", EarlyStopping::kMinDelta);
    numbers_.stopping.patience = numbers.integer("patience");
    numbers_.stopping.best = numbers.number("best");
    numbers_.stopping.bad_epochs = numbers.integer("bad_epochs");
  }

  static std::string name_of(std::size_t index) { return "state." + std::to_string(index); }

  const PickleValue& state_of(std::size_t index) const {
    if (index >= states_.size() || states_[index] == nullptr) {
      throw InputError(path().string(), "optimizer_state_dict." + name_of(index), "is missing");
    }
    return *states_[index];
  }

  std::vector<float> read(std::size_t index, const Parameter& parameter,
                          Moment which) const override {
    const char* key = which == Moment::kSecond ? "exp_avg_sq" : "exp_avg";
    const Numbers state = numbers_of(name_of(index), state_of(index));
    const PtTensor tensor =
        archive_.tensor(state.at(key), name_of(index) + "." + key + " (" + parameter.name + ")");
    const std::vector<std::int64_t> shape = dims_of(parameter.variable.value.shape);
    if (tensor.info.shape != shape || tensor.info.dtype != "F32") {
      throw InputError(path().string(), tensor.info.name,
                       expected_got("is not of this parameter", shape_text(shape) + " F32",
                                    shape_text(tensor.info.shape) + " " + tensor.info.dtype));
    }
    std::vector<float> out(static_cast<std::size_t>(tensor.count));
    archive_.read(tensor, out.data());
    return out;
  }

  PtArchive archive_;
  std::vector<const PickleValue*> states_;  // by parameter
};

}  // namespace

std::unique_ptr<OptimiserFile> open_torch_optimiser(const std::filesystem::path& path) {
  return std::make_unique<TorchOptimiser>(path);
}

bool holds_torch_optimiser(const std::filesystem::path& path) {
  return is_pt_file(path) && find_optimiser(PtArchive(path).root()) != nullptr;
}

}  // namespace cdt
