// provenance.json, in every output folder: what made it, from what, and on what (docs/formats.md).
// It is a file of its own because it differs between machines and thread counts, and the other
// files need not. It holds no time and no name of a machine, so the same command on the same
// machine writes the same bytes.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "apps/common/cli.h"
#include "engine/backend.h"
#include "model/fingerprint.h"

namespace cdt {

inline constexpr const char* kProvenanceFile = "provenance.json";

/// Names of libraries and their versions.
using Versions = std::vector<std::pair<std::string, std::string>>;

/// The object in provenance.json. fingerprint: of the model and the data that were read; "" where
/// there is none. backend: what computed; null for a program that runs no model. further: libraries
/// besides those of the backend.
nlohmann::ordered_json provenance_of(const CommonOptions& options,
                                     const Fingerprint& fingerprint = {},
                                     const Backend* backend = nullptr,
                                     const Versions& further = {});

/// Content of provenance.json.
std::string provenance_text(const CommonOptions& options, const Fingerprint& fingerprint = {},
                            const Backend* backend = nullptr, const Versions& further = {});

/// The command that made an output folder, or "" if it does not say.
std::string recorded_command(const std::filesystem::path& folder);

}  // namespace cdt
