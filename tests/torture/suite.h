// What every subject of the torture needs: where it works, how thorough it is, and its counts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/torture/tracer.h"

namespace cdt::test {

using Words = std::vector<std::string>;
Words operator+(Words words, const Words& more);
Words without_quiet(const Words& words);

class Suite {
 public:
  /// folder: empty, for this suite alone. Rows of the table go to FOLDER.tsv.
  Suite(std::filesystem::path programs, std::filesystem::path folder, bool full,
        std::uint64_t seed);

  bool full() const { return full_; }
  std::mt19937_64& random() { return random_; }
  const std::filesystem::path& folder() const { return folder_; }
  /// The path of cdt-NAME.
  std::string program(const std::string& name) const;
  /// A command whose standard output is FOLDER/stdout.
  Command command(Words words) const;

  /// Counts a check; prints `message` if it failed.
  bool check(bool passed, const std::string& message);
  void skip(const std::string& what, const std::string& reason);
  /// Counts what a try of the check `name` ended in.
  void count(const std::string& name, const std::string& ended);

  /// Of the numbers 1 to n, in order, those to try: all in the full form, else `few` at random.
  std::vector<std::int64_t> choose(std::int64_t n, std::int64_t few);

  /// Prints the counts and writes the table; returns the exit status.
  int finish() const;

 private:
  std::filesystem::path programs_, folder_;
  bool full_;
  std::mt19937_64 random_;
  std::int64_t passed_ = 0, failed_ = 0, skipped_ = 0;
  std::vector<std::string> order_;  // of the rows
  std::map<std::string, std::map<std::string, std::int64_t>> rows_;
};

/// The lines of a program's stderr that are neither progress, warnings nor notes, if it is silent
/// otherwise (--quiet).
Words error_lines(const std::string& err);

/// Why this is not how a program may fail (exit status 1 or 2 and one line that begins with its
/// name and contains one of `names`); empty if it is.
std::string wrong_failure(const Ended& ended, const std::string& program, const Words& names);

}  // namespace cdt::test
