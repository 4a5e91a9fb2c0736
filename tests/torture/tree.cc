#include "tests/torture/tree.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace cdt::test {
namespace {

namespace fs = std::filesystem;

/// metrics.jsonl without the end of each line: "seconds" and what follows.
std::string without_times(const std::string& lines) {
  std::string out;
  std::size_t at = 0;
  while (at < lines.size()) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    const std::string line = lines.substr(at, end - at);
    out += line.substr(0, line.find(",\"seconds\":")) + "\n";
    at = end + 1;
  }
  return out;
}

bool is_unfinished(const std::string& name) { return name.find(".cdt-") != std::string::npos; }

}  // namespace

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Tree read_tree(const fs::path& folder) {
  Tree out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().lexically_relative(folder).string();
    if (entry.is_symlink() && !entry.is_regular_file()) {
      out[name] = {Node::Type::kLink, fs::read_symlink(entry.path()).string()};
    } else if (entry.is_directory()) {
      out[name] = {Node::Type::kFolder, ""};
    } else {
      out[name] = {Node::Type::kFile, bytes_of(entry.path())};
    }
  }
  return out;
}

void write_tree(const fs::path& folder, const Tree& tree) {
  fs::remove_all(folder);
  fs::create_directories(folder);
  for (const auto& [name, node] : tree) {
    const fs::path path = folder / name;
    if (node.type == Node::Type::kFolder) {
      fs::create_directory(path);
    } else if (node.type == Node::Type::kLink) {
      fs::create_symlink(node.content, path);
    } else if (!(std::ofstream(path, std::ios::binary) << node.content).flush()) {
      throw std::runtime_error(path.string() + ": cannot be written");
    }
  }
}

Tree comparable(const Tree& tree) {
  Tree out;
  for (const auto& [name, node] : tree) {
    const std::string file = fs::path(name).filename().string();
    if (file == "lock") continue;
    out[name] = node;
    if (file == "metrics.jsonl") out[name].content = without_times(node.content);
  }
  return out;
}

std::string difference(const Tree& expected, const Tree& got) {
  for (const auto& [name, node] : expected) {
    const auto found = got.find(name);
    if (found == got.end()) return name + " is missing";
    if (found->second == node) continue;
    return name + " differs (" + std::to_string(node.content.size()) + " bytes expected, " +
           std::to_string(found->second.content.size()) + " there)";
  }
  for (const auto& [name, node] : got) {
    if (!expected.contains(name)) return name + " is not expected";
  }
  return "";
}

Tree without_remains(const Tree& tree) {
  Tree out;
  for (const auto& [name, node] : tree) {
    const fs::path path(name);
    const bool beside_last = std::any_of(path.begin(), path.end(), [](const fs::path& part) {
      return part.string().starts_with("last.") || part == "previous";
    });
    if (!beside_last && !is_unfinished(name)) out[name] = node;
  }
  return out;
}

std::string remains(const Tree& tree) {
  std::string out;
  for (const auto& [name, node] : tree) {
    if (is_unfinished(name)) out += (out.empty() ? "" : " ") + name;
  }
  return out;
}

}  // namespace cdt::test
