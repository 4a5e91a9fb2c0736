// Targets that read files of tensors: safetensors, .pt, and the models and optimisers in them.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/common/optimiser_file.h"
#include "apps/train/state.h"
#include "engine/arena.h"
#include "engine/backend.h"
#include "engine/error.h"
#include "engine/optim/adamw.h"
#include "io/format/pt.h"
#include "io/format/safetensors.h"
#include "io/format/tensor_file.h"
#include "io/format/text.h"
#include "model/checkpoint.h"
#include "model/inputs.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/two_parameters.h"
#include "tests/support/zip_bytes.h"

namespace cdt::test {
namespace {

constexpr const char* kFile = "input";
// A tensor of a .pt file may have many more values than the file has bytes: its stride may be 0.
constexpr std::int64_t kMostValues = 1 << 16;

std::int64_t values_of(const TensorInfo& info) {
  std::int64_t count = 1;
  for (const std::int64_t dim : info.shape) {
    CDT_CHECK(dim >= 0, "an accepted shape with a negative size");
    CDT_CHECK(!__builtin_mul_overflow(count, dim, &count), "an accepted shape overflows");
  }
  return count;
}

/// Reads the tensors into memory of their exact size, kMostValues at most in all.
void read_values(const TensorFile& file) {
  std::int64_t left = kMostValues;
  for (const TensorInfo& info : file.tensors()) {
    const std::int64_t count = values_of(info);
    if (count > left) continue;
    left -= count;
    std::vector<float> values(static_cast<std::size_t>(count));
    try {
      file.read(info.name, values.data());
    } catch (const InputError&) {  // of this tensor: its type, or damage that shows only now
    }
  }
}

/// The tensors lie one after another behind the header and fill the file.
void check_layout(const SafetensorsReader& file, std::string_view input) {
  std::uint64_t header = 0;
  std::memcpy(&header, input.data(), sizeof header);
  std::uint64_t bytes = sizeof header + header;
  for (const TensorInfo& info : file.tensors()) {
    bytes += static_cast<std::uint64_t>(values_of(info) * element_bytes(info.dtype));
  }
  CDT_CHECK(bytes == input.size(), "tensors that do not fill their file");
}

/// The bytes that a safetensors header asks for: the largest end of a tensor.
std::size_t data_bytes(std::string_view header) {
  constexpr std::string_view kKey = "\"data_offsets\":[";
  constexpr std::int64_t kMost = 1 << 16;
  std::int64_t most = 0;
  for (std::size_t at = header.find(kKey); at != std::string_view::npos;
       at = header.find(kKey, at + 1)) {
    const std::string_view list = header.substr(at + kKey.size());
    const std::vector<std::string_view> ends = split(list.substr(0, list.find(']')), ',');
    std::int64_t end = 0;
    if (ends.size() == 2 && parse_int64(ends[1], &end)) most = std::max(most, end);
  }
  return static_cast<std::size_t>(std::min(most, kMost));
}

/// The file that an input means. If it begins with '{' it is only the header of a safetensors file,
/// to which length and data are added, so that mutations may change its length.
std::string whole_file(std::string_view input) {
  if (!input.starts_with('{')) return std::string(input);
  return number(input.size(), 8) + std::string(input) + std::string(data_bytes(input), '\x3c');
}

/// The storages that a pickle may refer to. Most of the corpus has 12 values in the first and 3 in
/// the second.
std::vector<ZipEntry> storages() {
  std::vector<ZipEntry> out;
  for (const std::size_t bytes : {48, 12, 24, 96}) {
    std::string values;
    while (values.size() < bytes) values += number(values.size() << 20U, 4);
    out.push_back({"m/data/" + std::to_string(out.size()), values});
  }
  return out;
}

/// A model file's parts; the weights only if they are few.
void read_model(const TensorFile& file) {
  const CdtConfig config = read_model_config(file, {.heads = 2, .pool_heads = 2});
  CDT_CHECK(config_problem(config).empty(), "an accepted configuration that is none");
  const std::optional<ModelInputs> inputs = read_model_inputs(file, config.genes);
  CDT_CHECK(!inputs || std::ssize(inputs->genes) == config.genes, "a name for each gene");
  CDT_CHECK(read_output_units(file).scale > 0.0, "an accepted scale of the outputs");
  std::int64_t values = 0;
  for (const TensorInfo& info : file.tensors()) values += std::min(values_of(info), kMostValues);
  if (values > kMostValues) return;
  static const std::unique_ptr<Backend> cpu = make_cpu_backend(1);
  const std::unique_ptr<Backend> shapes = make_shape_backend(*cpu);
  Arena lasting(*shapes, "lasting");
  const auto model = load_model(file, config, *shapes, lasting);
  CDT_CHECK(model->parameter_count() == values, "a model with other values than its file");
}

/// What the optimisers and states of the corpus belong to.
std::deque<Parameter>& parameters() {
  static const std::unique_ptr<Backend> cpu = make_cpu_backend(1);
  static Arena lasting(*cpu, "lasting");
  static std::deque<Parameter> all = two_parameters(lasting);
  return all;
}

}  // namespace

void fuzz_safetensors(std::string_view input) {
  const std::string bytes = whole_file(input);
  const MemoryFile memory(kFile, bytes);
  const SafetensorsReader file(kFile);
  check_layout(file, bytes);
  read_values(file);
}

void fuzz_pt(std::string_view input) {
  const MemoryFile memory(kFile, input);
  read_values(PtReader(kFile));
}

/// The input is data.pkl of an archive.
void fuzz_pickle(std::string_view input) {
  static const std::vector<ZipEntry> others = storages();
  std::vector<ZipEntry> members = others;
  members.push_back({"m/data.pkl", std::string(input)});
  const std::string archive = zip(members);
  const MemoryFile memory(kFile, archive);
  read_values(PtReader(kFile));
}

void fuzz_checkpoint(std::string_view input) {
  const std::string bytes = whole_file(input);
  const MemoryFile memory(kFile, bytes);
  read_model(*open_tensor_file(kFile));
}

void fuzz_optimiser(std::string_view input) {
  const std::string bytes = whole_file(input);
  const MemoryFile memory(kFile, bytes);
  const std::unique_ptr<OptimiserFile> file = open_optimiser(kFile);
  const OptimiserNumbers& numbers = file->numbers();
  CDT_CHECK(numbers.steps >= 1 && numbers.epochs <= numbers.steps, "accepted numbers of steps");
  CDT_CHECK(numbers.schedule.lr > 0.0 && std::isfinite(numbers.schedule.lr), "an accepted rate");
  std::size_t index = 0;
  for (const Parameter& parameter : parameters()) {
    for (const Moment which : {Moment::kFirst, Moment::kSecond}) {
      for (const float value : file->moment(index, parameter, which)) {
        CDT_CHECK(std::isfinite(value), "an accepted moment that is not finite");
        CDT_CHECK(which == Moment::kFirst || value >= 0.0F, "an accepted negative mean of squares");
      }
    }
    ++index;
  }
}

/// The state of a run whose epochs have four steps of two pairs.
void fuzz_state(std::string_view input) {
  static const std::unique_ptr<Backend> cpu = make_cpu_backend(1);
  static Arena lasting(*cpu, "lasting");
  static AdamW optimiser(variables_of(parameters()), *cpu, lasting, {});
  static const std::string digest = "0123456789abcdef";
  const std::string bytes = whole_file(input);
  const MemoryFile memory(kFile, bytes);
  const RunMoment moment = read_run_moment(kFile);
  read_run_facts(kFile);
  const StateFrame frame{.steps = {4}, .batch = 2, .patience = 7, .weights = digest};
  TrainState state;
  load_state(kFile, frame, &state, parameters(), &optimiser, *cpu);
  CDT_CHECK(state.epoch == moment.epoch && state.position == moment.position, "the moment");
  CDT_CHECK(state.epoch >= 1 && state.position >= 0 && state.position <= 4, "an accepted moment");
  CDT_CHECK(state.global_step == (state.epoch - 1) * 4 + state.position, "an accepted step");
  CDT_CHECK(std::ssize(state.predictions) == state.position * 2, "predictions of each step");
  CDT_CHECK(std::isfinite(state.loss_sum) && state.schedule.lr > 0.0, "accepted numbers");
}

}  // namespace cdt::test
