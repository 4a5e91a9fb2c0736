// torture SUBJECT FORM SEED PROGRAMS FOLDER: one subject of the torture (subjects.h), in the form
// "short" or "full", on the programs in a folder; works in FOLDER, which it empties. Prints
// failures and, last, the counts of its checks; FOLDER.tsv gets what each kind of try ended in.
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>

#include "tests/torture/programs.h"
#include "tests/torture/subjects.h"

namespace cdt::test {
namespace {

struct Subject {
  const char* name;
  void (*test)(Suite&);
};

constexpr Subject kSubjects[] = {{"faults", test_faults},     {"kills", test_kills},
                                 {"power", test_power},       {"inputs", test_inputs},
                                 {"together", test_together}, {"clock", test_clock}};

int torture(const std::string& name, Suite& suite) {
  for (const Subject& subject : kSubjects) {
    if (name != subject.name) continue;
    const std::string reason = why_not_traced(suite.folder());
    if (reason.empty()) {
      make_inputs(suite);
      subject.test(suite);
    } else {
      suite.skip(name, reason);
    }
    return suite.finish();
  }
  std::cerr << "torture: there is no subject " << name << "\n";
  return 2;
}

}  // namespace
}  // namespace cdt::test

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() != 5 || (words[1] != "short" && words[1] != "full")) {
    std::cerr << "usage: torture SUBJECT short|full SEED PROGRAMS FOLDER\n";
    return 2;
  }
  try {
    const fs::path folder = fs::absolute(words[4]).lexically_normal();
    fs::remove_all(folder);
    fs::create_directories(folder);
    cdt::test::Suite suite(fs::absolute(words[3]), folder, words[1] == "full",
                           std::stoull(words[2]));
    const int status = cdt::test::torture(words[0], suite);
    fs::remove_all(folder);
    return status;
  } catch (const std::exception& error) {
    std::cout << "FAILED: " << words[0] << ": " << error.what()
              << "\n0 passed, 1 failed, 0 skipped\n";
    return 1;
  }
}
