#include "io/format/hdf5/file.h"

#include <sys/resource.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "engine/error.h"
#include "io/format/file.h"
#include "io/format/hdf5/reason.h"
#include "io/format/hdf5/sandbox.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::string_view kSignature("\x89HDF\r\n\x1a\n", 8);

/// Refuses what is not HDF5, naming what it is, before the library sees a byte of it.
void require_signature(const std::filesystem::path& path) {
  const InputFile file(path);
  if (file.head(kSignature.size()) == kSignature) return;
  // After a user block of 512 bytes, or of twice, four times ... that many.
  for (std::size_t at = 512; at + kSignature.size() <= file.size(); at *= 2) {
    std::array<char, kSignature.size()> bytes{};
    file.read(at, bytes.data(), bytes.size());
    if (std::string_view(bytes.data(), bytes.size()) == kSignature) return;
  }
  refuse_foreign(path, file.head(kHeadBytes));
  throw InputError(path.string(), "file", "is not an HDF5 file");
}

/// While it lives, the process can open no further file: opening a virtual data set would
/// otherwise open its source files before it can be recognised and refused.
class NoFurtherFiles {
 public:
  NoFurtherFiles() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none = {0, before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoFurtherFiles() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoFurtherFiles(const NoFurtherFiles&) = delete;
  NoFurtherFiles& operator=(const NoFurtherFiles&) = delete;

 private:
  rlimit before_ = {};
};

const char* link_kind(H5L_type_t type) {
  if (type == H5L_TYPE_SOFT) return "a soft link";
  if (type == H5L_TYPE_EXTERNAL) return "an external link";
  return "a user-defined link";
}

herr_t take_innermost(unsigned /*position*/, const H5E_error2_t* entry, void* out) {
  if (entry->desc != nullptr) *static_cast<std::string*>(out) = entry->desc;
  return 1;  // the first one only
}

}  // namespace

std::string hdf5_reason() {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_innermost, &reason);
  H5Eclear2(H5E_DEFAULT);
  return reason.empty() ? "no reason given" : reason;
}

void harden_hdf5() {
  H5open();
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0);
  H5Lunregister(H5L_TYPE_EXTERNAL);
}

Hdf5File::Hdf5File(const std::filesystem::path& path) : name_(path.string()) {
  sandbox_step(path);
  require_signature(path);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fapl_sec2(access.get());
  H5Pset_file_locking(access.get(), false, true);
  H5Pset_fclose_degree(access.get(), H5F_CLOSE_WEAK);
  file_ = Hdf5Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose);
  if (!file_.valid()) throw InputError(name_, "HDF5", "cannot be opened (" + hdf5_reason() + ")");
}

bool Hdf5File::has(const std::string& dataset) const {
  return H5Lexists(file_.get(), dataset.c_str(), H5P_DEFAULT) > 0;
}

Hdf5Dataset Hdf5File::dataset(const std::string& name) const {
  sandbox_step(name_);
  H5L_info_t link;
  if (!has(name)) throw InputError(name_, name, "data set is missing");
  if (H5Lget_info(file_.get(), name.c_str(), &link, H5P_DEFAULT) < 0) {
    throw InputError(name_, name, "cannot be looked up (" + hdf5_reason() + ")");
  }
  if (link.type != H5L_TYPE_HARD) {
    throw InputError(name_, name,
                     std::string("is ") + link_kind(link.type) + ", which is not followed");
  }
  const NoFurtherFiles guard;
  return {file_, name_, name};
}

}  // namespace cdt
