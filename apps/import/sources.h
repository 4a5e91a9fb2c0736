// The files that an import reads: which option names which, and a check that no file is given for
// two options.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "apps/common/output_folder.h"

namespace cdt {

struct Source {
  std::string role;  // the option without its dashes
  std::filesystem::path path;
  std::string kind;  // files of one kind must differ in content
  std::string part;  // which array of the file; "": all of it
};

/// Drops the sources that were not given.
std::vector<Source> given(std::vector<Source> sources);

/// Throws InputError naming the option whose file is also that of another option: the same file
/// under any name (and the same part), or among files of one kind a file with the same bytes.
void refuse_same_files(const std::vector<Source>& sources);

Inputs inputs_of(const CommonOptions& common, const std::vector<Source>& sources);

/// {role: {"file", "array" if only a part is read, "bytes"}}
nlohmann::ordered_json provenance_of(const std::vector<Source>& sources);

}  // namespace cdt
