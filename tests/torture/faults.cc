// Each program with each fault at its first, second, third ... call, until it completes.
#include "tests/torture/fault.h"
#include "tests/torture/programs.h"
#include "tests/torture/subjects.h"
#include "tests/torture/train_case.h"

namespace cdt::test {
namespace {

constexpr std::int64_t kFew = 2;  // calls per program and fault in the short form

/// What `program` left after a fault: the old output, the new one, or none with a mark that says
/// so.
std::string left(const Program& program, const Tree& tree) {
  if (difference(program.before, tree).empty()) return "kept the old output";
  if (difference(program.after, tree).empty()) return "had the new output in place";
  return "left no output";
}

/// Runs the program as a user would after a failure; empty if it then does its work.
std::string cannot_go_on(const Suite& suite, const Program& program) {
  const Ended again = run(suite.command(program.words));
  if (again.code != 0) return "the next run fails: " + again.err;
  const Tree tree = read_tree(out(suite));
  if (!remains(tree).empty()) return "after the next run there remains " + remains(tree);
  const std::string wrong = difference(program.after, tree);
  return wrong.empty() ? "" : "after the next run " + wrong;
}

/// Checks a run that met the fault; empty if all is well. *ended: what it came to.
std::string wrong_after(const Suite& suite, const Program& program, const Fault& fault,
                        const Struck& struck, std::string* ended) {
  const Tree tree = read_tree(out(suite));
  if (struck.ended.code == 0) {
    *ended = "completed";
    const std::string wrong = difference(program.after, tree);
    // A temporary or mark that could not be removed is left to the next run.
    const bool only_remains = fault.kinds.contains(Kind::kRemove) &&
                              difference(program.after, without_remains(tree)).empty();
    if (!wrong.empty() && !only_remains) return "exit status 0, but " + wrong;
    if (struck.ended.out != program.printed) return "exit status 0, but other standard output";
    if (!error_lines(struck.ended.err).empty()) return "exit status 0, but " + struck.ended.err;
    return wrong.empty() ? "" : cannot_go_on(suite, program);
  }
  *ended = left(program, tree);
  std::string wrong = wrong_failure(struck.ended, program.name, struck.names);
  if (wrong.empty() && fault.harmless) wrong = "it gave up: " + struck.ended.err;
  if (wrong.empty()) wrong = torn(program, tree);
  if (wrong.empty() && !fault.kinds.contains(Kind::kRemove) &&
      remains(tree).find("cdt-tmp") != std::string::npos) {
    wrong = "there remains " + remains(tree);
  }
  if (wrong.empty() && *ended != "kept the old output") wrong = cannot_go_on(suite, program);
  return wrong;
}

void strike(Suite& suite, const Program& program, const Fault& fault) {
  const auto look = [&](std::int64_t n, const Struck& struck) {
    std::string ended;
    const std::string wrong = wrong_after(suite, program, fault, struck, &ended);
    suite.check(wrong.empty(),
                program.label + ": " + fault.name + ": " + place(struck, n) + ": " + wrong);
    suite.count("fault\t" + program.label + "\t" + fault.name, ended);
  };
  strike_each_call(suite, program.words, program.before, fault, kFew, look);
}

/// As strike(), for cdt-train, which keeps what was saved: what follows is --resume.
void strike_training(Suite& suite, const TrainCase& train, const Fault& fault) {
  const auto look = [&](std::int64_t n, const Struck& struck) {
    std::string wrong, ended = "completed";
    if (struck.ended.code == 0) {
      wrong = train.wrong_result(read_tree(out(suite)));
    } else {
      wrong = wrong_failure(struck.ended, "train", struck.names);
      if (wrong.empty() && fault.harmless) wrong = "it gave up: " + struck.ended.err;
      const Finished finished = train.finish(suite);
      if (wrong.empty()) wrong = finished.wrong;
      ended = finished.from;
    }
    suite.check(wrong.empty(),
                train.label + ": " + fault.name + ": " + place(struck, n) + ": " + wrong);
    suite.count("fault\t" + train.label + "\t" + fault.name, ended);
  };
  strike_each_call(suite, train.words, train.before, fault, kFew, look);
}

}  // namespace

void test_faults(Suite& suite) {
  const std::vector<TrainCase> trainings = train_cases(suite);
  for (const Program& program : programs(suite)) {
    for (const Fault& fault : faults()) strike(suite, program, fault);
  }
  for (const TrainCase& train : trainings) {
    for (const Fault& fault : faults()) strike_training(suite, train, fault);
  }
}

}  // namespace cdt::test
