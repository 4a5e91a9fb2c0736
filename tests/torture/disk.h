// What a disk may hold after a power loss. Written data is safe once its file was flushed (fsync),
// a change of a folder (a name made, moved or removed) once that folder was. Anything else may be
// lost or not, independently:
//   - each pending change of a folder (all subsets of up to five; of more, the first and the last
//   N,
//     and all but one), so that a rename may be there without the data of its file;
//   - data that was not flushed: all of it lost, or zeros in its place, or its first half there, or
//     all there, or lost in one file only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/torture/tree.h"

namespace cdt::test {

class Disk {
 public:
  /// Begins with a folder that is wholly on the disk. `folder` is its path.
  explicit Disk(std::string folder);

  // What a program did, by path or by a file's number (inode).
  void made(const std::string& path, Node::Type type, std::uint64_t inode,
            const std::string& content = "");
  void wrote(std::uint64_t inode, std::uint64_t offset, const std::string& bytes);
  void resized(std::uint64_t inode, std::uint64_t size);
  void flushed(std::uint64_t inode);
  void linked(std::uint64_t inode, const std::string& to);
  void moved(const std::string& from, const std::string& to);
  void exchanged(const std::string& a, const std::string& b);
  void removed(const std::string& path);

  bool knows(std::uint64_t inode) const { return files_.contains(inode); }
  bool has(const std::string& path) const;
  /// Calls `use` with every state that a power loss now may leave.
  void states(const std::function<void(const Tree&)>& use) const;
  /// What programs see now.
  Tree now() const;

 private:
  struct File {
    Node::Type type;
    std::string content, safe;
  };
  /// One name of a folder; file -1: it is gone.
  struct Edit {
    int folder;
    std::string name;
    int file;
  };
  struct Change {
    std::vector<Edit> edits;
    bool safe;
  };
  enum class Lost : std::uint8_t { kAll, kZeros, kHalf, kNone };
  using Names = std::map<std::pair<int, std::string>, int>;

  std::pair<int, std::string> place(const std::string& path) const;
  int file_at(const std::string& path) const;
  void change(std::vector<Edit> edits);
  std::string content(int file, Lost lost) const;
  Tree tree(const std::vector<bool>& kept, Lost lost, int only) const;
  std::vector<std::vector<bool>> choices() const;

  std::string folder_;
  std::vector<File> all_;
  std::vector<Change> changes_;
  Names names_;                         // as programs see them
  std::map<std::uint64_t, int> files_;  // those that exist, by inode
};

}  // namespace cdt::test
