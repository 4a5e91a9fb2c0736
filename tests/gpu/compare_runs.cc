// Compares the training of one model on two devices. Their rounding differs and training amplifies
// it, so no fixed tolerance is right. The measure is a set of controls: the reference device again,
// from starting weights perturbed by a unit in the last place. In each tensor's weights and in each
// loss, a candidate may differ from the reference by `factor` times the largest difference of a
// control. (Two CPU runs with matrix products in different instructions stay within 3 times one
// control, 1.3 times the larger of two.)
//
//   compare_runs perturb --model FILE --out FILE [--epsilon 1.2e-7] [--seed N]
//   compare_runs compare --start FILE --reference RUN --control RUN ... --candidate RUN
//       [--factor 8]
//
// compare prints one JSON object, lists on stderr what is out of bounds, and then exits with 1.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/program.h"
#include "engine/error.h"
#include "engine/random.h"
#include "io/format/json.h"
#include "io/format/safetensors.h"
#include "io/format/text.h"
#include "io/format/text_file.h"

namespace cdt {
namespace {

constexpr const char* kName = "compare_runs";
// Twice the spacing of float32: even if the control happens to agree, the candidate's rounding may
// not.
constexpr double kFloor = 2.4e-7;

std::vector<float> read(const SafetensorsReader& file, const TensorInfo& tensor) {
  std::int64_t count = 1;
  for (const std::int64_t dim : tensor.shape) count *= dim;
  std::vector<float> values(static_cast<std::size_t>(count));
  file.read(tensor.name, values.data());
  return values;
}

// --- perturb

int perturb(int argc, char** argv) {
  std::filesystem::path model, out;
  double epsilon = 1.2e-7;
  std::int64_t seed = 0;
  Cli cli(kName, "moves every weight by a random relative amount of at most epsilon");
  cli.option("model", &model, "safetensors file to start from", true);
  cli.option("out", &out, "safetensors file to write", true);
  cli.option("epsilon", &epsilon, "largest relative change");
  cli.option("seed", &seed, "of the random amounts");
  if (!cli.parse(argc, argv)) return kExitDone;
  const SafetensorsReader file(model);
  RandomStream random(static_cast<std::uint64_t>(seed), 0);
  std::vector<std::vector<float>> values;
  std::vector<TensorToWrite> tensors;
  for (const TensorInfo& tensor : file.tensors()) {
    values.push_back(read(file, tensor));
    for (float& v : values.back()) {
      v = static_cast<float>(v * (1.0 + epsilon * (2.0 * random.uniform() - 1.0)));
    }
    tensors.push_back({tensor.name, tensor.shape, values.back().data()});
  }
  write_safetensors(out, tensors, file.metadata());
  return 0;
}

// --- compare

struct Run {
  explicit Run(const std::filesystem::path& folder)
      : weights(folder / "last" / "model.safetensors"), metrics(folder / "metrics.jsonl") {
    LineFile lines(metrics);
    std::string_view line;
    while (lines.next(&line)) epochs.push_back(parse_json(line, lines.file()));
    if (epochs.empty()) throw InputError(metrics.string(), "line 1", "no epoch in the run");
  }

  double value(std::size_t epoch, const char* key) const {
    JsonReader reader(epochs[epoch], metrics.string());
    return reader.number(key);
  }

  SafetensorsReader weights;
  std::filesystem::path metrics;
  std::vector<nlohmann::json> epochs;
};

using Runs = std::vector<std::unique_ptr<Run>>;

// A deviation from the reference next to the largest one of a control.
struct Deviation {
  std::string what;
  double control = 0, candidate = 0;
  // A candidate value that is NaN is out of bounds.
  bool within(double factor) const { return candidate <= factor * std::max(control, kFloor); }
};

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(double{a[i]} - double{b[i]}, 2);
  return std::sqrt(sum);
}

// Without key biases: they cancel in the softmax, so their gradient is pure rounding, and AdamW
// takes full steps along it in a coarse precision.
std::vector<float> read_compared(const SafetensorsReader& file, const TensorInfo& tensor) {
  std::vector<float> values = read(file, tensor);
  if (tensor.name.ends_with("in_proj_bias")) {
    const auto third = static_cast<std::ptrdiff_t>(values.size() / 3);
    std::fill(values.begin() + third, values.begin() + 2 * third, 0.0F);
  }
  return values;
}

// For each tensor, relative to the distance that the reference has moved it from the start.
std::vector<Deviation> weight_deviations(const SafetensorsReader& start, const Run& reference,
                                         const Runs& controls, const Run& candidate) {
  std::vector<Deviation> deviations;
  for (const TensorInfo& tensor : reference.weights.tensors()) {
    const std::vector<float> there = read_compared(reference.weights, tensor);
    const auto apart = [&](const SafetensorsReader& file) {
      if (file.info(tensor.name).shape != tensor.shape) {
        throw InputError(file.path().string(), tensor.name, "differs in shape from the reference");
      }
      return distance(there, read_compared(file, tensor));
    };
    const double moved = apart(start);
    const double scale = moved > 0 ? moved : 1.0;
    Deviation deviation{tensor.name};
    for (const auto& control : controls) {
      deviation.control = std::max(deviation.control, apart(control->weights) / scale);
    }
    deviation.candidate = apart(candidate.weights) / scale;
    deviations.push_back(deviation);
  }
  return deviations;
}

// For a number of each epoch: root of the mean squared relative difference.
Deviation metric_deviation(const char* key, const Run& reference, const Runs& controls,
                           const Run& candidate) {
  const auto apart = [&](const Run& run) {
    double sum = 0;
    for (std::size_t epoch = 0; epoch < reference.epochs.size(); ++epoch) {
      const double there = reference.value(epoch, key);
      sum += std::pow((run.value(epoch, key) - there) / (there != 0 ? there : 1.0), 2);
    }
    return std::sqrt(sum / static_cast<double>(reference.epochs.size()));
  };
  Deviation deviation{key};
  for (const auto& control : controls) {
    deviation.control = std::max(deviation.control, apart(*control));
  }
  deviation.candidate = apart(candidate);
  return deviation;
}

// Prints the verdict; returns the exit code.
int report(const std::vector<Deviation>& deviations, double factor, std::size_t epochs) {
  int outside = 0;
  const Deviation* worst = deviations.data();
  const auto ratio = [](const Deviation& d) { return d.candidate / std::max(d.control, kFloor); };
  for (const Deviation& d : deviations) {
    if (!(ratio(d) <= ratio(*worst))) worst = &d;
    if (d.within(factor)) continue;
    ++outside;
    std::cerr << kName << ": " << d.what << ": differs by " << format_number(d.candidate)
              << ", the controls by " << format_number(d.control) << "\n";
  }
  std::cout << "{\"epochs\": " << epochs << ", \"compared\": " << deviations.size()
            << ", \"outside\": " << outside << ", \"factor\": " << format_number(factor)
            << ", \"worst\": \"" << worst->what
            << "\", \"candidate\": " << json_number(worst->candidate)
            << ", \"controls\": " << json_number(worst->control) << "}\n";
  return outside == 0 ? kExitDone : kExitFailed;
}

int compare(int argc, char** argv) {
  std::filesystem::path start, reference_folder, candidate_folder;
  std::vector<std::string> control_folders;
  double factor = 8;
  Cli cli(kName, "compares two training runs by the measure of others");
  cli.option("start", &start, "weights all runs began with (the controls: moved)", true);
  cli.option("reference", &reference_folder, "run directory on one device", true);
  cli.option("control", &control_folders, "run directory there, from moved weights", true);
  cli.option("candidate", &candidate_folder, "run directory on the other device", true);
  cli.number("factor", &factor, 1, 1e6, "how many times the controls' deviation is allowed");
  if (!cli.parse(argc, argv)) return kExitDone;
  const Run reference(reference_folder);
  const Run candidate(candidate_folder);
  Runs controls;
  std::vector<const Run*> others{&candidate};
  for (const std::string& folder : control_folders) {
    controls.push_back(std::make_unique<Run>(folder));
    others.push_back(controls.back().get());
  }
  for (const Run* run : others) {
    if (run->epochs.size() != reference.epochs.size()) {
      throw InputError(
          run->metrics.string(), "lines",
          expected_got("another number of epochs", std::to_string(reference.epochs.size()),
                       std::to_string(run->epochs.size())));
    }
  }
  std::vector<Deviation> deviations =
      weight_deviations(SafetensorsReader(start), reference, controls, candidate);
  for (const char* key : {"train_loss", "val_loss", "train_mse", "val_mse"}) {
    deviations.push_back(metric_deviation(key, reference, controls, candidate));
  }
  return report(deviations, factor, reference.epochs.size());
}

int run(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "perturb") return perturb(argc - 1, argv + 1);
  if (verb == "compare") return compare(argc - 1, argv + 1);
  throw InputError("command line", "verb", expected_got("is unknown", "perturb or compare", verb));
}

}  // namespace
}  // namespace cdt

int main(int argc, char** argv) { return cdt::run_main(cdt::kName, argc, argv, cdt::run); }
