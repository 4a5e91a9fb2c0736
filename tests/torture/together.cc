// Several programs in one folder: one at each call of another that changes a file, and six started
// at once.
#include "tests/torture/fault.h"
#include "tests/torture/programs.h"
#include "tests/torture/subjects.h"
#include "tests/torture/train_case.h"

namespace cdt::test {
namespace {

constexpr std::int64_t kFew = 3;
constexpr int kAtOnce = 6, kRounds = 25, kFewRounds = 2;

const Words kRefusals{"another cdt-train is writing", "another program is writing",
                      "already holds a run", "already holds a", "there is no run to resume"};

/// A second process's files: those of the first are in use.
Command beside(const Suite& suite, const Words& words, int number) {
  Command command = suite.command(words);
  const std::string end = "." + std::to_string(number);
  command.out += end;
  command.err += end;
  return command;
}

/// Runs `second` to its end while `first` is stopped before its n-th call that changes a file.
/// Returns how many such calls there were.
std::int64_t run_within(const Suite& suite, const Words& first, const Words& second, std::int64_t n,
                        Ended* one, Ended* other) {
  std::int64_t calls = 0;
  const std::string folder = out(suite).string();
  const Tracer tracer{.enter = [&](const Call& call) {
    if (!changes_files(call.kind) || !call.path.starts_with(folder)) return Action{};
    if (++calls == n) *other = run(beside(suite, second, 1));
    return Action{};
  }};
  *one = run(suite.command(first), tracer);
  return calls;
}

/// Empty if a program did its work or was refused with one line.
std::string wrong_end(const Ended& ended, const std::string& program) {
  return ended.code == 0 ? "" : wrong_failure(ended, program, kRefusals);
}

struct Pair {
  std::string label, name;
  Words first, second;
  Tree before;
  std::function<std::string(const Tree&)> wrong_result;
};

void interleave(Suite& suite, const Pair& pair) {
  Ended one, other;
  write_tree(out(suite), pair.before);
  const std::int64_t calls = run_within(suite, pair.first, pair.second, 0, &one, &other);
  for (const std::int64_t n : suite.choose(calls, kFew)) {
    write_tree(out(suite), pair.before);
    if (run_within(suite, pair.first, pair.second, n, &one, &other) < n) break;
    std::string wrong = wrong_end(one, pair.name);
    if (wrong.empty()) wrong = wrong_end(other, pair.name);
    if (wrong.empty() && one.code != 0 && other.code != 0) wrong = "neither did its work";
    if (wrong.empty()) wrong = pair.wrong_result(without_remains(read_tree(out(suite))));
    suite.check(wrong.empty(),
                pair.label + ": the second began at call " + std::to_string(n) + ": " + wrong);
    suite.count("together\t" + pair.label + "\tat each call of the other",
                one.code == 0 && other.code == 0 ? "both did their work, one after the other"
                : one.code == 0                  ? "the second was refused"
                                                 : "the first was refused");
  }
}

void at_once(Suite& suite, const Pair& pair) {
  for (int round = 0; round < (suite.full() ? kRounds : kFewRounds); ++round) {
    write_tree(out(suite), pair.before);
    std::vector<std::pair<pid_t, Command>> started;
    for (int i = 0; i < kAtOnce; ++i) {
      const Command command = beside(suite, pair.first, i);
      started.emplace_back(start(command), command);
    }
    int done = 0;
    for (const auto& [process, command] : started) {
      const Ended ended = wait_for(process, command);
      done += ended.code == 0 ? 1 : 0;
      const std::string wrong = wrong_end(ended, pair.name);
      suite.check(wrong.empty(), pair.label + ": six at once: " + wrong);
      suite.count("together\t" + pair.label + "\tsix at once",
                  ended.code == 0 ? "did their work" : "were refused");
    }
    suite.check(done > 0, pair.label + ": six at once: none did its work");
    const std::string wrong = pair.wrong_result(without_remains(read_tree(out(suite))));
    suite.check(wrong.empty(), pair.label + ": six at once: " + wrong);
  }
}

}  // namespace

void test_together(Suite& suite) {
  const std::vector<TrainCase> trainings = train_cases(suite);
  std::vector<Pair> pairs;
  for (const TrainCase& train : trainings) {
    pairs.push_back({train.label, "train", train.words, train.words, train.before,
                     [&](const Tree& tree) { return train.wrong_result(tree); }});
  }
  const TrainCase& train = trainings.front();
  pairs.push_back({"train, and its resume", "train", train.words, train.resume, train.before,
                   [&](const Tree& tree) { return train.wrong_result(tree); }});
  const std::vector<Program> others = programs(suite);
  for (const Program& program : others) {
    pairs.push_back({program.label, program.name, program.words, program.words, program.before,
                     [&](const Tree& tree) { return difference(program.after, tree); }});
  }
  for (const Pair& pair : pairs) interleave(suite, pair);
  for (const Pair& pair : pairs) at_once(suite, pair);
}

}  // namespace cdt::test
