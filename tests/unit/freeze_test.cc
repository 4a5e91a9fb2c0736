// --freeze of cdt-train: what patterns match, that frozen parameters stay and the others train as
// usual, and that nothing is computed or kept for frozen ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "apps/train/patterns.h"
#include "apps/train/run_folder.h"
#include "apps/train/state.h"
#include "apps/train/step.h"
#include "engine/profiler.h"
#include "io/format/safetensors.h"
#include "model/checkpoint.h"
#include "tests/support/input_error.h"
#include "tests/support/small_model.h"
#include "tests/support/train_run.h"

namespace cdt {
namespace {

using test::expect_message;
using test::input_error;
using test::TrainRun;
using Names = std::set<std::string>;
using Values = std::map<std::string, std::vector<float>>;

TEST(PatternTest, StarsAndQuestionMarks) {
  for (const char* pattern : {"", "*", "a", "a*", "*c", "a?c", "a*c", "**", "?*", "abc"}) {
    const std::string p = pattern;
    EXPECT_EQ(matches(p, ""), p.empty() || p == "*" || p == "**") << p;
    EXPECT_EQ(matches(p, "abc"), p.size() > 1 || p == "*") << p;
    EXPECT_EQ(matches(p, "a"), p == "a" || p == "a*" || p == "*" || p == "**" || p == "?*") << p;
  }
  EXPECT_TRUE(matches("*ab*ab?", "abab_ab_abx"));
  EXPECT_FALSE(matches("*ab*ab?", "abab_ab_ab"));
  EXPECT_FALSE(matches("vce.fusion", "vce_fusion"));
}

/// A model of `config` and everything a step needs.
struct Training {
  Training(const CdtConfig& c, const std::vector<std::string>& freeze,
           std::unique_ptr<Backend> on = test::make_test_backend())
      : backend(std::move(on)), model(c, *backend, lasting, false) {
    model.make_trainable(lasting, frozen_parameters(freeze, model));
    model.initialise(5);
    dna = test::as_activation(*backend, lasting, random({2, test::kBins, c.dna_dim}, 1));
    rna = random({1, c.genes, c.rna_dim}, 2);
    protein = random({1, c.genes, c.protein_dim}, 3);
    target = random({2}, 4);
    index = lasting.tensor({2}, Dtype::kInt32);
    const std::vector<std::int32_t> genes{1, 4};
    backend->upload(index, genes.data());
    optimiser.emplace(model.variables(), *backend, lasting, AdamWOptions{.weight_decay = 0.1});
  }

  Tensor random(const Shape& shape, std::uint32_t stream) {
    return test::random_tensor(*backend, lasting, shape, stream);
  }

  /// A step without clipping, because the clipping norm covers only the trained parameters.
  void step(std::uint32_t number) {
    backend->begin_step(number);
    optimiser->begin_step(1e-2);
    backend->run_recorded("train", {dna, target, index}, [&] {
      model.zero_gradients();
      tape.train(1, number);
      const Var out = model.forward({.tape = tape,
                                     .dna = tape.constant(dna),
                                     .rna = tape.constant(rna),
                                     .protein = tape.constant(protein)});
      tape.backward(huber(tape, select(tape, out, index), target, 1.0F));
      tape.clear();
      optimiser->clip_and_update(0.0);
    });
  }

  Values values() {
    Values out;
    for (const Parameter& p : model.parameters()) out[p.name] = to_host(*backend, p.variable.value);
    return out;
  }
  Values gradients() {
    Values out;
    for (const Parameter& p : model.parameters()) {
      if (p.trained()) out[p.name] = to_host(*backend, p.variable.grad);
    }
    return out;
  }

  std::unique_ptr<Backend> backend;
  Arena lasting{*backend, "lasting"};
  Arena step_arena{*backend, "step"};
  Arena scratch{*backend, "scratch"};
  Cdt model;
  Tape tape{*backend, step_arena, scratch};
  Tensor dna, rna, protein, target, index;
  std::optional<AdamW> optimiser;
};

TEST(PatternTest, NameParametersAndPartsOfTheModel) {
  const Training training(test::small_config(Variant::kReleased, 9, 2), {});
  const Cdt& model = training.model;
  const auto count = [&](const std::vector<std::string>& patterns) {
    return parameters_named("--freeze", patterns, model).size();
  };
  EXPECT_EQ(count({}), 0U);
  EXPECT_EQ(count({"dna_projector"}), 4U);
  EXPECT_EQ(count({"dna_projector.linear"}), 2U);
  EXPECT_EQ(count({"dna_projector.linear.weight", "dna_projector.linear"}), 2U);
  EXPECT_EQ(count({"dna_self_attn_layers"}), 2U * 12U);
  EXPECT_EQ(count({"*_projector"}), 3U * 4U);
  EXPECT_EQ(count({"vce.*_query"}), 3U);
  EXPECT_EQ(count({"dna_self_attn_layers.?.norm1.bias"}), 2U);
  const auto complaint = [&](const std::string& pattern) {
    return input_error([&] { frozen_parameters({"vce", pattern}, model); });
  };
  expect_message(complaint("rna_projectr"), "command line", "--freeze",
                 "rna_projectr names no parameter of the model (did you mean rna_projector?)");
  expect_message(complaint("encoder.*"), "command line", "--freeze",
                 "; there are dna_projector, rna_projector, protein_projector, ");
  expect_message(complaint(""), "command line", "--freeze", " names no parameter");
  expect_message(complaint("*"), "command line", "--freeze", "nothing is left to train");
}

/// The names of all parameters except `some`.
std::vector<std::string> others(const Cdt& model, const Names& some) {
  std::vector<std::string> out;
  for (const Parameter& p : model.parameters()) {
    if (some.count(p.name) == 0) out.push_back(p.name);
  }
  return out;
}

/// Freezes the named parameters and expects the same updates for the rest as without freezing.
void expect_trains_the_rest(const CdtConfig& config, const std::vector<std::string>& freeze,
                            const Values& start, const Values& gradients, const Values& after) {
  SCOPED_TRACE("frozen: " + joined(freeze, " "));
  Training training(config, freeze);
  training.step(0);
  const Values got = training.gradients();
  for (const auto& [name, gradient] : got) EXPECT_EQ(gradient, gradients.at(name)) << name;
  const Values once = training.values();
  for (const Parameter& p : training.model.parameters()) {
    EXPECT_EQ(once.at(p.name), (p.trained() ? after : start).at(p.name)) << p.name;
  }
  training.step(1);
  const Values twice = training.values();
  for (const Parameter& p : training.model.parameters()) {
    EXPECT_EQ(twice.at(p.name) == once.at(p.name), !p.trained()) << p.name;
  }
}

class FrozenStep : public ::testing::TestWithParam<Variant> {
 protected:
  const CdtConfig config = test::small_config(GetParam(), 9, 1);
};

TEST_P(FrozenStep, TrainsTheRestAsIfNothingWereFrozen) {
  Training all(config, {});
  const Values start = all.values();
  all.step(0);
  const Values gradients = all.gradients(), after = all.values();
  const auto check = [&](const std::vector<std::string>& freeze) {
    expect_trains_the_rest(config, freeze, start, gradients, after);
  };
  std::vector<std::string> patterns = {"*bias", "dna_*"};
  if (all.backend->name() == std::string("cpu")) {
    patterns.insert(patterns.end(), {"*weight", "*norm*", "*in_proj_weight"});
    for (const Parameter& p : all.model.parameters()) {
      patterns.push_back(p.name);
      if (p.module != patterns.back()) patterns.push_back(p.module);
    }
  }
  std::sort(patterns.begin(), patterns.end());
  patterns.erase(std::unique(patterns.begin(), patterns.end()), patterns.end());
  for (const std::string& pattern : patterns) {
    check({pattern});
    check(others(all.model, parameters_named("", {pattern}, all.model)));
  }
}

INSTANTIATE_TEST_SUITE_P(, FrozenStep, ::testing::Values(Variant::kReleased, Variant::kPaper),
                         [](const auto& v) { return variant_name(v.param); });

/// The work of a step, by op.
std::map<std::string, Profiler::Row> backward_work(const std::vector<std::string>& freeze) {
  Training training(test::small_config(Variant::kReleased, 9, 2), freeze,
                    make_profiling_backend(test::make_test_backend()));
  training.step(0);
  std::map<std::string, Profiler::Row> out;
  for (const auto& [key, row] : training.backend->profiler()->rows()) {
    if (key.first == ProfilePass::kBackward) out[key.second] = row;
  }
  return out;
}

TEST(FrozenWork, EndsWhereNothingBehindIsTrained) {
  const auto all = backward_work({});
  EXPECT_EQ(all.at("self_attention").calls, 4);
  const auto no_dna = backward_work({"dna_projector", "dna_self_attn_layers"});
  EXPECT_EQ(no_dna.at("self_attention").calls, 2);
  EXPECT_EQ(no_dna.at("layer_norm").calls, all.at("layer_norm").calls - 1);
  const auto head =
      backward_work({"*_projector", "*_layers", "dna_to_rna", "rna_to_protein", "vce"});
  Names ops;
  for (const auto& [op, row] : head) ops.insert(op);
  EXPECT_EQ(ops, (Names{"select", "huber", "linear", "gelu_dropout"}));
  // Frozen weights: the same ops with one product less.
  const auto no_weights = backward_work({"*.ffn.*.weight"});
  EXPECT_EQ(no_weights.at("feed_forward").calls, all.at("feed_forward").calls);
  EXPECT_LE(no_weights.at("feed_forward").work.flop, 0.7 * all.at("feed_forward").work.flop);
}

TEST(FrozenWork, KeepsNothingOfAFrozenPart) {
  const CdtConfig config = test::small_config(Variant::kReleased, 29, 2);
  Training all(config, {}), some(config, {"dna_projector", "dna_self_attn_layers"});
  all.step(0);
  some.step(0);
  EXPECT_LT(some.step_arena.peak(), all.step_arena.peak());
  const auto frozen =
      static_cast<std::size_t>(all.model.parameter_count() - some.model.trained_count());
  EXPECT_LE(some.lasting.peak() + 3 * frozen * sizeof(float), all.lasting.peak());
}

TEST_F(TrainRun, FrozenParametersHaveNoMomentsAndStay) {
  options.settings.freeze = {"dna_*", "*.bias"};
  const auto run = make(test::default_pairs());
  const RunFolder folder(run_dir, false);
  const auto projector = [&](Run& of) {
    return to_host(*of.backend, of.model.dna.projector.linear.weight->value);
  };
  const std::vector<float> before = projector(*run);
  run->trainer.run(folder);
  EXPECT_EQ(projector(*run), before);
  const SafetensorsReader state(folder.last_state());
  EXPECT_FALSE(state.has("m.dna_projector.linear.weight"));
  EXPECT_FALSE(state.has("v.vce.fusion.0.bias"));
  EXPECT_TRUE(state.has("m.vce.fusion.0.weight"));

  // The run continues, and only with the settings it was started with.
  Run again(options, data_dir);
  again.trainer.restore(folder,
                        read_parameters(SafetensorsReader(folder.last_model()), again.model));
  EXPECT_EQ(again.trainer.state().epoch, 4);
  const auto complaint = [&](const std::vector<std::string>& freeze) {
    options.settings.freeze = freeze;
    Run other(options, data_dir);
    return input_error([&] {
      other.trainer.restore(folder,
                            read_parameters(SafetensorsReader(folder.last_model()), other.model));
    });
  };
  expect_message(complaint({"dna_*"}), folder.last_state(), "m.rna_projector.linear.bias",
                 "tensor is missing");
  expect_message(complaint({"dna_*", "*.bias", "vce.fusion"}), folder.last_state(),
                 "m.vce.fusion.0.weight", "though the settings freeze vce.fusion.0.weight");
}

// Between epochs no parameter needs a gradient; afterwards the same ones do as before.
TEST_F(TrainRun, ValidationLeavesFrozenWhatWasFrozen) {
  options.settings.freeze = {"vce"};
  const auto run = make(test::default_pairs());
  run->trainer.run(RunFolder(run_dir, false));
  for (const Parameter& p : run->model.parameters()) {
    EXPECT_EQ(p.variable.needs_grad, p.module != "vce") << p.name;
  }
}

}  // namespace
}  // namespace cdt
