#include "apps/train/trace_json.h"

#include <nlohmann/json.hpp>

#include "apps/common/progress.h"
#include "io/format/json.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Work& work) { return {{"flop", work.flop}, {"bytes", work.bytes}}; }

Json json_of(const Shape& shape) {
  Json out = Json::array();
  for (int i = 0; i < shape.rank(); ++i) out.push_back(shape[i]);
  return out;
}

Json json_of(const StepTrace& trace, const StepTrace::Source& source) {
  Json out = {{"from", trace.origin(source)}};
  if (source.op >= 0) out["op"] = source.op;
  out["shape"] = json_of(source.tensor.shape);
  return out;
}

Json json_of(const StepTrace& trace, const StepTrace::Module& module) {
  Json entries = Json::array();
  for (const StepTrace::Entry& entry : module.entries) {
    entries.push_back(json_of(trace, entry.source));
    if (!entry.role.empty()) entries.back()["as"] = entry.role;
  }
  return {{"name", module.name},
          {"inputs", entries},
          {"output", json_of(trace.output(module).shape)},
          {"parameters", module.parameters},
          {"forward", json_of(module.forward)},
          {"backward", json_of(module.backward)}};
}

Json json_of(const StepTrace& trace, const StepTrace::Op& op) {
  Json inputs = Json::array();
  for (const StepTrace::Source& source : op.inputs) inputs.push_back(json_of(trace, source));
  return {{"op", op.name},
          {"module", trace.modules[op.module].name},
          {"inputs", inputs},
          {"output", json_of(op.output.shape)},
          {"parameter_names", op.parameters},
          {"parameters", op.parameter_count},
          {"forward", json_of(op.forward)},
          {"backward", json_of(op.backward)}};
}

}  // namespace

std::string trace_json(const StepTrace& trace) {
  Json json = {{"format", "cdt-trace"},
               {"version", 1},
               {"device", trace.device},
               {"precision", trace.precision},
               {"batch", trace.batch},
               {"bins", trace.bins},
               {"model", Json::parse(model_config_json(trace.config))}};
  json["modules"] = Json::array();
  for (const auto& module : trace.modules) json["modules"].push_back(json_of(trace, module));
  json["ops"] = Json::array();
  for (const auto& op : trace.ops) json["ops"].push_back(json_of(trace, op));
  json["profile"] = Json::array();
  for (const auto& [key, row] : trace.profile) {
    Json line = {{"pass", pass_name(key.first)}, {"op", key.second}, {"calls", row.calls}};
    line.update(json_of(row.work));
    json["profile"].push_back(line);
  }
  json["sum"] = {{"parameters", trace.parameters()},
                 {"forward", json_of(trace.forward())},
                 {"backward", json_of(trace.backward())},
                 {"step", json_of(trace.total())}};
  return json_text(json);
}

}  // namespace cdt
