#include "io/format/hdf5/rows.h"

#include <algorithm>
#include <utility>

#include "engine/error.h"
#include "io/format/hdf5/proxy.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::int64_t kMaxValues = std::int64_t{1} << 26;  // of one row

class Hdf5Rows : public FloatRows {
 public:
  Hdf5Rows(Hdf5FileProxy file, const std::string& name, const FloatRowsOptions& options)
      : FloatRows(file.name(), name),
        file_(std::move(file)),
        set_(options.void_is_bfloat16 ? file_.dataset_of_bfloat16(name) : file_.dataset(name)) {
    if (set_.float_type().empty()) fail("holds no floats (expected float16, float32 or float64)");
    set_type(set_.float_type(), set_.is_untyped());
    set_shape(set_.shape());
    if (row_values() > kMaxValues) fail("one row is larger than 256 MiB");
  }

 private:
  void read_values(std::int64_t row, float* out) override { set_.read_row(row, out); }

  Hdf5FileProxy file_;
  Hdf5DatasetProxy set_;
};

}  // namespace

std::unique_ptr<FloatRows> open_hdf5_rows(const std::filesystem::path& path,
                                          const std::string& name,
                                          const FloatRowsOptions& options) {
  Hdf5FileProxy file(path);
  std::string chosen = name.substr(std::min(name.find_first_not_of('/'), name.size()));
  if (!chosen.empty() && file.has(chosen)) {
    return std::make_unique<Hdf5Rows>(std::move(file), chosen, options);
  }
  const std::vector<std::string> names = file.dataset_names();
  if (names.empty()) throw InputError(file.name(), "HDF5", "holds no data set");
  if (!chosen.empty()) {
    throw InputError(file.name(), chosen, "is missing; the file has " + named(names, "data set"));
  }
  if (names.size() > 1) {
    throw InputError(file.name(), "data sets",
                     "name one as FILE:NAME; the file has " + named(names, "data set"));
  }
  return std::make_unique<Hdf5Rows>(std::move(file), names.front(), options);
}

}  // namespace cdt
