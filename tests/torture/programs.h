// The programs under test, with tiny inputs: what each is called with, and what it writes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/torture/suite.h"
#include "tests/torture/tree.h"

namespace cdt::test {

/// A program that writes its output at the end, to SUITE/out.
struct Program {
  std::string label;  // "predict, a shard"
  std::string name;   // cdt-NAME
  Words words;        // the command; replaces an earlier output
  Words earlier;      // the one that made that output; empty: there is none
  std::string sign;   // file of the output without which it is none
  Tree before{};      // what SUITE/out holds before, and after, it
  Tree after{};
  std::string printed{};  // standard output
};

/// Makes the inputs in SUITE/in. Throws std::runtime_error if a program fails.
void make_inputs(Suite& suite);

/// Every program except cdt-train, with `before`, `after` and `printed` filled in.
std::vector<Program> programs(Suite& suite);

/// Options of a small training with many saves: data, sizes and threads, without --out.
Words training(const Suite& suite);

std::filesystem::path in(const Suite& suite);
std::filesystem::path out(const Suite& suite);

/// Runs a command that has to succeed, and returns what it printed. Throws std::runtime_error.
Ended must_run(const Suite& suite, const Words& words);

/// Whether an output is an old or a new one as a whole, or none, by its sign; empty if it is, else
/// what is wrong.
std::string torn(const Program& program, const Tree& tree);

}  // namespace cdt::test
