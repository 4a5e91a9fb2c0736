// The record of a training step that --trace shows: ops and modules with shapes, parameters and
// work. Dimensions as in engine/tensor.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "apps/train/options.h"
#include "engine/backend.h"
#include "engine/profiler.h"
#include "engine/tensor.h"
#include "model/config.h"

namespace cdt {

struct StepTrace {
  static constexpr const char* kQueries = "queries";
  static constexpr const char* kContext = "keys and values";

  struct Source {
    std::int64_t op = -1;  // index of the op that made it; -1: data
    std::string data;  // "dna", "rna", "protein", "genes", "targets", ...; "" for an op's output
    Tensor tensor;     // its shape and type
  };
  struct Op {
    std::string name;        // as in profiles
    std::size_t module = 0;  // index
    std::vector<Source> inputs;
    std::vector<std::string> parameters;  // state_dict names of those it reads
    std::int64_t parameter_count = 0;     // numbers it reads of them
    Tensor output;
    Work forward, backward;
  };
  /// An input of a module that comes from outside of it.
  struct Entry {
    Source source;
    std::string role;  // in cross-attention: kQueries or kContext
  };
  struct Module {
    std::string name;  // of the state_dict, or "loss"
    std::vector<std::size_t> ops;
    std::vector<Entry> entries;
    std::int64_t parameters = 0;
    Work forward, backward;
  };

  CdtConfig config;
  std::int64_t batch = 0, bins = 0;
  std::string device, precision;
  std::vector<Op> ops;          // in the order in which they run forward
  std::vector<Module> modules;  // likewise
  // The rows of a profile of the same step, without times.
  std::map<Profiler::Key, Profiler::Row> profile;

  std::int64_t parameters() const;  // of all modules
  Work forward() const;             // of all modules
  Work backward() const;
  Work total() const;  // of the profile
  const Tensor& output(const Module& module) const { return ops[module.ops.back()].output; }
  /// Name of the module or data that a source comes from.
  const std::string& origin(const Source& source) const;
};

/// Records one training step on shapes; nothing is computed. bins: L. `device`: where a run would
/// train. samples: of the RNA.
StepTrace trace_step(const CdtConfig& config, const TrainSettings& settings, std::int64_t bins,
                     Backend& device, std::int64_t samples = 0);

}  // namespace cdt
