// Runs gnuplot as a child process: a script in, a picture out, without a shell, intermediate files
// or the user's configuration. Scripts hold only numbers and fixed text.
#pragma once

#include <filesystem>
#include <string>

namespace cdt {

/// One line with gnuplot's complaint and the line of the script, extracted from all its messages;
/// warnings are left out.
std::string gnuplot_error(const std::string& messages, const std::string& script);

class Gnuplot {
 public:
  /// Finds gnuplot in PATH; throws InputError naming the package if there is none.
  Gnuplot();
  explicit Gnuplot(std::filesystem::path program) : program_(std::move(program)) {}

  /// Returns what the script writes to standard output. Throws Error with gnuplot_error() if it
  /// fails.
  std::string draw(const std::string& script) const;

 private:
  std::filesystem::path program_;
};

}  // namespace cdt
