// Small zip archives read whole (PKWARE APPNOTE 6.3): stored or deflated members.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>

namespace cdt {

/// Members by name, unpacked, their CRC checked. `limit_bytes` bounds the unpacked size of all of
/// them together and is checked before anything is allocated. InputError names the file and
/// "archive" or the member: damage, encryption, zip64, other methods, a name that stands twice.
std::map<std::string, std::string> read_zip(const std::filesystem::path& path,
                                            std::size_t limit_bytes);

}  // namespace cdt
