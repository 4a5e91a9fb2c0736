#include "tests/torture/suite.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>
#include <utility>

namespace cdt::test {

namespace fs = std::filesystem;

Words operator+(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Words without_quiet(const Words& words) {
  Words out;
  for (const std::string& word : words) {
    if (word != "--quiet") out.push_back(word);
  }
  return out;
}

Suite::Suite(fs::path programs, fs::path folder, bool full, std::uint64_t seed)
    : programs_(std::move(programs)), folder_(std::move(folder)), full_(full), random_(seed) {}

std::string Suite::program(const std::string& name) const {
  return (programs_ / ("cdt-" + name)).string();
}

Command Suite::command(Words words) const {
  return {.words = std::move(words), .out = folder_ / "stdout", .err = folder_.string() + ".err"};
}

bool Suite::check(bool passed, const std::string& message) {
  if (passed) {
    ++passed_;
  } else {
    ++failed_;
    std::cout << "FAILED: " << message << std::endl;  // NOLINT(performance-avoid-endl)
  }
  return passed;
}

void Suite::skip(const std::string& what, const std::string& reason) {
  ++skipped_;
  std::cout << "skipped: " << what << ": " << reason << "\n";
}

void Suite::count(const std::string& name, const std::string& ended) {
  if (!rows_.contains(name)) order_.push_back(name);
  ++rows_[name][ended];
}

std::vector<std::int64_t> Suite::choose(std::int64_t n, std::int64_t few) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) all[static_cast<std::size_t>(i)] = i + 1;
  if (full_ || n <= few) return all;
  std::vector<std::int64_t> out;
  std::sample(all.begin(), all.end(), std::back_inserter(out), few, random_);
  return out;
}

int Suite::finish() const {
  std::ofstream table(folder_.string() + ".tsv");
  for (const std::string& name : order_) {
    std::int64_t tries = 0;
    std::string text;
    for (const auto& [ended, n] : rows_.at(name)) {
      tries += n;
      text += (text.empty() ? "" : ", ") + std::to_string(n) + " " + ended;
    }
    table << name << '\t' << tries << '\t' << text << '\n';
  }
  std::cout << passed_ << " passed, " << failed_ << " failed, " << skipped_ << " skipped\n";
  return failed_ == 0 && table.flush() ? 0 : 1;
}

Words error_lines(const std::string& err) {
  Words out;
  std::istringstream lines(err);
  for (std::string line; std::getline(lines, line);) {
    const bool aside = line.starts_with("cdt-") && (line.find(": warning: ") != std::string::npos ||
                                                    line.find(": note: ") != std::string::npos);
    if (!aside) out.push_back(line);
  }
  return out;
}

std::string wrong_failure(const Ended& ended, const std::string& program, const Words& names) {
  const Words lines = error_lines(ended.err);
  if (ended.hung) return "it hung";
  if (ended.code != 1 && ended.code != 2) return "exit status " + std::to_string(ended.code);
  if (lines.size() != 1) return std::to_string(lines.size()) + " lines on stderr: " + ended.err;
  if (!lines.front().starts_with("cdt-" + program + ": ")) return "the line: " + lines.front();
  const auto named = [&](const std::string& name) {
    return !name.empty() && lines.front().find(name) != std::string::npos;
  };
  if (names.empty() || std::any_of(names.begin(), names.end(), named)) return "";
  return "the line does not name " + names.front() + ": " + lines.front();
}

}  // namespace cdt::test
