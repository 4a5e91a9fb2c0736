// Compares two run directories bit for bit, thing by thing.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/train/state.h"

namespace cdt {

struct Compared {
  std::string what;  // "best weights"
  bool equal = false;
  std::string detail;  // the first difference, or what was compared
};

/// Compares weights, optimiser and metrics of `again` with those that `run` recorded up to a
/// moment.
std::vector<Compared> compare_results(const std::filesystem::path& run,
                                      const std::filesystem::path& again, const RunMoment& until);

/// Compares what computed: code, build and machine, from the two provenance.json. A run older than
/// that file differs in all of them.
std::vector<Compared> compare_provenance(const std::filesystem::path& run,
                                         const std::filesystem::path& again);

}  // namespace cdt
