// Digest of a file's content, to tell whether it is the one that was used before.
#pragma once

#include <filesystem>
#include <string>

namespace cdt {

/// Returns the digest (io/format/digest.h) of all bytes of the file; throws InputError naming it if
/// it cannot be read.
std::string digest_of_file(const std::filesystem::path& path);

}  // namespace cdt
