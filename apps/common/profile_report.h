// What --profile shows: time by op (engine/profiler.h), as a table and as JSON.
#pragma once

#include <filesystem>
#include <string>

#include "engine/backend.h"

namespace cdt {

/// A row for each op, forward and backward apart, then kernels outside the tape, the longest first;
/// the sums; how much of the program's time that is. `backend` keeps a profile.
std::string profile_table(Backend& backend);
/// The table's numbers as JSON; docs/formats.md describes the keys.
std::string profile_json(Backend& backend);

/// Where the backend keeps a profile, the table goes to standard output and the JSON to
/// FOLDER/profile.json; else a profile.json of an earlier run there is deleted.
void report_profile(Backend& backend, const std::filesystem::path& folder);

}  // namespace cdt
