#include "apps/attribute/methods.h"

#include <algorithm>
#include <array>
#include <set>

#include "apps/attribute/random_control.h"
#include "apps/common/spelling.h"
#include "engine/error.h"

namespace cdt {
namespace {

constexpr std::array kMethods{
    Method{"attention", false, "attention of the gene to the DNA bins, mean over heads",
           &PairWindows::attention, nullptr},
    Method{"gradient", false, "norm of the gradient of the prediction to the DNA bins",
           &PairWindows::gradient, nullptr},
    Method{"random", false, "control: independent uniform scores", nullptr, make_random_control},
};

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const Method& method : kMethods) names.emplace_back(method.name);
  return names;
}

std::set<std::string> names_in(const std::string& list) {
  std::set<std::string> names;
  for (std::size_t begin = 0; begin <= list.size() && !list.empty();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    names.insert(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

void expect_known(const std::set<std::string>& names) {
  const std::vector<std::string> known = method_names();
  for (const std::string& name : names) {
    if (name == "all" || std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string expected = "all";
    for (const std::string& k : known) expected += "|" + k;
    throw InputError("command line", "--methods",
                     expected_got("no such method" + suggestion(name, known), expected, name));
  }
}

}  // namespace

std::span<const Method> all_methods() { return kMethods; }

std::vector<const Method*> choose_methods(const std::string& list) {
  const std::set<std::string> names = names_in(list);
  expect_known(names);
  std::vector<const Method*> chosen;
  for (std::size_t i = 0; i < kMethods.size(); ++i) {
    const Method& method = kMethods[i];
    if (i < kDefaultMethods || names.count("all") != 0 || names.count(method.name) != 0) {
      chosen.push_back(&method);
    }
  }
  return chosen;
}

}  // namespace cdt
