// Inputs that vanish or shrink under a running program, at each of its calls that opens or reads
// one. The program must end with one line or, if it had read enough, with the same bytes. No input
// may be mapped: a mapped file that shrinks kills the program (SIGBUS).
#include <filesystem>
#include <fstream>
#include <functional>

#include "tests/torture/fault.h"
#include "tests/torture/programs.h"
#include "tests/torture/subjects.h"
#include "tests/torture/train_case.h"

namespace cdt::test {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kFew = 2;

/// What happens to the file that a program is about to read, or to all inputs.
struct Mishap {
  std::string name;
  std::function<void(const Suite&, const fs::path&)> happen;
};

const std::vector<Mishap>& mishaps() {
  static const std::vector<Mishap> all{
      {"the file is cut to half",
       [](const Suite& /*suite*/, const fs::path& file) {
         fs::resize_file(file, fs::file_size(file) / 2);
       }},
      {"the file is emptied",
       [](const Suite& /*suite*/, const fs::path& file) { fs::resize_file(file, 0); }},
      {"the file is removed",
       [](const Suite& /*suite*/, const fs::path& file) { fs::remove(file); }},
      {"the folder is moved away",
       [](const Suite& suite, const fs::path& /*file*/) {
         fs::rename(in(suite), in(suite).string() + ".away");
       }},
  };
  return all;
}

struct Seen {
  std::int64_t reads = 0;
  std::string mapped;  // an input that was mapped
  Call call;           // at which it happened
  Ended ended;
};

/// Runs the command; at its n-th call that opens or reads an input, `happen` is called (0: never).
Seen run_until(const Suite& suite, const Words& words, std::int64_t n, const Mishap& mishap) {
  Seen seen;
  const std::string folder = in(suite).string() + "/";
  const Tracer tracer{.enter = [&](const Call& call) {
    if (!call.path.starts_with(folder)) return Action{};
    if (call.kind == Kind::kMap) seen.mapped = call.path;
    const bool reads = call.kind == Kind::kOpen || call.kind == Kind::kRead;
    if (!reads || ++seen.reads != n) return Action{};
    seen.call = call;
    if (fs::is_regular_file(call.path)) mishap.happen(suite, call.path);
    return Action{};
  }};
  seen.ended = run(suite.command(words), tracer);
  return seen;
}

void restore(const Suite& suite, const Tree& inputs) {
  fs::remove_all(in(suite).string() + ".away");
  write_tree(in(suite), inputs);
}

/// A program or a training: what it does to its inputs and its output.
struct Subject {
  std::string label, name;
  Words words;
  Tree before;
  std::function<std::string(const Seen&)> wrong_result;  // if it ended well
};

void disturb(Suite& suite, const Subject& subject, const Tree& inputs) {
  write_tree(out(suite), subject.before);
  const Seen whole = run_until(suite, subject.words, 0, mishaps().front());
  suite.check(whole.mapped.empty(), subject.label + ": maps " + whole.mapped);
  suite.count("inputs\t" + subject.label + "\tmapped files",
              whole.mapped.empty() ? "runs without one" : "runs with one");
  for (const Mishap& mishap : mishaps()) {
    for (const std::int64_t n : suite.choose(whole.reads, kFew)) {
      write_tree(out(suite), subject.before);
      const Seen seen = run_until(suite, subject.words, n, mishap);
      restore(suite, inputs);
      if (seen.reads < n) break;
      const std::string wrong = seen.ended.code == 0 ? subject.wrong_result(seen)
                                                     : wrong_failure(seen.ended, subject.name, {});
      suite.check(wrong.empty(), subject.label + ": " + mishap.name + " before " + seen.call.name +
                                     " of " + seen.call.path + ", call " + std::to_string(n) +
                                     ": " + wrong);
      suite.count("inputs\t" + subject.label + "\t" + mishap.name,
                  seen.ended.code == 0 ? "completed" : "ended with one line");
    }
  }
}

}  // namespace

void test_inputs(Suite& suite) {
  std::vector<Subject> subjects;
  const std::vector<TrainCase> trainings = train_cases(suite);
  const TrainCase& train = trainings.front();
  subjects.push_back({"train", "train", train.words, train.before, [&](const Seen& /*seen*/) {
                        return train.wrong_result(read_tree(out(suite)));
                      }});
  const std::vector<Program> others = programs(suite);
  for (const Program& program : others) {
    if (program.name == "synth") continue;  // reads no input
    subjects.push_back(
        {program.label, program.name, program.words, program.before, [&](const Seen& seen) {
           if (seen.ended.out != program.printed) return std::string("other standard output");
           return difference(program.after, read_tree(out(suite)));
         }});
  }
  const Tree inputs = read_tree(in(suite));
  for (const Subject& subject : subjects) disturb(suite, subject, inputs);
}

}  // namespace cdt::test
