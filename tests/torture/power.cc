// Power loss: the states that a disk may be in after each call of a run (disk.h). No output may be
// torn, what a finished program wrote must be there, and the next run has to do its work.
#include <algorithm>
#include <functional>
#include <map>

#include "tests/torture/programs.h"
#include "tests/torture/recorder.h"
#include "tests/torture/subjects.h"
#include "tests/torture/train_case.h"

namespace cdt::test {
namespace {

constexpr std::int64_t kFew = 3;          // states per program from which it is run, short form
constexpr std::int64_t kFewTrained = 20;  // and of a training

struct State {
  Tree tree;
  std::string after;  // the call after which the power was lost
  int epochs;         // of a training: those with a line in metrics.jsonl at that time
};

struct Recorded {
  std::vector<State> states;  // all different
  std::vector<Tree> last;     // once the program had ended
};

std::size_t digest(const Tree& tree) {
  std::string all;
  for (const auto& [name, node] : tree) {
    all += name + '\0' + std::to_string(static_cast<int>(node.type)) + '\0' +
           std::to_string(node.content.size()) + '\0' + node.content;
  }
  return std::hash<std::string>{}(all);
}

int epochs_in(const Tree& tree) {
  const auto metrics = tree.find("run/metrics.jsonl");
  if (metrics == tree.end()) return 0;
  return static_cast<int>(
      std::count(metrics->second.content.begin(), metrics->second.content.end(), '\n'));
}

/// Runs the command and collects the states of SUITE/out, which holds `before`.
Recorded record(Suite& suite, const Words& words, const Tree& before, const std::string& label) {
  write_tree(out(suite), before);
  Recorded recorded;
  std::map<std::size_t, bool> seen;
  std::int64_t calls = 0;
  const Recorder* of = nullptr;
  Recorder recorder(out(suite).string(), [&](const Call& call) {
    const std::string at =
        "call " + std::to_string(++calls) + ", " + call.name + " of " + call.path;
    const int epochs = epochs_in(of->disk().now());
    of->disk().states([&](const Tree& tree) {
      if (seen.emplace(digest(tree), true).second) recorded.states.push_back({tree, at, epochs});
    });
  });
  of = &recorder;
  const Ended ended = run(suite.command(words), recorder.tracer());
  suite.check(ended.code == 0,
              label + ": power: exit status " + std::to_string(ended.code) + ": " + ended.err);
  const std::string wrong = difference(read_tree(out(suite)), recorder.disk().now());
  suite.check(wrong.empty(), label + ": power: not followed rightly: " + wrong);
  recorder.disk().states([&](const Tree& tree) { recorded.last.push_back(tree); });
  return recorded;
}

void lose_power(Suite& suite, const Program& program) {
  const Recorded recorded = record(suite, program.words, program.before, program.label);
  const std::string name = "power\t" + program.label + "\t";
  for (const State& state : recorded.states) {
    const std::string wrong = torn(program, state.tree);
    suite.check(wrong.empty(), program.label + ": power lost after " + state.after + ": " + wrong);
    suite.count(name + "states of the output", wrong.empty() ? "whole or none" : "torn");
  }
  for (const Tree& tree : recorded.last) {
    const std::string wrong = difference(program.after, without_remains(tree));
    suite.check(wrong.empty(), program.label + ": power lost after its end: " + wrong);
    suite.count(name + "states after its end", wrong.empty() ? "with the output" : "without it");
  }
  const auto n = static_cast<std::int64_t>(recorded.states.size());
  for (const std::int64_t i : suite.choose(n, kFew)) {
    const State& state = recorded.states[static_cast<std::size_t>(i - 1)];
    write_tree(out(suite), state.tree);
    const Ended again = run(suite.command(program.words));
    const Tree tree = read_tree(out(suite));
    const std::string wrong = again.code != 0 ? again.err : difference(program.after, tree);
    suite.check(wrong.empty(), program.label + ": the run after the power was lost after " +
                                   state.after + ": " + wrong);
    suite.count(name + "states from which it is run", wrong.empty() ? "same bytes" : "other bytes");
  }
}

void lose_power(Suite& suite, const TrainCase& train) {
  const Recorded recorded = record(suite, train.words, train.before, train.label);
  const std::string name = "power\t" + train.label + "\t";
  for (const Tree& tree : recorded.last) {
    const std::string wrong = train.wrong_result(without_remains(tree));
    suite.check(wrong.empty(), train.label + ": power lost after its end: " + wrong);
    suite.count(name + "states after its end", wrong.empty() ? "with the run" : "without it");
  }
  const auto n = static_cast<std::int64_t>(recorded.states.size());
  for (const std::int64_t i : suite.choose(n, kFewTrained)) {
    const State& state = recorded.states[static_cast<std::size_t>(i - 1)];
    write_tree(out(suite), state.tree);
    const Finished finished = train.finish(suite);
    std::string wrong = finished.wrong;
    // Only the save that was being made may be lost.
    if (wrong.empty() && finished.epochs_kept < state.epochs - 1) {
      wrong = "of " + std::to_string(state.epochs) + " finished epochs, it kept only " +
              std::to_string(finished.epochs_kept);
    }
    suite.check(wrong.empty(), train.label + ": power lost after " + state.after + ": " + wrong);
    suite.count(name + "states from which it goes on", finished.from);
  }
}

}  // namespace

void test_power(Suite& suite) {
  for (const TrainCase& train : train_cases(suite)) lose_power(suite, train);
  for (const Program& program : programs(suite)) lose_power(suite, program);
}

}  // namespace cdt::test
