// The control groups (cgroups, version 1 or 2) that limit the memory of this process: its own and
// all above it, as far as they are mounted where the process can see them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace cdt {

/// The folder of a group.
struct ControlGroup {
  std::filesystem::path folder;  // as the process sees it, without the `root` of a test
  bool unified = false;          // version 2
};

/// Returns the groups of this process that have a controller for memory, its own first. root: where
/// the system's files are. A group of which neither the folder nor that of one above it is mounted
/// is left out.
std::vector<ControlGroup> memory_groups(const std::filesystem::path& root);

/// What the files of a group say, in bytes; nothing where there is no limit or no number.
struct GroupMemory {
  std::optional<std::uint64_t> limit;      // memory.max, or memory.limit_in_bytes
  std::optional<std::uint64_t> high;       // memory.high: above it processes are slowed down
  std::optional<std::uint64_t> swap;       // memory.swap.max: beyond `limit`
  std::optional<std::uint64_t> with_swap;  // memory.memsw.limit_in_bytes: includes `limit`
  std::optional<std::uint64_t> used;       // by all processes of the group
  std::uint64_t droppable = 0;             // of `used`: copies of files
};
GroupMemory read_group(const std::filesystem::path& root, const ControlGroup& group);

// Reading the system's files, none of which throws.
/// The path below `root`.
std::filesystem::path below(const std::filesystem::path& root, const std::filesystem::path& path);
/// The number that is all of a file but spaces around it; nothing for "max", a sign or a number of
/// more than 64 bits.
std::optional<std::uint64_t> number_of_file(const std::filesystem::path& file);
/// The number after `key` and spaces, in the first line that begins so.
std::optional<std::uint64_t> number_after(const std::filesystem::path& file, std::string_view key);

}  // namespace cdt
