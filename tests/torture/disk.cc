#include "tests/torture/disk.h"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace cdt::test {
namespace {

constexpr int kGone = -1;
constexpr std::size_t kAllSubsets = 5;

}  // namespace

Disk::Disk(std::string folder) : folder_(std::move(folder)) {
  all_.push_back({Node::Type::kFolder, "", ""});
}

std::pair<int, std::string> Disk::place(const std::string& path) const {
  if (!path.starts_with(folder_ + "/")) throw std::runtime_error(path + ": is not in " + folder_);
  int folder = 0;
  std::size_t at = folder_.size() + 1;
  for (std::size_t end = path.find('/', at); end != std::string::npos; end = path.find('/', at)) {
    folder = names_.at({folder, path.substr(at, end - at)});
    at = end + 1;
  }
  return {folder, path.substr(at)};
}

int Disk::file_at(const std::string& path) const {
  return path == folder_ ? 0 : names_.at(place(path));
}

bool Disk::has(const std::string& path) const { return names_.contains(place(path)); }

void Disk::change(std::vector<Edit> edits) {
  for (const Edit& edit : edits) {
    if (edit.file == kGone) {
      names_.erase({edit.folder, edit.name});
    } else {
      names_[{edit.folder, edit.name}] = edit.file;
    }
  }
  changes_.push_back({std::move(edits), false});
}

void Disk::made(const std::string& path, Node::Type type, std::uint64_t inode,
                const std::string& content) {
  const int file = static_cast<int>(all_.size());
  // The content of a link is on the disk with its name.
  all_.push_back({type, content, type == Node::Type::kLink ? content : ""});
  files_[inode] = path == folder_ ? 0 : file;
  if (path == folder_) return;
  const auto [folder, name] = place(path);
  change({{folder, name, file}});
}

void Disk::wrote(std::uint64_t inode, std::uint64_t offset, const std::string& bytes) {
  std::string& content = all_[static_cast<std::size_t>(files_.at(inode))].content;
  if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size(), '\0');
  content.replace(offset, bytes.size(), bytes);
}

void Disk::resized(std::uint64_t inode, std::uint64_t size) {
  all_[static_cast<std::size_t>(files_.at(inode))].content.resize(size, '\0');
}

void Disk::flushed(std::uint64_t inode) {
  const int file = files_.at(inode);
  File& flushed = all_[static_cast<std::size_t>(file)];
  flushed.safe = flushed.content;
  // A folder: the changes of its names. One of two folders is safe when either is flushed, because
  // file systems write a rename as a whole.
  for (Change& change : changes_) {
    const auto here = [&](const Edit& edit) { return edit.folder == file; };
    if (std::any_of(change.edits.begin(), change.edits.end(), here)) change.safe = true;
  }
}

void Disk::linked(std::uint64_t inode, const std::string& to) {
  const auto [folder, name] = place(to);
  change({{folder, name, files_.at(inode)}});
}

void Disk::moved(const std::string& from, const std::string& to) {
  const int file = file_at(from);
  const auto [source, old_name] = place(from);
  const auto [target, new_name] = place(to);
  if (has(to) && file_at(to) == file) return;  // two names of one file: rename() does nothing
  change({{source, old_name, kGone}, {target, new_name, file}});
}

void Disk::exchanged(const std::string& a, const std::string& b) {
  const int at_a = file_at(a), at_b = file_at(b);
  const auto [folder_a, name_a] = place(a);
  const auto [folder_b, name_b] = place(b);
  change({{folder_a, name_a, at_b}, {folder_b, name_b, at_a}});
}

void Disk::removed(const std::string& path) {
  const auto [folder, name] = place(path);
  change({{folder, name, kGone}});
}

std::string Disk::content(int file, Lost lost) const {
  const File& of = all_[static_cast<std::size_t>(file)];
  if (lost == Lost::kNone || of.content == of.safe) return of.content;
  if (lost == Lost::kAll) return of.safe;
  std::string out = of.content;
  const auto differ = std::mismatch(of.safe.begin(), of.safe.end(), out.begin(), out.end());
  const auto first = static_cast<std::size_t>(differ.second - out.begin());
  if (lost == Lost::kHalf) return out.substr(0, first + (out.size() - first) / 2);
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(first), out.end(), '\0');
  return out;
}

Tree Disk::tree(const std::vector<bool>& kept, Lost lost, int only) const {
  Names names;
  std::size_t pending = 0;
  for (const Change& change : changes_) {
    if (!change.safe && !kept[pending++]) continue;
    for (const Edit& edit : change.edits) {
      if (edit.file == kGone) {
        names.erase({edit.folder, edit.name});
      } else {
        names[{edit.folder, edit.name}] = edit.file;
      }
    }
  }
  Tree out;
  const std::function<void(int, const std::string&)> walk = [&](int folder,
                                                                const std::string& prefix) {
    for (auto at = names.lower_bound({folder, ""}); at != names.end() && at->first.first == folder;
         ++at) {
      const int file = at->second;
      const std::string path = prefix + at->first.second;
      const Node::Type type = all_[static_cast<std::size_t>(file)].type;
      const bool whole = only != kGone && only != file;
      out[path] = {type,
                   type == Node::Type::kFolder ? "" : content(file, whole ? Lost::kNone : lost)};
      if (type == Node::Type::kFolder) walk(file, path + "/");
    }
  };
  walk(0, "");
  return out;
}

Tree Disk::now() const {
  const auto pending = std::count_if(changes_.begin(), changes_.end(),
                                     [](const Change& change) { return !change.safe; });
  return tree(std::vector<bool>(static_cast<std::size_t>(pending), true), Lost::kNone, kGone);
}

/// Which pending changes are on the disk.
std::vector<std::vector<bool>> Disk::choices() const {
  const auto n = static_cast<std::size_t>(std::count_if(
      changes_.begin(), changes_.end(), [](const Change& change) { return !change.safe; }));
  std::vector<std::vector<bool>> out;
  if (n <= kAllSubsets) {
    for (unsigned bits = 0; bits < 1U << n; ++bits) {
      std::vector<bool> kept(n);
      for (std::size_t i = 0; i < n; ++i) kept[i] = (bits >> i & 1U) != 0;
      out.push_back(kept);
    }
    return out;
  }
  for (std::size_t i = 0; i <= n; ++i) {
    std::vector<bool> first(n), last(n, true), all_but(n, true);
    std::fill_n(first.begin(), i, true);
    std::fill_n(last.begin(), i, false);
    if (i < n) all_but[i] = false;
    out.insert(out.end(), {first, last, all_but});
  }
  return out;
}

void Disk::states(const std::function<void(const Tree&)>& use) const {
  std::vector<int> open;  // files with data that is not safe
  for (const auto& [inode, file] : files_) {
    const File& each = all_[static_cast<std::size_t>(file)];
    if (each.type == Node::Type::kFile && each.content != each.safe) open.push_back(file);
  }
  for (const std::vector<bool>& kept : choices()) {
    for (const Lost lost : {Lost::kAll, Lost::kZeros, Lost::kHalf, Lost::kNone}) {
      use(tree(kept, lost, kGone));
    }
    if (open.size() < 2) continue;
    for (const int file : open) use(tree(kept, Lost::kAll, file));
  }
}

}  // namespace cdt::test
