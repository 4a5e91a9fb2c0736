// What every part of a page must be of: one model and one data set, by the fingerprints that
// outputs carry (model/inputs.h).
#pragma once

#include <filesystem>
#include <string>

#include "apps/report/material.h"
#include "model/checkpoint.h"

namespace cdt {

struct PageSource {
  std::filesystem::path run;  // its folder
  const Dataset& data;
  Fingerprint fingerprint;  // of the run's model, "" as long as it has none, and of the data set

  PageSource(const RunRecord& run, const Dataset& data, const ModelOverrides& overrides);
  /// InputError naming both folders where an output, "the prediction", is of another model or data
  /// set.
  void expect(const std::filesystem::path& folder, const std::string& output,
              const Fingerprint& of) const;
};

}  // namespace cdt
