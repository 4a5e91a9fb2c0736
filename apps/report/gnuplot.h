// gnuplot as a child process: a script in, a picture out. No shell and no files in between, and
// nothing of the user's configuration; scripts hold numbers and fixed text only.
#pragma once

#include <filesystem>
#include <string>

namespace cdt {

/// What gnuplot complains of and the line of the script, from all that it said: one line, warnings
/// left out.
std::string gnuplot_error(const std::string& messages, const std::string& script);

class Gnuplot {
 public:
  /// Looks along PATH; InputError naming the package if there is none.
  Gnuplot();
  explicit Gnuplot(std::filesystem::path program) : program_(std::move(program)) {}

  /// What the script writes to standard output. Error with gnuplot_error() if it fails.
  std::string draw(const std::string& script) const;

 private:
  std::filesystem::path program_;
};

}  // namespace cdt
