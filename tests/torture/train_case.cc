#include "tests/torture/train_case.h"

#include <filesystem>
#include <regex>

#include "tests/torture/programs.h"

namespace cdt::test {
namespace {

namespace fs = std::filesystem;

constexpr int kEpochs = 3;
constexpr const char* kNoRun = "there is no run to resume";

/// A run without what depends on how it came to its end: its provenance is that of the last resume.
Tree result_of(const Tree& tree) {
  Tree out = without_remains(comparable(tree));
  out.erase("run/provenance.json");
  return out;
}

/// The first epoch that a training reports; one past the last if it reports none.
int first_epoch(const std::string& err) {
  static const std::regex pattern("(^|[\n\r])epoch ([0-9]+)[/:]");
  std::smatch found;
  return std::regex_search(err, found, pattern) ? std::stoi(found[2]) : kEpochs + 1;
}

}  // namespace

std::string TrainCase::wrong_result(const Tree& tree) const {
  return difference(after, result_of(tree));
}

Finished TrainCase::finish(const Suite& suite) const {
  Finished out{.wrong = "", .from = "resumed"};
  Ended again = run(suite.command(without_quiet(resume)));
  if (again.code == 2 && again.err.find(kNoRun) != std::string::npos) {
    out.from = "begun again";
    again = run(suite.command(anew));
  } else {
    out.epochs_kept = first_epoch(again.err) - 1;
  }
  if (again.code != 0) {
    out.wrong = "cannot go on: " + again.err;
    return out;
  }
  const Tree tree = read_tree(cdt::test::out(suite));
  const std::string wrong = wrong_result(tree);
  if (wrong.empty()) return out;
  if (!old.empty() && difference(old, result_of(tree)).empty()) {
    out.from = "kept the earlier run";
  } else {
    out.wrong = "gone on with, " + wrong;
  }
  return out;
}

std::vector<TrainCase> train_cases(const Suite& suite) {
  const fs::path run_folder = out(suite) / "run";
  const Words base = training(suite) + Words{"--out", run_folder, "--epochs"};
  const Words resume{suite.program("train"),
                     "--resume",
                     "--out",
                     run_folder,
                     "--quiet",
                     "--threads",
                     "1",
                     "--epochs"};
  const Words fresh = base + Words{std::to_string(kEpochs), "--seed", "1"};

  write_tree(out(suite), {});
  must_run(suite, fresh);
  const Tree after = result_of(read_tree(out(suite)));

  write_tree(out(suite), {});
  must_run(suite, base + Words{"1", "--seed", "2"});
  const Tree earlier = read_tree(out(suite));
  must_run(suite, resume + Words{std::to_string(kEpochs)});
  const Tree old = result_of(read_tree(out(suite)));

  write_tree(out(suite), {});
  must_run(suite, base + Words{"1", "--seed", "1"});
  const Tree begun = read_tree(out(suite));

  const Words go_on = resume + Words{std::to_string(kEpochs)};
  return {{"train", fresh, fresh, go_on, {}, after, {}},
          {"train, over an earlier run", fresh + Words{"--overwrite"}, fresh + Words{"--overwrite"},
           go_on, earlier, after, old},
          {"train, resumed", go_on, fresh, go_on, begun, after, {}}};
}

}  // namespace cdt::test
