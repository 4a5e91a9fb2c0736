// SIGKILL before and after each call that changes a file, and at random moments.
#include <chrono>
#include <csignal>
#include <thread>

#include "tests/torture/fault.h"
#include "tests/torture/programs.h"
#include "tests/torture/subjects.h"
#include "tests/torture/train_case.h"

namespace cdt::test {
namespace {

constexpr std::int64_t kFew = 3;         // calls per program in the short form
constexpr std::int64_t kRecoveries = 4;  // kills of a recovery per kill of a run
constexpr std::int64_t kRandomKills = 600, kFewRandomKills = 25;
constexpr int kKilled = 128 + SIGKILL;

const std::set<Kind> kChanges{Kind::kCreate, Kind::kWrite, Kind::kSync, Kind::kRename,
                              Kind::kRemove};

const std::vector<Fault>& kills() {
  static const std::vector<Fault> all{
      {"killed before", {What::kKill, 0}, kChanges, {}, {}, false},
      {"killed after", {What::kKillAfter, 0}, kChanges, {}, {}, false}};
  return all;
}

void kill_program(Suite& suite, const Program& program, const Fault& kill) {
  const auto look = [&](std::int64_t n, const Struck& struck) {
    const std::string at = program.label + ": " + kill.name + " " + place(struck, n) + ": ";
    suite.check(struck.ended.code == kKilled,
                at + "exit status " + std::to_string(struck.ended.code));
    const std::string damage = torn(program, read_tree(out(suite)));
    suite.check(damage.empty(), at + damage);
    const Ended again = run(suite.command(program.words));
    const Tree tree = read_tree(out(suite));
    const std::string wrong = again.code != 0 ? again.err : difference(program.after, tree);
    suite.check(wrong.empty(), at + wrong);
    suite.count("kill\t" + program.label + "\t" + kill.name,
                wrong.empty() ? "whole after the next run" : "other bytes after the next run");
  };
  strike_each_call(suite, program.words, program.before, kill, kFew, look);
}

/// The resume after a kill is killed too, at some of its calls.
void kill_recovery(Suite& suite, const TrainCase& train, const std::string& at) {
  const Tree left = read_tree(out(suite));
  const Command resume = suite.command(train.resume);
  const std::int64_t calls = run_with(suite, resume, kills().back(), 0).calls;
  for (std::int64_t i = 0; i < kRecoveries && calls > 0; ++i) {
    const auto n =
        1 + static_cast<std::int64_t>(suite.random()() % static_cast<std::uint64_t>(calls));
    const Fault& kill = kills()[static_cast<std::size_t>(i) % kills().size()];
    write_tree(out(suite), left);
    const Struck struck = run_with(suite, resume, kill, n);
    const Finished finished = train.finish(suite);
    suite.check(finished.wrong.empty(),
                at + "the resume " + kill.name + " " + place(struck, n) + ": " + finished.wrong);
    suite.count("kill\t" + train.label + ", and its resume\t" + kill.name, finished.from);
  }
  write_tree(out(suite), left);
}

void kill_training(Suite& suite, const TrainCase& train, const Fault& kill) {
  const auto look = [&](std::int64_t n, const Struck& struck) {
    const std::string at = train.label + ": " + kill.name + " " + place(struck, n) + ": ";
    suite.check(struck.ended.code == kKilled,
                at + "exit status " + std::to_string(struck.ended.code));
    if (suite.full() || n % kFew == 0) kill_recovery(suite, train, at);
    const Finished finished = train.finish(suite);
    std::string wrong = finished.wrong;
    if (wrong.empty()) wrong = remains(read_tree(out(suite)));
    suite.check(wrong.empty(), at + wrong);
    suite.count("kill\t" + train.label + "\t" + kill.name, finished.from);
  };
  strike_each_call(suite, train.words, train.before, kill, kFew, look);
}

/// Kills at random moments, one after the other until a run is finished, then another run.
void kill_at_random(Suite& suite, const TrainCase& train) {
  using Clock = std::chrono::steady_clock;
  write_tree(out(suite), train.before);
  const auto begin = Clock::now();
  run(suite.command(train.words));
  const double whole = std::chrono::duration<double>(Clock::now() - begin).count();
  std::uniform_real_distribution<double> moment(0, whole);
  const std::int64_t wanted = suite.full() ? kRandomKills : kFewRandomKills;
  std::int64_t kills = 0;
  while (kills < wanted) {
    write_tree(out(suite), train.before);
    bool resumes = false;
    for (bool done = false; !done;) {
      const Command command = suite.command(resumes ? train.resume : train.words);
      const pid_t process = start(command);
      std::this_thread::sleep_for(std::chrono::duration<double>(moment(suite.random())));
      kill(process, SIGKILL);
      const Ended ended = wait_for(process, command);
      const bool killed = ended.code == kKilled;
      const bool nothing = resumes && ended.err.find("no run to resume") != std::string::npos;
      done = ended.code == 0;
      if (!suite.check(
              done || killed || nothing,
              "killed at random: exit status " + std::to_string(ended.code) + ": " + ended.err)) {
        return;
      }
      if (killed) {
        ++kills;
        suite.count("kill\t" + train.label + "\tat random moments",
                    resumes ? "while it went on after a kill" : "of a new run");
      }
      resumes = !nothing;
    }
    const std::string wrong = train.wrong_result(read_tree(out(suite)));
    suite.check(wrong.empty(), "killed at random: " + wrong);
  }
}

}  // namespace

void test_kills(Suite& suite) {
  const std::vector<TrainCase> trainings = train_cases(suite);
  kill_at_random(suite, trainings.front());
  for (const TrainCase& train : trainings) {
    for (const Fault& kill : kills()) kill_training(suite, train, kill);
  }
  for (const Program& program : programs(suite)) {
    for (const Fault& kill : kills()) kill_program(suite, program, kill);
  }
}

}  // namespace cdt::test
