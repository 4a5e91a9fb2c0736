// The files that an import reads: which option names which, and that none is given in place of two.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
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

/// Without those that were not given.
std::vector<Source> given(std::vector<Source> sources);

/// InputError naming the option whose file is that of another option: the same file by any name
/// (and part), or among files of one kind one of the same bytes.
void refuse_same_files(const std::vector<Source>& sources);

Inputs inputs_of(const CommonOptions& common, const std::vector<Source>& sources);

/// {role: {"file", "array" if it is a part, "bytes"}}
nlohmann::ordered_json provenance_of(const std::vector<Source>& sources);

}  // namespace cdt
