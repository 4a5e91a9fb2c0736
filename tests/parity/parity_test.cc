// The whole model against PyTorch, at small odd sizes: every intermediate and attention map, loss,
// every gradient, attribution and ten optimiser steps. A failure names the first layer that
// differs, in the order of computation (backwards for gradients).
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "engine/optim/adamw.h"
#include "model/explain/attribution.h"
#include "tests/parity/model_case.h"
#include "tests/support/precision.h"

namespace cdt::test {
namespace {

using Floats = std::vector<float>;

class ModelParity : public testing::TestWithParam<const char*> {
 protected:
  Tape& tape() { return case_.engine.tape; }
  Floats download(const Tensor& t) { return case_.engine.download(t); }

  /// For the XML report (--gtest_output=xml): how close the worst tensor is to the tolerance.
  void report(const Comparison& c) {
    std::ostringstream text;
    text << c.worst() << " " << c.worst_name();
    RecordProperty("worst", text.str());
  }

  ModelCase case_{GetParam()};
};

TEST_P(ModelParity, ParametersAreTheStateDictInOrder) {
  std::vector<std::string> names;
  std::int64_t count = 0;
  for (const Parameter& p : case_.model.parameters()) {
    names.push_back(p.name);
    EXPECT_EQ(p.variable.value.shape, case_.fixture.shape("weight/" + p.name)) << p.name;
    count += case_.fixture.shape("weight/" + p.name).count();
  }
  EXPECT_EQ(names, case_.fixture.names("weight/"));
  EXPECT_EQ(case_.model.parameter_count(), count);
}

TEST_P(ModelParity, EvalForwardEveryIntermediateAndMap) {
  tape().eval();
  Recorder recorder;
  recorder.want_attention = true;
  const Var logits = case_.forward(tape().constant(case_.dna), &recorder);
  Comparison maps(forward_tolerance()), values(forward_tolerance());
  case_.check_maps(recorder, true, maps);
  case_.check_values(recorder, true, values);
  const std::vector<std::int32_t> targets = case_.genes(0);
  values.check("prediction", download(select(tape(), logits, case_.index(targets))->value),
               case_.fixture.values("prediction"), case_.prediction_scale(case_.batch()));
  EXPECT_TRUE(values.result());
  EXPECT_TRUE(maps.result());
  report(values);
}

TEST_P(ModelParity, ForwardFromTrunks) {
  tape().eval();
  const Trunks trunks = case_.trunks();
  Recorder recorder;
  recorder.want_attention = true;
  case_.model.forward({.tape = tape(),
                       .dna = tape().constant(case_.dna),
                       .trunks = &trunks,
                       .recorder = &recorder});
  Comparison c(forward_tolerance());
  case_.check_maps(recorder, false, c);
  case_.check_values(recorder, false, c);
  EXPECT_EQ(recorder.values.count("task_layer"), 1U);
  EXPECT_EQ(recorder.attention.count("dna_to_rna.attention"), 1U);
  EXPECT_TRUE(c.result());
}

TEST_P(ModelParity, TrainingPassLossAndAllGradients) {
  case_.model.zero_gradients();
  tape().train(1, 0);
  Recorder recorder;
  const Var dna = tape().input(case_.dna);
  const Var windows = case_.gene_dna.empty() ? nullptr : tape().input(case_.gene_dna);
  const Var logits = case_.forward(dna, &recorder, windows);
  const std::vector<std::int32_t> targets = case_.genes(0);
  const Var loss = case_.loss(logits, targets, 0);
  Comparison forward(forward_tolerance()), backward(gradient_tolerance());
  case_.check_values(recorder, true, forward);
  forward.check("loss", download(loss->value), case_.fixture.values("loss"));
  EXPECT_TRUE(forward.result());

  tape().backward(loss);
  case_.check_gradients(backward);
  backward.check("d dna", download(dna->grad), case_.fixture.values("input_gradient/dna"));
  if (windows != nullptr) {
    backward.check("d gene_dna", download(windows->grad),
                   case_.fixture.values("input_gradient/gene_dna"));
  }
  EXPECT_TRUE(backward.result());
  report(backward);
}

// A training step with the gene readout reads only the target genes' tokens.
TEST_P(ModelParity, PairsAloneHaveTheSameLossAndGradients) {
  case_.model.zero_gradients();
  tape().train(1, 0);
  const Var predictions = case_.forward_pairs(tape().constant(case_.dna), case_.genes(0));
  const Var loss = case_.loss(predictions, 0);
  Comparison forward(forward_tolerance()), backward(gradient_tolerance());
  forward.check("prediction", download(predictions->value), case_.fixture.values("prediction"),
                case_.prediction_scale(case_.batch()));
  forward.check("loss", download(loss->value), case_.fixture.values("loss"));
  tape().backward(loss);
  case_.check_gradients(backward);
  EXPECT_TRUE(forward.result());
  EXPECT_TRUE(backward.result());
}

// Attribution uses other code than the forward pass above: trunks computed once, the attention row
// without keys, the gradient's norm through the Gram matrix of the DNA projector's weight.
TEST_P(ModelParity, AttributionWindowsOfEverySample) {
  Engine& engine = case_.engine;
  const std::int64_t bins = case_.dna.shape[1];
  Explainer explainer(case_.model, tape(), case_.rna, case_.protein, engine.lasting);
  Floats predictions, attention, gradients;
  for (std::int64_t b = 0; b < case_.batch(); ++b) {
    case_.place(explainer, b);
    attribute(explainer, explainer.project(case_.dna.slice(b, b + 1)),
              {case_.genes(0)[static_cast<std::size_t>(b)]}, false,
              [&](std::size_t, const PairWindows& w) {
                predictions.push_back(w.prediction);
                attention.insert(attention.end(), w.attention.begin(), w.attention.end());
                gradients.insert(gradients.end(), w.gradient.begin(), w.gradient.end());
              });
  }
  EXPECT_EQ(gradients.size(), static_cast<std::size_t>(case_.batch() * bins));
  Comparison forward(forward_tolerance()), backward(gradient_tolerance());
  forward.check("prediction", predictions, case_.fixture.values("prediction"),
                case_.prediction_scale(case_.batch()));
  forward.check("attention window", attention, case_.fixture.values("attention_window"));
  backward.check("gradient window", gradients, case_.fixture.values("gradient_window"));
  EXPECT_TRUE(forward.result());
  EXPECT_TRUE(backward.result());
  report(backward);
}

TEST_P(ModelParity, TenOptimiserSteps) {
  constexpr std::int64_t kSteps = 10;
  AdamWOptions options;
  options.weight_decay = case_.fixture.number("weight_decay");
  AdamW optimiser(case_.model.variables(), *case_.engine.backend, case_.engine.lasting, options);
  const double lr = case_.fixture.number("lr");
  Floats losses, norms;
  for (std::int64_t step = 0; step < kSteps; ++step) {
    case_.model.zero_gradients();
    tape().train(1, static_cast<std::uint32_t>(step));
    const std::vector<std::int32_t> targets = case_.genes(step);
    const Var loss = case_.loss(case_.forward_pairs(tape().constant(case_.dna), targets), step);
    losses.push_back(download(loss->value)[0]);
    tape().backward(loss);
    optimiser.step(lr, 1.0);
    norms.push_back(download(optimiser.norm_and_factor())[0]);
    tape().clear();
  }
  Comparison c(gradient_tolerance());
  c.check("losses", losses, case_.fixture.values("steps/loss"));
  c.check("gradient norms", norms, case_.fixture.values("steps/norm"));
  for (const Parameter& p : case_.model.parameters()) {
    const Floats got = download(p.variable.value);
    const Floats want = case_.fixture.values("final/" + p.name);
    for (const Piece& piece : case_.pieces_of(p)) {
      // Adam divides a gradient by its own size. If the gradient is noise, either side may move the
      // weight by up to lr a step, without effect on the model. In reduced precision this can be
      // any element.
      if (piece.noise_scale > 0.0 || !float32_accuracy()) {
        c.check_within(piece.label, piece.of(got), piece.of(want), 2.0 * lr * kSteps);
      } else {
        c.check(piece.label, piece.of(got), piece.of(want));
      }
    }
  }
  EXPECT_TRUE(c.result());
  report(c);
}

TEST_P(ModelParity, APlantedErrorIsFoundInTheLayerThatHasIt) {
  Parameter& planted = case_.model.parameter("dna_to_rna.cross_attn.out_proj.bias");
  Floats values = download(planted.variable.value);
  values[0] += static_cast<float>(1000.0 * forward_tolerance());
  case_.model.set(&planted.variable, values.data());
  tape().eval();
  Recorder recorder;
  case_.forward(tape().constant(case_.dna), &recorder);
  Comparison c(forward_tolerance());
  case_.check_values(recorder, true, c);
  const std::string message = c.result().message();
  EXPECT_EQ(message.rfind("first difference: dna_to_rna: ", 0), 0U) << message;
}

INSTANTIATE_TEST_SUITE_P(Fixtures, ModelParity, testing::ValuesIn(kModels),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace cdt::test
