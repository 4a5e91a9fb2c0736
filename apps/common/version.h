// What `--version` prints.
#pragma once

#include <string>
#include <string_view>

namespace cdt {

/// "0.1.0", or "0.1.0 (git 0123456789ab)" when built from a git checkout.
std::string version();

/// "cdt-train 0.1.0 (git ...)\ndevices: cpu\n"
std::string version_text(std::string_view program);

}  // namespace cdt
