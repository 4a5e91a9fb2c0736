// What a run shows of its time: progress while it lasts and, with --profile, where the time went.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "engine/backend.h"

namespace cdt {

/// Progress of a long loop, on stderr: one line that redraws itself on a terminal, plain lines now
/// and then elsewhere (log files, batch systems).
class Progress {
 public:
  /// total: how many items will be done. quiet: print nothing.
  Progress(std::string what, std::int64_t total, bool quiet);
  /// Ends the terminal line if finish() was not reached, so that an error starts on its own.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(std::int64_t done, const std::string& note = "");
  /// Prints a line of its own above the terminal line.
  void interject(const std::string& line);
  /// Prints the last state and the total time.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  void draw();

  std::string what_, note_;
  std::int64_t total_ = 0, done_ = 0;
  bool quiet_ = false, terminal_ = false, colour_ = false;
  bool line_open_ = false;
  Clock::time_point start_, drawn_;
};

/// "epoch 3 120/400 30 %, 3.21/s, 1:27 left, loss 0.02"; without rate and time left while elapsed
/// or done is 0, and with the time taken once done equals total.
std::string progress_text(const std::string& what, std::int64_t done, std::int64_t total,
                          double elapsed_seconds, const std::string& note);

/// "0:07", "12:30", "2:05:09"
std::string clock_text(double seconds);

/// What --profile shows (engine/profiler.h). A row for each op, forward and backward apart, then
/// kernels outside the tape, the longest first; the sums; how much of the program's time that is;
/// the device's notes.
/// `backend` keeps a profile.
std::string profile_table(Backend& backend);
/// The table's numbers as JSON; docs/formats.md describes the keys.
std::string profile_json(Backend& backend);

/// Where the backend keeps a profile, the table goes to standard output and the JSON to
/// FOLDER/profile.json; else a profile.json of an earlier run there is deleted.
void report_profile(Backend& backend, const std::filesystem::path& folder);

}  // namespace cdt
