// A trace of a training step against the profile of a step that is computed, and what is made of
// it: tables, JSON and the figure.
#include "apps/train/step_trace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "apps/common/dry_run.h"
#include "apps/train/patterns.h"
#include "apps/train/step.h"
#include "apps/train/trace_figure.h"
#include "apps/train/trace_json.h"
#include "apps/train/trace_svg.h"
#include "apps/train/trace_text.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/error.h"
#include "io/format/json.h"
#include "model/cdt.h"

namespace cdt {
namespace {

constexpr std::int64_t kBins = 5;

struct Case {
  const char* name;
  TrainSettings settings;
};

TrainSettings sizes(const char* variant, std::int64_t batch, std::int64_t layers,
                    const std::vector<std::string>& freeze = {}) {
  TrainSettings s;
  s.variant = variant;
  s.batch_size = batch;
  s.hidden = 12;
  s.heads = 3;
  s.pool_heads = 2;
  s.feed_forward = 17;
  s.fusion = 10;
  s.dna_layers = layers;
  s.rna_layers = layers > 0 ? 1 : 0;
  s.protein_layers = layers;
  s.freeze = freeze;
  return s;
}

CdtConfig config_of(const TrainSettings& settings) {
  CdtConfig config = model_config(settings, nullptr);
  config.dna_dim = 4;
  config.rna_dim = 3;
  config.protein_dim = 6;
  config.genes = 7;
  return config;
}

/// One step on a device that computes.
std::map<Profiler::Key, Profiler::Row> profile_of_a_step(const CdtConfig& config,
                                                         const TrainSettings& settings) {
  const auto backend = make_profiling_backend(std::make_unique<CpuBackend>(2));
  Arena lasting(*backend, "lasting"), step(*backend, "step"), scratch(*backend, "scratch");
  Cdt model(config, *backend, lasting, false);
  model.make_trainable(lasting, frozen_parameters(settings.freeze, model));
  model.initialise(1);
  Dataset inputs = sizes_of(config, kBins);
  inputs.rna.assign(static_cast<std::size_t>(config.genes * config.rna_dim), 0.5F);
  inputs.protein.assign(static_cast<std::size_t>(config.genes * config.protein_dim), 0.25F);
  const StepData data(config, inputs, *backend, lasting, settings);
  const StepResults results(lasting, settings.batch_size, *backend);
  AdamW optimiser(model.variables(), *backend, lasting, {});
  const Tensor dna = lasting.tensor({settings.batch_size, kBins, config.dna_dim});
  backend->fill(dna, 0.125F);
  const std::vector<std::int32_t> genes(static_cast<std::size_t>(settings.batch_size), 1);
  backend->upload(data.genes, genes.data());
  backend->fill(data.targets, 0.5F);
  Tape tape(*backend, step, scratch);
  backend->begin_step(0);
  optimiser.begin_step(1e-3);
  backend->profiler()->clear();
  training_step(settings, 0, dna, data, model, tape, optimiser, results);
  return backend->profiler()->rows();
}

StepTrace trace_of(const TrainSettings& settings) {
  CpuBackend device(2);
  return trace_step(config_of(settings), settings, kBins, device);
}

class TraceOfAStep : public ::testing::TestWithParam<Case> {
 protected:
  const TrainSettings settings_ = GetParam().settings;
  const StepTrace trace_ = trace_of(settings_);
};

TEST_P(TraceOfAStep, CountsWhatTheProfileOfAStepCounts) {
  const auto real = profile_of_a_step(config_of(settings_), settings_);
  ASSERT_EQ(trace_.profile.size(), real.size());
  for (const auto& [key, row] : real) {
    ASSERT_EQ(trace_.profile.count(key), 1U) << key.second;
    const Profiler::Row& traced = trace_.profile.at(key);
    EXPECT_EQ(traced.calls, row.calls) << key.second;
    EXPECT_EQ(traced.work.flop, row.work.flop) << key.second;
    EXPECT_EQ(traced.work.bytes, row.work.bytes) << key.second;
  }
}

TEST_P(TraceOfAStep, ItsOpsAddUpToTheProfile) {
  std::map<Profiler::Key, Work> sums;
  for (const StepTrace::Op& op : trace_.ops) {
    sums[{ProfilePass::kForward, op.name}] += op.forward;
    sums[{ProfilePass::kBackward, op.name}] += op.backward;
  }
  Work outside;
  for (const auto& [key, row] : trace_.profile) {
    if (key.first == ProfilePass::kOutside) {
      outside += row.work;
    } else {
      EXPECT_EQ(sums[key].flop, row.work.flop) << key.second;
      EXPECT_EQ(sums[key].bytes, row.work.bytes) << key.second;
    }
  }
  const Work forward = trace_.forward(), backward = trace_.backward(), all = trace_.total();
  EXPECT_GT(forward.flop, 0.0);
  EXPECT_EQ(forward.flop + backward.flop + outside.flop, all.flop);
  EXPECT_EQ(forward.bytes + backward.bytes + outside.bytes, all.bytes);
}

StepTrace trace_with_extensions() {
  TrainSettings settings = sizes("released", 3, 1);
  settings.readout = "gene";
  settings.bin_position = settings.gene_position = kByDistance;
  settings.gene_window = kDnaGene;
  CdtConfig config = config_of(settings);
  config.bins = kBins;
  CpuBackend device(1);
  return trace_step(config, settings, kBins, device);
}

// The layers that read the windows of genes are those of other modules, and counted there.
TEST(TraceOfExtensions, ParametersCountOnce) {
  const StepTrace trace = trace_with_extensions();
  CpuBackend device(1);
  Arena lasting(device, "lasting");
  EXPECT_EQ(trace.parameters(), Cdt(trace.config, device, lasting, false).parameter_count());
  const auto windows =
      std::find_if(trace.modules.begin(), trace.modules.end(),
                   [](const StepTrace::Module& m) { return m.name == kGeneWindowModule; });
  ASSERT_NE(windows, trace.modules.end());
  EXPECT_EQ(windows->parameters, 0);
  EXPECT_GT(windows->forward.flop, 0.0);
  EXPECT_GT(windows->backward.flop, 0.0);
}

TEST(TraceOfExtensions, TextNamesThem) {
  const std::string text = trace_text(trace_with_extensions());
  const char* const form =
      "\nreleased form extended by gene readout, bin position, gene position, gene window\n";
  EXPECT_NE(text.find(form), std::string::npos);
  const std::string plain = trace_text(trace_of(sizes("released", 3, 1)));
  EXPECT_NE(plain.find("\nreleased form\n"), std::string::npos);
}

TEST(TraceOfExtensions, HaveNoFigure) {
  EXPECT_THROW(trace_svg(trace_with_extensions()), InputError);
}

TEST_P(TraceOfAStep, EveryParameterIsReadByItsModule) {
  CpuBackend device(1);
  Arena lasting(device, "lasting");
  const CdtConfig config = config_of(settings_);
  const Cdt model(config, device, lasting, false);
  std::map<std::string, std::string> reader;
  for (const StepTrace::Op& op : trace_.ops) {
    const std::string& module = trace_.modules[op.module].name;
    for (const std::string& name : op.parameters) {
      EXPECT_EQ(name.rfind(module, 0), 0U) << name << " in " << module;
      EXPECT_EQ(reader.emplace(name, module).first->second, module) << name;
    }
  }
  EXPECT_EQ(reader.size(), model.parameters().size());
  EXPECT_EQ(trace_.parameters(), model.parameter_count());
}

TEST_P(TraceOfAStep, TheFigureShowsEveryModuleAndEverythingThatEntersIt) {
  const Figure figure = lay_out(trace_);
  std::set<std::string> drawn;
  for (const Figure::Box& box : figure.boxes) {
    EXPECT_TRUE(drawn.insert(box.name).second) << box.name;
    for (const Figure::Box& other : figure.boxes) {
      const bool apart = box.x + box.width <= other.x || other.x + other.width <= box.x ||
                         box.bottom() <= other.y || other.bottom() <= box.y;
      EXPECT_TRUE(apart || &box == &other) << box.name << " on " << other.name;
    }
    EXPECT_GE(box.x, figure.margin);
    EXPECT_LE(box.x + box.width, figure.width - figure.margin);
    EXPECT_LT(box.bottom(), figure.height);
  }
  std::set<std::pair<std::string, std::string>> entries, arrows;
  for (const StepTrace::Module& module : trace_.modules) {
    EXPECT_EQ(drawn.count(module.name), 1U) << module.name;
    for (const StepTrace::Entry& entry : module.entries) {
      const std::string& from = trace_.origin(entry.source);
      if (from != "genes" && from != "targets") entries.emplace(from, module.name);
    }
  }
  for (const Figure::Arrow& arrow : figure.arrows) {
    const Figure::Box& from = figure.boxes[arrow.from];
    const Figure::Box& to = figure.boxes[arrow.to];
    arrows.emplace(from.name, to.name);
    // No other box lies on the way down.
    for (const Figure::Box& box : figure.boxes) {
      const bool between = box.x < from.centre() && from.centre() < box.x + box.width &&
                           box.y >= from.bottom() && box.y < (arrow.sideways ? to.middle() : to.y);
      EXPECT_FALSE(between) << from.name << " to " << to.name << " through " << box.name;
    }
  }
  EXPECT_EQ(arrows, entries);
}

TEST_P(TraceOfAStep, TheFigureHasTheShapesAndNumbers) {
  const std::string svg = trace_svg(trace_);
  const std::string dna = std::to_string(settings_.batch_size) + " × 5 × ";
  EXPECT_NE(svg.find(">" + dna + "4<"), std::string::npos);
  EXPECT_NE(svg.find(">" + dna + "12<"), std::string::npos);
  for (const StepTrace::Module& module : trace_.modules) {
    EXPECT_NE(svg.find("id=\"" + module.name + "\""), std::string::npos) << module.name;
  }
  EXPECT_EQ(svg.find("<script"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Forms, TraceOfAStep,
                         ::testing::Values(Case{"Released", sizes("released", 3, 2)},
                                           Case{"Paper", sizes("paper", 2, 2)},
                                           Case{"OneSample", sizes("released", 1, 3)},
                                           Case{"NoLayers", sizes("released", 2, 0)},
                                           Case{"PaperNoLayers", sizes("paper", 2, 0)},
                                           Case{"Frozen", sizes("released", 2, 1,
                                                                {"dna_*", "rna_projector"})}),
                         [](const auto& info) { return std::string(info.param.name); });

std::vector<std::pair<std::string, std::string>> entries_of(const StepTrace& trace,
                                                            const std::string& name) {
  const auto same = [&](const StepTrace::Module& m) { return m.name == name; };
  const auto module = std::find_if(trace.modules.begin(), trace.modules.end(), same);
  std::vector<std::pair<std::string, std::string>> out;
  if (module == trace.modules.end()) return out;
  for (const auto& entry : module->entries)
    out.emplace_back(trace.origin(entry.source), entry.role);
  return out;
}

TEST(StepTraceTest, InformationFlowsFromDnaToRnaToProtein) {
  using Entries = std::vector<std::pair<std::string, std::string>>;
  const StepTrace trace = trace_of(sizes("released", 3, 2));
  EXPECT_EQ(entries_of(trace, "dna_projector"), (Entries{{"dna", ""}}));
  EXPECT_EQ(entries_of(trace, "dna_self_attn_layers.1"), (Entries{{"dna_self_attn_layers.0", ""}}));
  EXPECT_EQ(entries_of(trace, "dna_to_rna"),
            (Entries{{"rna_self_attn_layers.0", "queries"},
                     {"dna_self_attn_layers.1", "keys and values"}}));
  EXPECT_EQ(entries_of(trace, "rna_to_protein"), (Entries{{"protein_self_attn_layers.1", "queries"},
                                                          {"dna_to_rna", "keys and values"}}));
  EXPECT_EQ(entries_of(trace, "vce.fusion"),
            (Entries{{"vce.dna", ""}, {"vce.rna", ""}, {"vce.protein", ""}}));
  EXPECT_EQ(entries_of(trace, "loss"),
            (Entries{{"task_layer", ""}, {"genes", ""}, {"targets", ""}}));
}

TEST(StepTraceTest, TheReleasedModelAtFullSize) {
  CpuBackend device(2);
  const StepTrace trace = trace_step(CdtConfig{}, TrainSettings{}, 896, device);
  EXPECT_EQ(trace.parameters(), 60093752);
  const StepTrace::Op& first = trace.ops[0];
  EXPECT_EQ(first.name, "linear");
  EXPECT_EQ(first.inputs.at(0).tensor.shape, Shape({8, 896, 3072}));
  EXPECT_EQ(first.output.shape, Shape({8, 896, 768}));
  EXPECT_EQ(first.forward.flop, 2.0 * 8 * 896 * 3072 * 768);
  EXPECT_EQ(first.backward.flop, first.forward.flop);  // of the weight; DNA needs none
  std::istringstream lines(trace_text(trace));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
}

TEST(StepTraceTest, TextStaysWithinAHundredColumns) {
  TrainSettings settings;
  settings.batch_size = 4096;
  settings.hidden = settings.feed_forward = settings.fusion = 1000000;
  settings.protein_layers = 11;
  CpuBackend device(2);
  const CdtConfig config = model_config(settings, nullptr);
  std::istringstream lines(trace_text(trace_step(config, settings, 896, device)));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
}

TEST(StepTraceTest, JsonHasTheSameNumbers) {
  const StepTrace trace = trace_of(sizes("released", 3, 2));
  const nlohmann::json json = parse_json(trace_json(trace), "trace");
  ASSERT_EQ(json.at("ops").size(), trace.ops.size());
  double flop = 0, bytes = 0;
  for (const auto& row : json.at("profile")) {
    flop += row.at("flop").get<double>();
    bytes += row.at("bytes").get<double>();
  }
  EXPECT_EQ(flop, trace.total().flop);
  EXPECT_EQ(bytes, json.at("sum").at("step").at("bytes").get<double>());
  EXPECT_EQ(json.at("sum").at("parameters"), trace.parameters());
  EXPECT_EQ(json.at("modules").at(0).at("inputs").at(0).at("from"), "dna");
}

TEST(StepTraceTest, ShortNumbersHaveFourDigitsAndAUnit) {
  const std::pair<double, const char*> cases[] = {{0, "-"},
                                                  {1, "1"},
                                                  {999, "999"},
                                                  {1000, "1.000k"},
                                                  {12345, "12.35k"},
                                                  {999940, "999.9k"},
                                                  {999960, "1.000M"},
                                                  {9999600, "10.00M"},
                                                  {99996e3, "100.0M"},
                                                  {847.988e9, "848.0G"}};
  for (const auto& [value, text] : cases) EXPECT_EQ(short_number(value), text);
  EXPECT_EQ(short_count(60093752), "60,093,752");
  EXPECT_EQ(short_count(100000000), "100.0M");
  EXPECT_EQ(short_count(0), "-");
}

}  // namespace
}  // namespace cdt
