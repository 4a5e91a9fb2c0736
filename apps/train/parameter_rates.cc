#include "apps/train/parameter_rates.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "apps/train/patterns.h"
#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr const char* kLrScale = "--lr-scale";
constexpr double kMostFactor = 1e3;

[[noreturn]] void refuse(const std::string& what) {
  throw InputError("command line", kLrScale, what);
}

/// One PATTERN=FACTOR of --lr-scale.
struct Scale {
  std::set<std::string> parameters;
  double factor;
};

Scale read_scale(const std::string& entry, const CdtParameters& model) {
  const std::size_t at = entry.rfind('=');
  double factor = 0.0;
  if (at == std::string::npos || !parse_double(entry.substr(at + 1), &factor)) {
    refuse(expected_got("bad value", "PATTERN=FACTOR", entry));
  }
  if (!(factor > 0.0 && factor <= kMostFactor)) {
    refuse(expected_got("factor out of range", "above 0, at most " + format_number(kMostFactor),
                        entry.substr(at + 1)) +
           (factor == 0.0 ? "; --freeze keeps parameters as they are" : ""));
  }
  return {parameters_named(kLrScale, {entry.substr(0, at)}, model), factor};
}

/// The factors of --lr-scale by parameter; the last one that names a parameter counts.
std::map<std::string, double> lr_factors(const TrainSettings& settings,
                                         const CdtParameters& model) {
  std::map<std::string, double> out;
  for (const std::string& entry : settings.lr_scale) {
    const Scale scale = read_scale(entry, model);
    if (settings.lr * scale.factor * settings.weight_decay >= 1.0) {
      refuse(entry + " times --lr and --weight-decay takes weights to zero or past it in one step");
    }
    for (const std::string& name : scale.parameters) out[name] = scale.factor;
  }
  return out;
}

/// Whether the parameter is the matrix of a linear map. Biases and norms are vectors, and pooling
/// queries have three dimensions, as in the state_dict.
bool is_matrix(const Parameter& parameter) { return parameter.variable.value.shape.rank() == 2; }

}  // namespace

std::vector<AdamWFactors> rate_factors(const TrainSettings& settings, const CdtParameters& model) {
  const std::map<std::string, double> by_name = lr_factors(settings, model);
  std::vector<AdamWFactors> out;
  for (const Parameter& parameter : model.parameters()) {
    if (!parameter.trained()) continue;
    AdamWFactors& factors = out.emplace_back();
    const auto found = by_name.find(parameter.name);
    if (found != by_name.end()) factors.lr = found->second;
    if (settings.no_decay == kNoDecayVectors && !is_matrix(parameter)) factors.decay = 0.0;
  }
  return out;
}

void refuse_frozen_scales(const TrainSettings& settings, const CdtParameters& model) {
  const std::set<std::string> frozen = frozen_parameters(settings.freeze, model);
  for (const std::string& entry : settings.lr_scale) {
    const std::set<std::string> named = read_scale(entry, model).parameters;
    if (!std::includes(frozen.begin(), frozen.end(), named.begin(), named.end())) continue;
    refuse(entry + " changes nothing here: --freeze keeps all that it names");
  }
}

}  // namespace cdt
