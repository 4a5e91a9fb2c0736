// Opens HDF5 files and finds their data sets, without following links out of the file.
#include <utility>

#include "engine/error.h"
#include "io/format/hdf5/driver.h"
#include "io/format/hdf5/hdf5.h"

namespace cdt {
namespace {

const char* link_kind(H5L_type_t type) {
  if (type == H5L_TYPE_SOFT) return "a soft link";
  if (type == H5L_TYPE_EXTERNAL) return "an external link";
  return "a user-defined link";
}

/// Visitor that adds the name of a data set reached by a hard link; returning 1 ends the visit.
herr_t take_dataset(hid_t root, const char* name, const H5L_info_t* link, void* out) {
  if (link->type != H5L_TYPE_HARD) return 0;
  const Hdf5Handle object(H5Oopen(root, name, H5P_DEFAULT), H5Oclose);
  if (!object.valid() || H5Iget_type(object.get()) != H5I_DATASET) return 0;
  auto* names = static_cast<std::vector<std::string>*>(out);
  names->emplace_back(name);
  return names->size() < Hdf5File::kMaxNames ? 0 : 1;
}

}  // namespace

Hdf5File::Hdf5File(const std::shared_ptr<const InputFile>& file) : name_(file->path().string()) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  const Hdf5Handle access = descriptor_access(file);
  // An absolute name, which HDF5 does not complete with the working folder.
  file_ = Hdf5Handle(H5Fopen("/", H5F_ACC_RDONLY, access.get()), H5Fclose);
  if (!file_.valid()) throw InputError(name_, "HDF5", "cannot be opened (" + hdf5_reason() + ")");
}

bool Hdf5File::has(const std::string& dataset) const {
  return H5Lexists(file_.get(), dataset.c_str(), H5P_DEFAULT) > 0;
}

void Hdf5File::require_hard_links(const std::string& name) const {
  for (std::size_t end = 0; end != std::string::npos;) {
    end = name.find('/', end + 1);
    const std::string part = name.substr(0, end);
    H5L_info_t link;
    if (!has(part)) throw InputError(name_, name, "data set is missing");
    if (H5Lget_info(file_.get(), part.c_str(), &link, H5P_DEFAULT) < 0) {
      throw InputError(name_, name, "cannot be looked up (" + hdf5_reason() + ")");
    }
    if (link.type != H5L_TYPE_HARD) {
      throw InputError(name_, part,
                       std::string("is ") + link_kind(link.type) + ", which is not followed");
    }
  }
}

Hdf5Dataset Hdf5File::open(const std::string& name, bool void_is_bfloat16) const {
  require_hard_links(name);
  return {file_, name_, name, void_is_bfloat16};
}

std::vector<std::string> Hdf5File::dataset_names() const {
  std::vector<std::string> names;
  if (H5Lvisit(file_.get(), H5_INDEX_NAME, H5_ITER_INC, take_dataset, &names) < 0) {
    throw InputError(name_, "HDF5", "its data sets cannot be listed (" + hdf5_reason() + ")");
  }
  return names;
}

}  // namespace cdt
