// --init and --order of cdt-train against what PyTorch drew after the same seeds
// (record_torch_random.py): every tensor of the initial model, every order, bit for bit.
#include <gtest/gtest.h>
#include <zlib.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "apps/common/cli_words.h"
#include "apps/train/epoch_order.h"
#include "engine/backend.h"
#include "io/format/json.h"
#include "model/cdt.h"
#include "model/torch_initial.h"
#include "tests/parity/fixture.h"

namespace cdt::test {
namespace {

using Json = nlohmann::json;

const Json& recorded() {
  static const Json json = parse_json_file(fixture_file("torch_random.json"));
  return json;
}

template <class T>
std::uint32_t crc_of(std::span<const T> values) {
  const auto* bytes = reinterpret_cast<const Bytef*>(values.data());
  return static_cast<std::uint32_t>(crc32(0, bytes, static_cast<uInt>(values.size() * sizeof(T))));
}

/// A model of a recorded configuration, on the CPU: draws are the same for every device.
struct Model {
  explicit Model(const Json& entry)
      : backend(make_cpu_backend(0)),
        lasting(*backend, "lasting"),
        model(parse_model_config(entry.at("config"), "fixture"), *backend, lasting, false) {}
  std::unique_ptr<Backend> backend;
  Arena lasting;
  Cdt model;
};

std::string word_of(const Json& entry) { return "torch:" + entry.at("seed").get<std::string>(); }

/// The names of the tensors that differ from the recorded ones.
std::vector<std::string> other_tensors(const Json& entry) {
  Model made(entry);
  initialise_as_torch(torch_seed(word_of(entry)).value(), made.model);
  const Json& want = entry.at("crc32");
  EXPECT_EQ(made.model.parameters().size(), want.size());
  std::vector<std::string> other;
  std::size_t i = 0;
  for (const Parameter& p : made.model.parameters()) {
    const std::vector<float> values = to_host(*made.backend, p.variable.value);
    if (crc_of(std::span(values)) != want.at(i++).get<std::uint32_t>()) other.push_back(p.name);
  }
  return other;
}

TEST(TorchInitialValues, EveryTensorAtSmallSizes) {
  for (const Json& entry : recorded().at("models")) {
    EXPECT_EQ(other_tensors(entry), std::vector<std::string>{})
        << entry.at("config") << " seed " << entry.at("seed");
  }
}

TEST(TorchInitialValues, EveryTensorAtFullSize) {
  for (const Json& entry : recorded().at("full")) {
    EXPECT_EQ(other_tensors(entry), std::vector<std::string>{})
        << entry.at("config") << " seed " << entry.at("seed");
  }
}

TEST(TorchInitialValues, AnotherSeedIsNoticedInEveryDrawnTensor) {
  Json entry = recorded().at("models").at(0);
  entry["seed"] = "123";
  const std::vector<std::string> other = other_tensors(entry);
  std::size_t drawn = 0;
  Model made(entry);
  for (const Parameter& p : made.model.parameters()) drawn += p.initial.kind != Initial::kConstant;
  EXPECT_EQ(other.size(), drawn);
}

void expect_orders(const Json& entry, EpochOrders& orders,
                   const std::vector<std::int64_t>& epochs) {
  const std::int64_t n = entry.at("samples"), batch = entry.at("batch");
  for (const std::int64_t epoch : epochs) {
    const std::vector<std::int32_t> all = orders.of(epoch);
    ASSERT_EQ(static_cast<std::int64_t>(all.size()), n);
    const std::span<const std::int32_t> order(all.data(),
                                              static_cast<std::size_t>(n / batch * batch));
    const Json& want = entry.at("epochs").at(static_cast<std::size_t>(epoch - 1));
    if (want.size() == order.size()) {
      EXPECT_EQ(std::vector<std::int32_t>(order.begin(), order.end()),
                want.get<std::vector<std::int32_t>>())
          << entry;
    } else {
      EXPECT_EQ((std::vector<std::uint64_t>{order.size(), crc_of(order)}),
                want.get<std::vector<std::uint64_t>>())
          << entry;
    }
  }
}

/// In turn, as a run asks for orders; and from a later epoch on, as a resumed run does.
void expect_epochs(const Json& entry, const TrainSettings& settings, CdtParameters& model) {
  const std::int64_t n = entry.at("samples");
  std::vector<std::int64_t> epochs(entry.at("epochs").size());
  std::iota(epochs.begin(), epochs.end(), 1);
  EpochOrders run(n, settings, model), resumed(n, settings, model);
  expect_orders(entry, run, epochs);
  expect_orders(entry, resumed, {epochs.back(), epochs.front(), epochs.back()});
}

TEST(TorchOrder, OfALoaderWithAGenerator) {
  Model made(recorded().at("models").at(0));
  for (const Json& entry : recorded().at("orders")) {
    TrainSettings settings;
    settings.order = word_of(entry);
    expect_epochs(entry, settings, made.model);
  }
}

TEST(TorchOrder, OfAScriptThatSetsOneSeed) {
  for (const Json& entry : recorded().at("scripts")) {
    Model made(recorded().at("models").at(entry.at("model").get<std::size_t>()));
    TrainSettings settings;
    settings.init = word_of(entry);
    settings.order = kGlobalOrder;
    expect_epochs(entry, settings, made.model);
  }
}

}  // namespace
}  // namespace cdt::test
