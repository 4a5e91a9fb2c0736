#include "apps/train/state.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <type_traits>

#include "apps/common/model_file.h"
#include "engine/error.h"
#include "io/digest.h"
#include "io/safetensors.h"
#include "io/text.h"

namespace cdt {
namespace {

constexpr const char* kFormat = "cdt-train-state";
constexpr const char* kDataPrefix = "fingerprint.";
constexpr const char* kPredictions = "epoch.predictions";
constexpr std::int64_t kHashedRows = 8;
constexpr const char* kTargets = "epoch.targets";

/// The one list of counters: saving and loading both walk it.
template <class State, class Visit>
void for_each_counter(State& s, const Visit& visit) {
  visit("epoch", s.epoch);
  visit("position", s.position);
  visit("global_step", s.global_step);
  visit("schedule.lr", s.schedule.lr);
  visit("schedule.best", s.schedule.best);
  visit("schedule.bad_epochs", s.schedule.bad_epochs);
  visit("stopping.patience", s.stopping.patience);
  visit("stopping.best", s.stopping.best);
  visit("stopping.bad_epochs", s.stopping.bad_epochs);
  visit("stopped", s.stopped);
  visit("best_metric", s.best_metric);
  visit("best_epoch", s.best_epoch);
  visit("loss_sum", s.loss_sum);
}

std::string to_text(std::int64_t value) { return std::to_string(value); }
std::string to_text(double value) { return format_number(value); }
std::string to_text(bool value) { return value ? "1" : "0"; }
bool from_text(std::string_view text, std::int64_t* value) { return parse_int64(text, value); }
bool from_text(std::string_view text, double* value) { return parse_double(text, value); }
bool from_text(std::string_view text, bool* value) {
  *value = text == "1";
  return text == "0" || text == "1";
}

class Hash : public Digest {
 public:
  using Digest::add;
  void add(std::int64_t value) { add(&value, sizeof value); }
  void add(const std::string& text) {
    add(static_cast<std::int64_t>(text.size()));
    add(text.data(), text.size());
  }
  void add(const std::vector<float>& values) { add(values.data(), values.size() * sizeof(float)); }
};

std::string dna_hash(const Dataset& data) {
  Hash hash;
  hash.add(data.enhancers_count());
  std::vector<float> row(static_cast<std::size_t>(data.bins * data.dna_dim));
  const std::int64_t rows = std::min(kHashedRows, data.enhancers_count());
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t at = rows == 1 ? 0 : i * (data.enhancers_count() - 1) / (rows - 1);
    data.read_dna(static_cast<std::int32_t>(at), row.data());
    hash.add(row);
  }
  return hash.hex();
}

const std::string& metadata_of(const SafetensorsReader& reader, const std::string& key) {
  const auto found = reader.metadata().find(key);
  if (found == reader.metadata().end()) {
    throw InputError(reader.path().string(), "metadata." + key, "is missing");
  }
  return found->second;
}

void expect_format(const SafetensorsReader& reader) {
  const std::array<std::pair<const char*, const char*>, 2> wanted = {
      {{"format", kFormat}, {"version", "1"}}};
  for (const auto& [key, value] : wanted) {
    const std::string& got = metadata_of(reader, key);
    if (got != value) {
      throw InputError(reader.path().string(), "metadata." + std::string(key),
                       expected_got("not a training state this version reads", value, got));
    }
  }
}

void read_moment(const SafetensorsReader& reader, const std::string& name, const Tensor& into,
                 Backend& backend) {
  const TensorInfo& info = reader.info(name);
  if (info.shape != dims_of(into.shape)) {
    throw InputError(reader.path().string(), name, "has another shape than the parameter");
  }
  std::vector<float> values(static_cast<std::size_t>(into.count()));
  reader.read(name, values.data());
  if (!std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); })) {
    throw InputError(reader.path().string(), name, "holds NaN or infinity");
  }
  backend.upload(into, values.data());
}

std::vector<float> read_series(const SafetensorsReader& reader, const std::string& name,
                               std::int64_t count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  if (count == 0) return values;
  const TensorInfo& info = reader.info(name);
  if (info.shape != std::vector<std::int64_t>{count}) {
    throw InputError(reader.path().string(), name,
                     expected_got("does not hold the running epoch's steps",
                                  std::to_string(count) + " values", "another shape"));
  }
  reader.read(name, values.data());
  return values;
}

void check_counters(const std::string& file, const TrainState& s, std::int64_t steps) {
  const auto expect = [&](const char* field, bool good) {
    if (!good) throw InputError(file, "metadata." + std::string(field), "is out of range");
  };
  expect("epoch", s.epoch >= 1 && s.epoch <= std::int64_t{1} << 32U);
  expect("position", s.position >= 0 && s.position <= steps);
  expect("global_step", s.global_step == (s.epoch - 1) * steps + s.position);
  expect("schedule.lr", std::isfinite(s.schedule.lr) && s.schedule.lr >= 0.0);
  expect("schedule.bad_epochs", s.schedule.bad_epochs >= 0);
  expect("stopping.patience", s.stopping.patience >= 1);
  expect("stopping.bad_epochs", s.stopping.bad_epochs >= 0);
  expect("best_epoch", s.best_epoch >= 0 && s.best_epoch < s.epoch);
  expect("loss_sum", std::isfinite(s.loss_sum));
}

}  // namespace

std::map<std::string, std::string> data_fingerprint(const Dataset& data) {
  Hash sizes;
  Hash rna;
  Hash protein;
  Hash genes;
  Hash enhancers;
  Hash pairs;
  for (const std::int64_t size : {data.bins, data.dna_dim, data.rna_dim, data.protein_dim}) {
    sizes.add(size);
  }
  rna.add(data.rna);
  protein.add(data.protein);
  for (const std::string& gene : data.genes) genes.add(gene);
  for (const Enhancer& enhancer : data.enhancers) enhancers.add(enhancer.name);
  for (const Pair& pair : data.pairs) {
    pairs.add(static_cast<std::int64_t>(pair.split));
    pairs.add(pair.enhancer);
    pairs.add(pair.gene);
    pairs.add(&pair.beta, sizeof pair.beta);
  }
  return {{"sizes", sizes.hex()}, {"rna", rna.hex()},     {"protein", protein.hex()},
          {"genes", genes.hex()}, {"pairs", pairs.hex()}, {"enhancers", enhancers.hex()},
          {"dna", dna_hash(data)}};
}

void save_state(const std::filesystem::path& file, const TrainState& state, const RunFacts& facts,
                const Cdt& model, const AdamW& optimiser, Backend& backend) {
  std::map<std::string, std::string> metadata = {{"format", kFormat},
                                                 {"version", "1"},
                                                 {"settings", facts.settings},
                                                 {"data", facts.data},
                                                 {"device", facts.device}};
  for (const auto& [part, hash] : facts.fingerprint) metadata[kDataPrefix + part] = hash;
  for_each_counter(state,
                   [&](const char* name, const auto& value) { metadata[name] = to_text(value); });
  std::vector<std::vector<float>> values;
  std::vector<TensorToWrite> tensors;
  values.reserve(2 * optimiser.size());
  const auto add = [&](const std::string& name, const Tensor& tensor) {
    values.emplace_back(static_cast<std::size_t>(tensor.count()));
    backend.download(values.back().data(), tensor);
    tensors.push_back({name, dims_of(tensor.shape), values.back().data()});
  };
  std::size_t i = 0;
  for (const Parameter& parameter : model.parameters()) {
    add("m." + parameter.name, optimiser.first_moment(i));
    add("v." + parameter.name, optimiser.second_moment(i));
    ++i;
  }
  const auto count = static_cast<std::int64_t>(state.predictions.size());
  if (count > 0) {
    tensors.push_back({kPredictions, {count}, state.predictions.data()});
    tensors.push_back({kTargets, {count}, state.targets.data()});
  }
  write_safetensors(file, tensors, metadata);
}

RunFacts read_run_facts(const std::filesystem::path& file) {
  const SafetensorsReader reader(file);
  expect_format(reader);
  RunFacts facts;
  facts.settings = metadata_of(reader, "settings");
  facts.data = metadata_of(reader, "data");
  facts.device = metadata_of(reader, "device");
  for (const auto& [key, value] : reader.metadata()) {
    if (key.starts_with(kDataPrefix)) {
      facts.fingerprint[key.substr(std::string_view(kDataPrefix).size())] = value;
    }
  }
  return facts;
}

void load_state(const std::filesystem::path& file, std::int64_t steps, std::int64_t batch,
                TrainState* state, const Cdt& model, AdamW* optimiser, Backend& backend) {
  const SafetensorsReader reader(file);
  expect_format(reader);
  for_each_counter(*state, [&](const char* name, auto& value) {
    const std::string& text = metadata_of(reader, name);
    if (!from_text(text, &value)) {
      throw InputError(file.string(), "metadata." + std::string(name),
                       expected_got("is not a number", "a number", text));
    }
  });
  check_counters(file.string(), *state, steps);
  state->predictions = read_series(reader, kPredictions, state->position * batch);
  state->targets = read_series(reader, kTargets, state->position * batch);
  std::size_t i = 0;
  for (const Parameter& parameter : model.parameters()) {
    read_moment(reader, "m." + parameter.name, optimiser->first_moment(i), backend);
    read_moment(reader, "v." + parameter.name, optimiser->second_moment(i), backend);
    ++i;
  }
  optimiser->set_steps(state->global_step);
}

void check_same_data(const RunFacts& facts, const Dataset& data,
                     const std::filesystem::path& state_file) {
  for (const auto& [part, hash] : data_fingerprint(data)) {
    const auto found = facts.fingerprint.find(part);
    if (found != facts.fingerprint.end() && found->second == hash) continue;
    throw InputError(data.directory.string(), part,
                     "is not what " + state_file.string() + " was trained on");
  }
}

}  // namespace cdt
