#include "apps/common/optimiser_file.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "apps/common/torch_checkpoint.h"
#include "engine/error.h"
#include "engine/poll.h"
#include "io/format/floats.h"
#include "io/format/json.h"
#include "io/format/pt.h"
#include "io/format/safetensors.h"
#include "io/format/text.h"
#include "model/checkpoint.h"

namespace cdt {
namespace {

constexpr const char* kFormat = "cdt-optimiser-state";
constexpr const char* kRunFormat = "cdt-train-state";
constexpr const char* kMonitor = "monitor";  // stored only if it is not kPearson
constexpr const char* kPearson = "pearson";
constexpr double kMostLr = 1e3;

/// Visits the numbers that a run's state also has, by their names in the metadata.
template <class Numbers, class Visit>
void for_each_number(Numbers& n, const Visit& visit) {
  visit("global_step", n.steps);
  for_each_steering_number(n.schedule, n.stopping, visit);
}

bool parse(const std::string& text, std::int64_t* value) { return parse_int64(text, value); }
bool parse(const std::string& text, double* value) { return parse_double(text, value); }

std::string moment_name(const Parameter& parameter, Moment which) {
  return (which == Moment::kSecond ? "v." : "m.") + parameter.name;
}

/// The state.safetensors of a run or of cdt-convert.
class StateFile : public OptimiserFile {
 public:
  explicit StateFile(const std::filesystem::path& path) : OptimiserFile(path), reader_(path) {
    const std::string& format = reader_.metadata("format");
    const bool of_run = format == kRunFormat;
    if (!of_run && format != kFormat) {
      reader_.fail_metadata("format", expected_got("holds no optimiser", kRunFormat, format));
    }
    for_each_number(numbers_, [&](const char* name, auto& value) { read_number(name, &value); });
    of_run ? read_run() : read_converted();
    weights_ = reader_.metadata("weights");
  }

 private:
  template <class T>
  void read_number(const char* name, T* value) const {
    const std::string& text = reader_.metadata(name);
    if (parse(text, value)) return;
    reader_.fail_metadata(name, expected_got("is damaged", "a number", text));
  }
  void read_converted() {
    read_number("weight_decay", &numbers_.weight_decay);
    read_number("epochs", &numbers_.epochs);
    numbers_.follow(reader_.has_metadata(kMonitor) ? reader_.metadata(kMonitor) : kPearson);
  }
  /// Reads what a run stores under other names.
  void read_run() {
    const std::string& position = reader_.metadata("position");
    if (position != "0") {
      reader_.fail_metadata("position",
                            "the run is in the middle of an epoch; finish that with --resume");
    }
    const std::string where = path().string() + ": metadata.settings";
    numbers_.settings = reader_.metadata("settings");
    const nlohmann::json settings = parse_json(numbers_.settings, where);
    freezes_ = settings.contains("freeze");
    JsonReader json(settings, where);
    numbers_.weight_decay = json.number("weight-decay");
    numbers_.follow(json.has(kMonitor) ? json.string(kMonitor) : kPearson);
    read_number("epoch", &numbers_.epochs);  // the next epoch
    if (numbers_.epochs < 1) reader_.fail_metadata("epoch", "is out of range");
    --numbers_.epochs;
  }
  std::vector<float> read(std::size_t, const Parameter& parameter, Moment which) const override {
    const std::string name = moment_name(parameter, which);
    if (freezes_ && !reader_.has(name)) {
      throw InputError(
          path().string(), name,
          "there are no moments of it: the run keeps this parameter as it is (--freeze)");
    }
    const std::vector<std::int64_t> shape = dims_of(parameter.variable.value.shape);
    if (reader_.info(name).shape != shape) {
      throw InputError(
          path().string(), name,
          expected_got("shape", shape_text(shape), shape_text(reader_.info(name).shape)));
    }
    std::vector<float> out(static_cast<std::size_t>(parameter.variable.value.count()));
    reader_.read(name, out.data());
    return out;
  }

  SafetensorsReader reader_;
  bool freezes_ = false;  // whether the run trains only some parameters
};

/// Throws InputError naming the first number that no training can reach.
void check_numbers(const OptimiserFile& file) {
  const OptimiserNumbers& n = file.numbers();
  const auto expect = [&](const char* field, bool good) {
    if (!good) throw InputError(file.path().string(), field, "is out of range");
  };
  const auto is_metric = [&](double value) {  // or the infinity of a start
    return n.schedule.better == Better::kHigher ? value <= 1.0 + 1e-6 : value >= 0.0;
  };
  expect("steps", n.steps >= 1 && n.steps <= std::int64_t{1} << 40U);
  expect("epochs", n.epochs >= 0 && n.epochs <= n.steps);
  expect("weight decay", n.weight_decay >= 0.0 && std::isfinite(n.weight_decay));
  expect("learning rate", n.schedule.lr > 0.0 && n.schedule.lr <= kMostLr);
  expect("scheduler's best", is_metric(n.schedule.best));
  expect("scheduler's bad epochs", n.schedule.bad_epochs >= 0);
  expect("early stopping's best", is_metric(n.stopping.best));
  expect("early stopping's bad epochs", n.stopping.bad_epochs >= 0);
}

std::string number_text(std::int64_t value) { return std::to_string(value); }
std::string number_text(double value) { return format_number(value); }

}  // namespace

void OptimiserNumbers::follow(const std::string& number) {
  monitor = number;
  schedule.better = stopping.better = number == "loss" ? Better::kLower : Better::kHigher;
}

std::vector<std::string> OptimiserNumbers::run_settings() const {
  std::vector<std::string> out;
  if (settings.empty()) return out;
  const nlohmann::json stored = parse_json(settings, "settings");
  for (const char* name : kRunSettings) {
    if (stored.contains(name)) out.emplace_back(name);
  }
  return out;
}

void OptimiserFile::expect_model(std::size_t parameters, const std::string& digest) const {
  if (parameters_ > parameters) {
    throw InputError(path_.string(), "optimizer_state_dict",
                     expected_got("the optimiser has more parameters than the model",
                                  std::to_string(parameters), std::to_string(parameters_)));
  }
  if (weights_.empty() || weights_ == digest) return;
  throw InputError(
      path_.string(), "weights",
      expected_got("the model is of another moment or run", "digest " + weights_, digest));
}

std::vector<float> OptimiserFile::moment(std::size_t index, const Parameter& parameter,
                                         Moment which) const {
  poll();  // a large model has gigabytes of moments
  std::vector<float> out = read(index, parameter, which);
  const bool squares = which == Moment::kSecond;
  const auto is_good = [&](float x) { return std::isfinite(x) && (x >= 0.0F || !squares); };
  if (!std::all_of(out.begin(), out.end(), is_good)) {
    throw InputError(
        path_.string(), moment_name(parameter, which),
        squares ? "holds a value that is no mean of squares" : "holds NaN or infinity");
  }
  return out;
}

TensorToWrite OptimiserFile::moment_to_write(std::size_t index, const Parameter& parameter,
                                             Moment which) const {
  const auto fill = [this, index, which, of = &parameter](float* out) {
    const std::vector<float> values = moment(index, *of, which);
    std::copy(values.begin(), values.end(), out);
  };
  return {moment_name(parameter, which), dims_of(parameter.variable.value.shape), nullptr, fill};
}

std::unique_ptr<OptimiserFile> open_optimiser(const std::filesystem::path& path) {
  std::unique_ptr<OptimiserFile> file;
  if (is_pt_file(path)) {
    file = open_torch_optimiser(path);
  } else {
    file = std::make_unique<StateFile>(path);
  }
  check_numbers(*file);
  return file;
}

void write_optimiser(AtomicFile& file, const std::deque<Parameter>& parameters,
                     const OptimiserFile& optimiser, const std::string& weights) {
  std::map<std::string, std::string> metadata = {
      {"format", kFormat},
      {"version", "1"},
      {"weights", weights},
      {"weight_decay", format_number(optimiser.numbers().weight_decay)},
      {"epochs", std::to_string(optimiser.numbers().epochs)}};
  const std::string& monitor = optimiser.numbers().monitor;
  if (!monitor.empty() && monitor != kPearson) metadata[kMonitor] = monitor;
  for_each_number(optimiser.numbers(), [&](const char* name, const auto& value) {
    metadata[name] = number_text(value);
  });
  std::vector<TensorToWrite> tensors;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    for (const Moment which : {Moment::kFirst, Moment::kSecond}) {
      tensors.push_back(optimiser.moment_to_write(i, parameters[i], which));
    }
  }
  write_safetensors(file, tensors, metadata);
}

}  // namespace cdt
