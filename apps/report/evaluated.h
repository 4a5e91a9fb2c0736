// The predictions a report evaluates: made by the run's model, or read from cdt-predict's folder.
#pragma once

#include <filesystem>
#include <string>

#include "apps/common/cli.h"
#include "apps/report/sources.h"
#include "model/checkpoint.h"

namespace cdt {

/// Predicts the split with run/model.safetensors, on the device and with the seed of `common`;
/// genes: the file of --genes, or empty. The pairs are those of `data`, the data set common.data,
/// that the model has a gene for.
Evaluated evaluate_run(CommonOptions common, const ModelOverrides& overrides, const RunRecord& run,
                       const Dataset& data, const std::string& split,
                       const std::filesystem::path& genes, const std::optional<Truth>& truth);

/// The same from predictions.tsv and metrics.json; InputError if they are not of the page's source,
/// or of another split than `wanted` ("": any).
Evaluated read_evaluated(const std::filesystem::path& directory, const std::string& wanted,
                         const PageSource& source, std::uint64_t seed,
                         const std::optional<Truth>& truth);

}  // namespace cdt
