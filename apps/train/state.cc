#include "apps/train/state.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "apps/train/state_digest.h"
#include "engine/error.h"
#include "io/format/digest.h"
#include "io/format/floats.h"
#include "io/format/safetensors.h"
#include "io/format/text.h"
#include "model/checkpoint.h"
#include "model/fingerprint.h"

namespace cdt {
namespace {

constexpr const char* kFormat = "cdt-train-state";
constexpr const char* kDataPrefix = "fingerprint.";
constexpr const char* kVersion = "4";
constexpr const char* kVersionWithoutDigest = "3";
constexpr const char* kVersionOfOtherMasks = "2";  // of dropout; has no digest either
constexpr const char* kWeights = "weights";
constexpr const char* kMatchGenes = "match_genes";
constexpr const char* kFirstEpoch = "first_epoch";  // stored only if it is not 1
constexpr const char* kInitFrom = "init_from";
constexpr const char* kFirst = "m.";  // first moment of the parameter whose name follows
constexpr const char* kSecond = "v.";
constexpr const char* kPredictions = "epoch.predictions";
constexpr const char* kTargets = "epoch.targets";
constexpr const char* kLabelsPart = "labels";
constexpr const char* kErrorsPart = "standard_errors";
constexpr const char* kGeneStartsPart = "gene_starts";
constexpr double kMostLr = 1e3;
constexpr double kMostMetric = 1.0 + 1e-6;  // a correlation, allowing for rounding

/// The single list of counters, used by both saving and loading.
template <class State, class Visit>
void for_each_counter(State& s, const Visit& visit) {
  visit(kFirstEpoch, s.first_epoch);
  visit("epoch", s.epoch);
  visit("position", s.position);
  visit("global_step", s.global_step);
  for_each_steering_number(s.schedule, s.stopping, visit);
  visit("stopped", s.stopped);
  visit("best_metric", s.best_metric);
  visit("best_epoch", s.best_epoch);
  visit("best_weights", s.best_weights);
  visit("older_best_weights", s.older_best_weights);
  visit("loss_sum", s.loss_sum);
}

std::string to_text(std::int64_t value) { return std::to_string(value); }
std::string to_text(double value) { return format_number(value); }
std::string to_text(bool value) { return value ? "1" : "0"; }
std::string to_text(const std::string& digest) { return digest; }
bool from_text(std::string_view text, std::int64_t* value) { return parse_int64(text, value); }
bool from_text(std::string_view text, double* value) { return parse_double(text, value); }
bool from_text(std::string_view text, bool* value) {
  *value = text == "1";
  return text == "0" || text == "1";
}

bool from_text(std::string_view text, std::string* digest) {
  *digest = text;
  return text.empty() || Digest::is_hex(text);
}

void expect_format(const TensorFile& reader) {
  const auto expect = [&](const char* key, const char* value) {
    const std::string& got = reader.metadata(key);
    if (got == value) return;
    reader.fail_metadata(key, expected_got("not a training state this version reads", value, got));
  };
  expect("format", kFormat);
  if (reader.metadata("version") != kVersionWithoutDigest) expect("version", kVersion);
}

void read_moment(const TensorFile& reader, const std::string& name, const Tensor& into,
                 Backend& backend) {
  const TensorInfo& info = reader.info(name);
  if (info.shape != dims_of(into.shape)) {
    throw InputError(reader.path().string(), name, "has another shape than the parameter");
  }
  std::vector<float> values(static_cast<std::size_t>(into.count()));
  reader.read(name, values.data());
  const bool squares = name.starts_with(kSecond);
  if (!std::all_of(values.begin(), values.end(),
                   [&](float x) { return std::isfinite(x) && (x >= 0.0F || !squares); })) {
    throw InputError(
        reader.path().string(), name,
        squares ? "holds a value that is no mean of squares" : "holds NaN or infinity");
  }
  backend.upload(into, values.data());
}

/// Refuses a state with moments of a parameter that --freeze keeps unchanged.
void refuse_moments(const TensorFile& reader, const std::string& parameter) {
  for (const std::string& moment : {kFirst + parameter, kSecond + parameter}) {
    if (!reader.has(moment)) continue;
    throw InputError(reader.path().string(), moment,
                     "is there, though the settings freeze " + parameter);
  }
}

std::vector<float> read_series(const TensorFile& reader, const std::string& name,
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
  if (first_non_finite(values.data(), count) >= 0) {
    throw InputError(reader.path().string(), name, "holds NaN or infinity");
  }
  return values;
}

void check_counters(const TensorFile& reader, const TrainState& s, const StateFrame& frame) {
  const auto expect = [&](const char* field, bool good) {
    if (!good) reader.fail_metadata(field, "is out of range");
  };
  // A correlation, a precision or a loss, or the infinity of a run's start.
  const auto is_metric = [&](double value) {
    if (value == worst(frame.better)) return true;
    if (frame.better == Better::kLower) return value >= 0.0 && std::isfinite(value);
    return std::abs(value) <= kMostMetric;
  };
  const auto is_bad_epochs = [&](std::int64_t n) { return n >= 0 && n < s.epoch; };
  expect(kFirstEpoch, s.first_epoch >= 1 && s.first_epoch <= s.epoch);
  expect("epoch", s.epoch <= std::int64_t{1} << 32U);
  expect("position", s.position >= 0 && s.position <= frame.steps.in(s.epoch));
  expect("global_step", s.global_step == frame.steps.before(s.epoch) + s.position);
  expect("schedule.lr", s.schedule.lr > 0.0 && s.schedule.lr <= kMostLr);
  expect("schedule.best", is_metric(s.schedule.best));
  expect("schedule.bad_epochs", is_bad_epochs(s.schedule.bad_epochs));
  expect("stopping.patience", s.stopping.patience == frame.patience);
  expect("stopping.best", is_metric(s.stopping.best));
  expect("stopping.bad_epochs", is_bad_epochs(s.stopping.bad_epochs));
  expect("best_metric", is_metric(s.best_metric));
  const std::int64_t least = s.epoch > s.first_epoch ? s.first_epoch : 0;
  expect("best_epoch", s.best_epoch >= least && s.best_epoch < s.epoch);
  expect("best_weights", s.best_weights.empty() == (s.best_epoch == 0));
  expect("loss_sum", std::isfinite(s.loss_sum));
}

}  // namespace

std::map<std::string, std::string> data_fingerprint(const Dataset& data,
                                                    const OptionalParts& wanted) {
  std::map<std::string, Digest> parts;
  for (const std::int64_t size :
       {data.bins, std::int64_t{data.bin_bp}, data.dna_dim, data.rna_dim, data.protein_dim}) {
    parts["sizes"].add(static_cast<std::uint64_t>(size));
  }
  parts["assembly"].add(data.assembly);
  add_rna(data, &parts["rna"]);
  parts["protein"].add(data.protein);
  for (const std::string& gene : data.genes) parts["genes"].add(gene);
  for (const Enhancer& enhancer : data.enhancers) parts["enhancers"].add(enhancer.name);
  Digest& pairs = parts["pairs"];
  for (const Pair& pair : data.pairs) {
    pairs.add(static_cast<std::uint64_t>(pair.split));
    pairs.add(static_cast<std::uint64_t>(pair.enhancer));
    pairs.add(static_cast<std::uint64_t>(pair.gene));
    pairs.add(&pair.beta, sizeof pair.beta);
    if (!data.samples.empty()) pairs.add(static_cast<std::uint64_t>(pair.sample));
    if (wanted.labels) parts[kLabelsPart].add(static_cast<std::uint64_t>(pair.label));
    if (wanted.errors) parts[kErrorsPart].add(&pair.se, sizeof pair.se);
  }
  if (wanted.gene_starts) {
    Digest& starts = parts[kGeneStartsPart];
    for (const std::optional<GeneStart>& start : data.gene_starts) {
      starts.add(start ? start->chrom : std::string());
      starts.add(static_cast<std::uint64_t>(start ? start->position : -1));
    }
  }
  std::map<std::string, std::string> out;
  for (const auto& [part, digest] : parts) out[part] = digest.hex();
  return out;
}

bool is_without_digests(const TensorFile& state) {
  const std::string version = state.has_metadata("version") ? state.metadata("version") : "";
  return !state.has_metadata(kStateDigest) &&
         (version == kVersionWithoutDigest || version == kVersionOfOtherMasks);
}

std::string RunFacts::dna() const {
  const auto found = fingerprint.find(kDnaPart);
  return found == fingerprint.end() ? "" : found->second;
}

void save_state(const std::filesystem::path& file, const TrainState& state, const RunFacts& facts,
                const SavedModel& beside, const std::deque<Parameter>& parameters,
                const AdamW& optimiser, Backend& backend) {
  std::map<std::string, std::string> metadata = {
      {"format", kFormat},          {"version", kVersion},
      {"settings", facts.settings}, {"data", facts.data},
      {"device", facts.device},     {kMatchGenes, to_text(facts.match_genes)},
      {kWeights, beside.weights},   {kModelFileDigest, beside.file}};
  if (!facts.init_from.empty()) metadata[kInitFrom] = facts.init_from;
  for (const auto& [part, hash] : facts.fingerprint) metadata[kDataPrefix + part] = hash;
  for_each_counter(state,
                   [&](const char* name, const auto& value) { metadata[name] = to_text(value); });
  if (state.first_epoch == 1) metadata.erase(kFirstEpoch);
  std::vector<TensorToWrite> tensors;
  const auto add = [&](const std::string& name, const Tensor& tensor) {
    tensors.push_back({name, dims_of(tensor.shape), nullptr, [&backend, tensor, name](float* out) {
                         backend.download(out, tensor);
                         if (first_non_finite(out, tensor.count()) < 0) return;
                         throw NotFinite(name + " holds NaN or infinity");
                       }});
  };
  std::size_t i = 0;
  for (const Parameter& parameter : parameters) {
    if (!parameter.trained()) continue;
    add(kFirst + parameter.name, optimiser.first_moment(i));
    add(kSecond + parameter.name, optimiser.second_moment(i));
    ++i;
  }
  const auto count = static_cast<std::int64_t>(state.predictions.size());
  if (count > 0) {
    tensors.push_back({kPredictions, {count}, state.predictions.data(), {}});
    tensors.push_back({kTargets, {count}, state.targets.data(), {}});
  }
  metadata[kStateDigest] = digest_of_state(metadata, tensors);
  write_safetensors(file, tensors, metadata);
}

RunMoment read_run_moment(const std::filesystem::path& file) {
  const SafetensorsReader reader(file);
  expect_format(reader);
  RunMoment out;
  const auto read = [&](const char* name, std::int64_t* value) {
    const std::string& text = reader.metadata(name);
    if (!from_text(text, value)) {
      reader.fail_metadata(name, expected_got("is damaged", "a number", text));
    }
  };
  read("epoch", &out.epoch);
  read("position", &out.position);
  if (reader.has_metadata(kFirstEpoch)) read(kFirstEpoch, &out.first_epoch);
  return out;
}

RunFacts read_run_facts(const std::filesystem::path& file) {
  const SafetensorsReader reader(file);
  expect_format(reader);
  RunFacts facts;
  facts.settings = reader.metadata("settings");
  facts.data = reader.metadata("data");
  facts.device = reader.metadata("device");
  const std::string& matched = reader.metadata(kMatchGenes);
  if (!from_text(matched, &facts.match_genes)) {
    reader.fail_metadata(kMatchGenes, expected_got("is damaged", "0 or 1", matched));
  }
  if (reader.has_metadata(kInitFrom)) facts.init_from = reader.metadata(kInitFrom);
  for (const auto& [key, value] : reader.metadata()) {
    if (key.starts_with(kDataPrefix)) {
      facts.fingerprint[key.substr(std::string_view(kDataPrefix).size())] = value;
    }
  }
  return facts;
}

void load_state(const std::filesystem::path& file, const StateFrame& frame, TrainState* state,
                const std::deque<Parameter>& parameters, AdamW* optimiser, Backend& backend) {
  const SafetensorsReader reader(file);
  expect_format(reader);
  const std::string& weights = reader.metadata(kWeights);
  if (weights != frame.weights) {
    reader.fail_metadata(kWeights,
                         expected_got("the model.safetensors beside it is of another moment or run",
                                      "digest " + weights, frame.weights));
  }
  for_each_counter(*state, [&](const char* name, auto& value) {
    if (std::string_view(name) == kFirstEpoch && !reader.has_metadata(name)) return;
    const std::string& text = reader.metadata(name);
    if (from_text(text, &value)) return;
    reader.fail_metadata(name, expected_got("is damaged", "a number or a digest", text));
  });
  check_counters(reader, *state, frame);
  state->predictions = read_series(reader, kPredictions, state->position * frame.batch);
  state->targets = read_series(reader, kTargets, state->position * frame.batch);
  std::size_t i = 0;
  for (const Parameter& parameter : parameters) {
    if (!parameter.trained()) {
      refuse_moments(reader, parameter.name);
      continue;
    }
    read_moment(reader, kFirst + parameter.name, optimiser->first_moment(i), backend);
    read_moment(reader, kSecond + parameter.name, optimiser->second_moment(i), backend);
    ++i;
  }
  optimiser->set_steps(state->global_step);
}

void check_same_data(const RunFacts& facts, const Dataset& data,
                     const std::filesystem::path& state_file) {
  const auto has = [&](const char* part) { return facts.fingerprint.count(part) > 0; };
  const OptionalParts parts{has(kLabelsPart), has(kErrorsPart), has(kGeneStartsPart)};
  for (const auto& [part, hash] : data_fingerprint(data, parts)) {
    const auto found = facts.fingerprint.find(part);
    if (found != facts.fingerprint.end() && found->second == hash) continue;
    throw InputError(data.directory.string(), part,
                     "is not what " + state_file.string() + " was trained on");
  }
}

}  // namespace cdt
