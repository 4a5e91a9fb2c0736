// A training that is interrupted: how it goes on, and what it must come to.
#pragma once

#include <string>
#include <vector>

#include "tests/torture/suite.h"
#include "tests/torture/tree.h"

namespace cdt::test {

/// How an interrupted training came to its end.
struct Finished {
  std::string wrong;    // empty: with the bits of an uninterrupted run, of it or of the earlier one
  std::string from;     // "resumed", "begun again" or "kept the earlier run"
  int epochs_kept = 0;  // that were not trained again
};

struct TrainCase {
  std::string label;  // "train, over an earlier run"
  Words words;        // the command; writes to SUITE/out/run
  Words anew;         // begins it once more, if nothing was saved
  Words resume;       // and goes on with it otherwise
  Tree before;        // what SUITE/out holds before it,
  Tree after;         // and after it was not interrupted: comparable()
  Tree old;  // what the earlier run comes to if it is resumed instead; empty: there is none

  /// Empty if the folder holds what an uninterrupted run would have left.
  std::string wrong_result(const Tree& tree) const;
  /// Goes on after an interruption, from the beginning if there is no run.
  Finished finish(const Suite& suite) const;
};

/// A new run, one over an earlier run, and one that is resumed.
std::vector<TrainCase> train_cases(const Suite& suite);

}  // namespace cdt::test
