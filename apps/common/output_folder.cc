#include "apps/common/output_folder.h"

#include <system_error>
#include <utility>

#include "io/atomic_file.h"

namespace cdt {
namespace {

bool is_there(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

}  // namespace

OutputFolder::OutputFolder(std::filesystem::path directory)
    : path_(std::move(directory)), existed_(is_there(path_)) {
  create_output_directory(path_);
}

OutputFolder::~OutputFolder() {
  std::error_code not_empty;
  if (!existed_) std::filesystem::remove(path_, not_empty);
}

}  // namespace cdt
