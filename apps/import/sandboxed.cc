#include "apps/import/sandboxed.h"

#include <system_error>

#include "apps/common/output_kind.h"
#include "apps/common/program.h"
#include "engine/error.h"
#include "io/format/hdf5/hdf5.h"
#include "io/format/hdf5/sandbox.h"
#include "io/format/output.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

/// Removes what a dead child had begun: its temporaries, and files it had already renamed.
void remove_torn(const fs::path& folder) {
  sweep_temporaries(folder);
  if (has_sign(folder, kDataSetOutput)) return;  // complete: this data set or an older one
  std::error_code ignored;
  for (const fs::path& file : existing_files(folder, kDataSetOutput)) fs::remove(file, ignored);
}

}  // namespace

Versions hdf5_version() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  if (H5get_libversion(&major, &minor, &release) < 0) return {};
  return {{"HDF5",
           std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(release)}};
}

int import_sandboxed(const fs::path& out, const fs::path& /*file*/,
                     const std::function<void()>& import) {
  const auto body = [&import](int, char**) {
    harden_hdf5();
    import();
    return kExitDone;
  };
  try {
    const int code = run_sandboxed([&body] { return run_main("cdt-import", 0, nullptr, body); });
    if (code != kExitDone) remove_torn(out);
    return code;
  } catch (const Error&) {
    remove_torn(out);
    throw;
  }
}

}  // namespace cdt
