#include "apps/common/name_list.h"

#include <algorithm>
#include <set>

#include "apps/common/spelling.h"
#include "engine/error.h"

namespace cdt {
namespace {

std::set<std::string> split(const std::string& list) {
  std::set<std::string> names;
  for (std::size_t begin = 0; begin <= list.size() && !list.empty();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    names.insert(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

}  // namespace

std::vector<std::string> names_of_list(const std::string& option, const std::string& list,
                                       const std::vector<std::string>& known) {
  std::set<std::string> wanted = split(list);
  if (wanted.erase("all") != 0) wanted.insert(known.begin(), known.end());
  std::vector<std::string> out;
  for (const std::string& name : known) {
    if (wanted.erase(name) != 0) out.push_back(name);
  }
  if (wanted.empty()) return out;
  std::string expected = "all";
  for (const std::string& name : known) expected += "|" + name;
  throw InputError(
      "command line", "--" + option,
      expected_got("no such name" + suggestion(*wanted.begin(), known), expected, *wanted.begin()));
}

}  // namespace cdt
