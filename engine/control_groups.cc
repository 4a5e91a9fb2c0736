#include "engine/control_groups.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

namespace cdt {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSpaces = " \t\r\n";

/// A line of /proc/self/mountinfo: a file system of groups, or a part of one, and where it is.
struct Mount {
  std::string part;  // the group that the mount point shows
  fs::path point;
  bool unified = false;
};

/// A group of this process, from /proc/self/cgroup.
struct Membership {
  std::string path;
  bool unified = false;
};

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), {}};
}

bool lists_memory(const std::string& names) {
  return ("," + names + ",").find(",memory,") != std::string::npos;
}

/// Replaces \040 and the like, by which mountinfo writes spaces, tabs, newlines and backslashes.
std::string unescaped(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    int code = 0;
    const char* const digits = text.data() + i + 1;
    const bool escape = text[i] == '\\' && i + 3 < text.size() &&
                        std::from_chars(digits, digits + 3, code, 8).ptr == digits + 3;
    out += escape ? static_cast<char>(code) : text[i];
    if (escape) i += 3;
  }
  return out;
}

/// "ID PARENT DEVICE PART POINT OPTIONS ... - TYPE SOURCE SUPER_OPTIONS"
std::vector<Mount> mounts_of_groups(const fs::path& root) {
  std::ifstream file(below(root, "/proc/self/mountinfo"));
  std::vector<Mount> out;
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> words = words_of(line);
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (dash - words.begin() < 6 || words.end() - dash < 4) continue;
    const bool unified = dash[1] == "cgroup2";
    if (!unified && !(dash[1] == "cgroup" && lists_memory(dash[3]))) continue;
    out.push_back({unescaped(words[3]), unescaped(words[4]), unified});
  }
  return out;
}

/// "HIERARCHY:CONTROLLERS:PATH", in version 2 "0::PATH"
std::vector<Membership> memberships(const fs::path& root) {
  std::ifstream file(below(root, "/proc/self/cgroup"));
  std::vector<Membership> out;
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string names = line.substr(first + 1, second - first - 1);
    if (!names.empty() && !lists_memory(names)) continue;
    out.push_back({line.substr(second + 1), names.empty()});
  }
  return out;
}

std::vector<fs::path> steps_of(const fs::path& path) {
  const fs::path relative = path.relative_path();
  return {relative.begin(), relative.end()};
}

/// How many steps at the front are "..".
std::ptrdiff_t steps_up(const std::vector<fs::path>& steps) {
  return std::find_if(steps.begin(), steps.end(), [](const fs::path& s) { return s != ".."; }) -
         steps.begin();
}

/// The steps from the group `part`, which a mount shows, down to `group`; nothing if it is not
/// there. Within a namespace paths begin at its root and "/.." is the group above: a mount of that
/// one bounds the process too, but the way from there down to the root has no names.
std::optional<std::vector<fs::path>> way_down(const fs::path& part, const fs::path& group) {
  const std::vector<fs::path> from = steps_of(part), to = steps_of(group);
  const auto [end, rest] = std::mismatch(from.begin(), from.end(), to.begin(), to.end());
  std::vector<fs::path> down(rest, to.end());
  if (end == from.end() && steps_up(down) == 0) return down;
  const bool is_above = steps_up(from) == std::ssize(from) && steps_up(to) < std::ssize(from);
  return is_above ? std::optional(std::vector<fs::path>{}) : std::nullopt;
}

/// Whether what the children of a group use counts in the group; only version 1 lets one choose.
bool counts_children(const fs::path& root, const ControlGroup& group) {
  return group.unified ||
         number_of_file(below(root, group.folder / "memory.use_hierarchy")).value_or(1) != 0;
}

void add_groups(const fs::path& root, const Mount& mount, const std::vector<fs::path>& down,
                std::vector<ControlGroup>* out) {
  std::vector<ControlGroup> chain = {{mount.point, mount.unified}};
  for (const fs::path& step : down) chain.push_back({chain.back().folder / step, mount.unified});
  std::reverse(chain.begin(), chain.end());
  for (const ControlGroup& group : chain) {
    if (group.folder != chain.front().folder && !counts_children(root, group)) return;
    out->push_back(group);
  }
}

}  // namespace

fs::path below(const fs::path& root, const fs::path& path) { return root / path.relative_path(); }

std::optional<std::uint64_t> number_of_file(const fs::path& file) {
  std::ifstream stream(file);
  std::string text;
  std::getline(stream, text, '\0');
  const std::size_t begin = text.find_first_not_of(kSpaces);
  if (begin == std::string::npos) return std::nullopt;
  text = text.substr(begin, text.find_last_not_of(kSpaces) + 1 - begin);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> number_after(const fs::path& file, std::string_view key) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    if (line.rfind(key, 0) != 0) continue;
    const char* const begin =
        line.data() + std::min(line.find_first_not_of(kSpaces, key.size()), line.size());
    std::uint64_t number = 0;
    if (std::from_chars(begin, line.data() + line.size(), number).ec == std::errc()) return number;
  }
  return std::nullopt;
}

std::vector<ControlGroup> memory_groups(const fs::path& root) {
  const std::vector<Mount> mounts = mounts_of_groups(root);
  std::vector<ControlGroup> out;
  for (const Membership& member : memberships(root)) {
    for (const Mount& mount : mounts) {
      if (mount.unified != member.unified) continue;
      const std::optional<std::vector<fs::path>> down = way_down(mount.part, member.path);
      if (!down) continue;
      add_groups(root, mount, *down, &out);
      break;  // other mounts show the same groups
    }
  }
  return out;
}

GroupMemory read_group(const fs::path& root, const ControlGroup& group) {
  const auto number = [&](const char* name) {
    return number_of_file(below(root, group.folder / name));
  };
  const auto droppable = [&](const char* name) {
    return number_after(below(root, group.folder / "memory.stat"), name).value_or(0);
  };
  GroupMemory out;
  if (group.unified) {
    out.limit = number("memory.max");
    out.high = number("memory.high");
    out.swap = number("memory.swap.max");
    out.used = number("memory.current");
    out.droppable = droppable("active_file ") + droppable("inactive_file ");
  } else {
    out.limit = number("memory.limit_in_bytes");
    out.with_swap = number("memory.memsw.limit_in_bytes");
    out.used = number("memory.usage_in_bytes");
    out.droppable = droppable("total_active_file ") + droppable("total_inactive_file ");
  }
  return out;
}

}  // namespace cdt
