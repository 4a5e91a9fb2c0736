// Faults of a file system, and runs with one of them at the N-th call that it can strike.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "tests/torture/suite.h"
#include "tests/torture/tree.h"

namespace cdt::test {

struct Fault {
  std::string name;  // "ENOSPC, once"
  Action first;      // at the N-th call of these kinds,
  std::set<Kind> kinds;
  Action then;  // and at every later call of these kinds
  std::set<Kind> then_kinds;
  bool harmless;  // the program must do its work nevertheless
};

/// Every fault that is injected. They strike calls on files below the suite's folder only.
const std::vector<Fault>& faults();

struct Struck {
  Ended ended;
  std::int64_t calls = 0;  // that the fault could strike
  Call call;               // the N-th of them, if there were as many
  Words names;             // what an error line may name: the files of all calls that failed
};

/// Runs the command with the fault at call `n`; 0: without it, to count the calls.
Struck run_with(const Suite& suite, const Command& command, const Fault& fault, std::int64_t n);

/// Runs the command with the fault at each call that it can strike, or at `few` of them in the
/// short form, each time on an output folder that holds `before`, and passes the number and the run
/// on.
void strike_each_call(Suite& suite, const Words& words, const Tree& before, const Fault& fault,
                      std::int64_t few,
                      const std::function<void(std::int64_t n, const Struck& struck)>& look);

/// "call 17, write of /a/b".
std::string place(const Struck& struck, std::int64_t n);

}  // namespace cdt::test
