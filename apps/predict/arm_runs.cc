#include "apps/predict/arm_runs.h"

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {
namespace {

[[noreturn]] void refuse(const RecordedPrediction& run, const std::string& what) {
  throw InputError(run.folder.string(), "--combine", what);
}

/// Throws InputError unless both runs have the same baselines and controls.
void expect_same_columns(const RecordedPrediction& first, const RecordedPrediction& run) {
  const auto names = [](const RecordedPrediction& of) {
    std::vector<std::string> out;
    for (const BaselinePrediction& b : of.baselines) out.push_back(b.name);
    return joined(out, " ");
  };
  if (names(run) != names(first)) {
    refuse(run, expected_got("has other baselines than " + first.folder.string(), names(first),
                             names(run)));
  }
  if (run.has_controls != first.has_controls ||
      run.controls.shuffled_dna.size() != first.controls.shuffled_dna.size()) {
    refuse(run, "has other controls than " + first.folder.string());
  }
}

}  // namespace

std::vector<ArmRuns> arms_of(std::vector<RecordedPrediction> runs, const Dataset& data) {
  std::map<double, std::map<std::int64_t, std::vector<RecordedPrediction>>, std::greater<>> grouped;
  std::map<std::string, std::string> models;  // digest -> folder
  const RecordedPrediction first = runs.front();
  for (RecordedPrediction& run : runs) {
    const auto [at, fresh] = models.emplace(run.model, run.folder.string());
    if (!fresh) refuse(run, "is of the same model as " + at->second);
    expect_same_columns(first, run);
    grouped[run.train_share][run.fold].push_back(std::move(run));
  }
  std::vector<ArmRuns> out;
  for (auto& [share, folds] : grouped) {
    ArmRuns arm{share, {}};
    const std::int64_t last = data.folds;
    for (std::int64_t fold = last == 0 ? 0 : 1; fold <= last; ++fold) {
      const auto found = folds.find(fold);
      if (found == folds.end()) {
        refuse(arm.folds.empty() ? folds.begin()->second.front() : arm.folds.front().front(),
               "has a train share of " + format_number(share) + ", of which no run is of fold " +
                   std::to_string(fold));
      }
      arm.folds.push_back(std::move(found->second));
      if (arm.folds.back().size() == arm.folds.front().size()) continue;
      refuse(arm.folds.back().front(),
             expected_got("has another number of runs in its fold than the first fold",
                          std::to_string(arm.folds.front().size()),
                          std::to_string(arm.folds.back().size())));
    }
    out.push_back(std::move(arm));
  }
  return out;
}

std::vector<Pair> pairs_of(const ArmRuns& runs) {
  std::vector<Pair> out;
  for (const auto& fold : runs.folds) {
    out.insert(out.end(), fold.front().pairs.begin(), fold.front().pairs.end());
  }
  return out;
}

std::vector<float> ensemble_of(const ArmRuns& runs) {
  return mean_of(members_of(runs, [](const RecordedPrediction& r) -> const std::vector<float>& {
    return r.predictions;
  }));
}

Members members_of(
    const ArmRuns& runs,
    const std::function<const std::vector<float>&(const RecordedPrediction&)>& part) {
  Members out(runs.folds.front().size());
  for (const auto& fold : runs.folds) {
    for (std::size_t seed = 0; seed < fold.size(); ++seed) {
      const std::vector<float>& values = part(fold[seed]);
      out[seed].insert(out[seed].end(), values.begin(), values.end());
    }
  }
  return out;
}

std::vector<float> mean_of(const Members& members) {
  std::vector<float> out;
  for (std::size_t i = 0; i < members.front().size(); ++i) {
    double sum = 0;
    for (const std::vector<float>& member : members) sum += member[i];
    out.push_back(static_cast<float>(sum / static_cast<double>(members.size())));
  }
  return out;
}

}  // namespace cdt
