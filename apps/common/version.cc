#include "apps/common/version.h"

#include "engine/backend.h"

// The Makefile defines it for this file only, so that a new commit recompiles nothing else.
#ifndef CDT_GIT_HASH
#define CDT_GIT_HASH ""
#endif

namespace cdt {

std::string version() {
  std::string text = "0.1.0";
  constexpr const char* kHash = CDT_GIT_HASH;
  if (*kHash != '\0') text.append(" (git ").append(kHash).append(")");
  return text;
}

std::string version_text(std::string_view program) {
  std::string text(program);
  text += " " + version() + "\ndevices: cpu";
  if (cuda_built()) text += ", cuda";
  return text + "\n";
}

}  // namespace cdt
