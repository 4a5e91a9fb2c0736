// The content of a folder, to be compared and restored.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace cdt::test {

struct Node {
  enum class Type : std::uint8_t { kFile, kFolder, kLink };
  Type type = Type::kFile;
  std::string content;  // of a link: where it leads
  bool operator==(const Node&) const = default;
};

/// By path relative to the folder, which is not itself part of it.
using Tree = std::map<std::string, Node>;

/// Links to files count as files: cdt-split links to its input, in one way or the other.
Tree read_tree(const std::filesystem::path& folder);
/// Makes the folder hold exactly this tree.
void write_tree(const std::filesystem::path& folder, const Tree& tree);

/// What a user compares: without locks, and without the fields of metrics.jsonl that depend on the
/// clock and the machine.
Tree comparable(const Tree& tree);

/// The first difference as one line; empty if there is none.
std::string difference(const Tree& expected, const Tree& got);

/// The tree without temporaries, marks of unfinished work, and states that a run keeps beside
/// last/.
Tree without_remains(const Tree& tree);
/// Names of temporaries and marks, separated by spaces; empty if there are none.
std::string remains(const Tree& tree);

std::string bytes_of(const std::filesystem::path& file);

}  // namespace cdt::test
