#include "apps/common/name_list.h"

#include <set>
#include <string_view>

#include "apps/common/spelling.h"
#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {

std::vector<std::string> names_of_list(const std::string& option, const std::string& list,
                                       const std::vector<std::string>& known) {
  std::set<std::string> wanted;
  for (const std::string_view name : split(list, ',')) wanted.emplace(name);
  if (list.empty()) wanted.clear();
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
