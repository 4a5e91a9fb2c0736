// The state of an optimiser after some epochs, read from a file: Adam's moments, the learning rate,
// the schedule and early stopping. The file is a training checkpoint of PyTorch
// (optimizer.state_dict() and scheduler.state_dict() stored with the model), the
// last/state.safetensors of a run, or a state.safetensors written by cdt-convert.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/optim/schedule.h"
#include "io/format/safetensors.h"
#include "model/parameters.h"

namespace cdt {

/// Settings beyond the released training (docs/training.md) that the updates of a run depend on:
/// its learning rates, its loss and the noise in its DNA. Of all files with an optimiser only the
/// state of the run records them.
inline constexpr std::array<const char*, 10> kRunSettings = {
    "schedule",        "warmup-steps", "final-lr-share", "no-decay",  "lr-scale",
    "label-transform", "clip-share",   "pair-weights",   "mask-bins", "feature-dropout"};

struct OptimiserNumbers {
  std::int64_t steps = 0;   // updates done
  std::int64_t epochs = 0;  // epochs the schedule has seen; 0 if unknown
  double weight_decay = 0.0;
  // The number that the schedule and early stopping follow: pearson, loss or auprc; "" if the file
  // has neither.
  std::string monitor;
  ReduceLrOnPlateau schedule;  // its lr applies to the next update
  EarlyStopping stopping;
  std::string settings;  // of the run that stored it, as JSON; "" if the file has none

  /// Those of kRunSettings that the run has with another value than their default.
  std::vector<std::string> run_settings() const;
  /// Sets `monitor`, and which of its values are better.
  void follow(const std::string& number);
};

enum class Moment : std::uint8_t { kFirst, kSecond };

class OptimiserFile {
 public:
  virtual ~OptimiserFile() = default;

  const std::filesystem::path& path() const { return path_; }
  const OptimiserNumbers& numbers() const { return numbers_; }
  /// Throws InputError if the file has moments of more parameters, or records that it belongs to
  /// weights with another digest (weights_digest()).
  void expect_model(std::size_t parameters, const std::string& digest) const;
  /// Moment of parameter `index`, in state_dict order; values in the order of its shape. Throws
  /// InputError naming the tensor if it is missing, has another shape, or has NaN, infinity or a
  /// negative second moment.
  std::vector<float> moment(std::size_t index, const Parameter& parameter, Moment which) const;
  /// The moment as a tensor to write; it is read when it is written.
  TensorToWrite moment_to_write(std::size_t index, const Parameter& parameter, Moment which) const;

 protected:
  explicit OptimiserFile(std::filesystem::path path) : path_(std::move(path)) {}
  OptimiserNumbers numbers_;
  std::string weights_;         // digest of the model's; "" where it is not recorded
  std::size_t parameters_ = 0;  // parameters that it has moments of; 0 if moments are found by name

 private:
  virtual std::vector<float> read(std::size_t index, const Parameter& parameter,
                                  Moment which) const = 0;
  std::filesystem::path path_;
};

/// Opens an optimiser. Throws InputError naming the field if the file holds none, if the optimiser
/// or its settings differ from the engine's AdamW, ReduceLROnPlateau and early stopping, if the run
/// is in the middle of an epoch, or if a number is out of range.
std::unique_ptr<OptimiserFile> open_optimiser(const std::filesystem::path& path);

/// Writes the optimiser as a state.safetensors that open_optimiser() reads; the caller commits the
/// file. weights: digest of the model that the optimiser belongs to.
void write_optimiser(AtomicFile& file, const std::deque<Parameter>& parameters,
                     const OptimiserFile& optimiser, const std::string& weights);

}  // namespace cdt
