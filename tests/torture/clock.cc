// A clock that is set back again and again while a program runs changes no result, and no time that
// it states is negative.
#include <cstdlib>
#include <regex>

#include "tests/torture/programs.h"
#include "tests/torture/subjects.h"
#include "tests/torture/train_case.h"

namespace cdt::test {
namespace {

/// The suite's command with the library of clock_back.cc, which is beside this program.
Command set_back(const Suite& suite, const Words& words) {
  Command command = suite.command(words);
  command.environment = {
      {"LD_PRELOAD",
       std::filesystem::read_symlink("/proc/self/exe").parent_path() / "libclockback.so"}};
  return command;
}

/// A negative number of seconds, time left, or rate in what a program prints.
std::string negative_time(const std::string& text) {
  static const std::regex pattern(
      R"x((took|left) -|-[0-9.e+]+/s|-[0-9]+:[0-9]+|"(seconds|samples_per_second)":-)x");
  std::smatch found;
  return std::regex_search(text, found, pattern) ? found.str() : "";
}

}  // namespace

void test_clock(Suite& suite) {
  // The library has to work for the rest to mean anything.
  const auto second = [](const Ended& ended) { return std::atoll(ended.out.c_str()); };
  const Words date{"/bin/date", "+%s"};
  suite.check(second(run(set_back(suite, date))) < second(run(suite.command(date))) - 500,
              "clock: it is not set back");

  for (const TrainCase& train : train_cases(suite)) {
    write_tree(out(suite), train.before);
    const Ended ended = run(set_back(suite, without_quiet(train.words)));
    const Tree tree = read_tree(out(suite));
    std::string wrong = ended.code != 0 ? ended.err : train.wrong_result(tree);
    if (wrong.empty()) wrong = negative_time(ended.err + ended.out);
    if (wrong.empty()) wrong = negative_time(tree.at("run/metrics.jsonl").content);
    suite.check(wrong.empty(), train.label + ": clock set back: " + wrong);
    suite.count("clock\t" + train.label + "\tset back at each look",
                wrong.empty() ? "same bits, no negative time" : "wrong");
  }
  for (const Program& program : programs(suite)) {
    const Words words = without_quiet(program.words);
    write_tree(out(suite), program.before);
    const Ended plain = must_run(suite, words);
    const Tree expected = read_tree(out(suite));
    write_tree(out(suite), program.before);
    const Ended ended = run(set_back(suite, words));
    std::string wrong = ended.code != 0 ? ended.err : negative_time(ended.err + ended.out);
    if (wrong.empty()) wrong = difference(expected, read_tree(out(suite)));
    if (wrong.empty() && ended.out != plain.out) wrong = "other standard output";
    suite.check(wrong.empty(), program.label + ": clock set back: " + wrong);
    suite.count("clock\t" + program.label + "\tset back at each look",
                wrong.empty() ? "same bytes, no negative time" : "wrong");
  }
}

}  // namespace cdt::test
