// What a run shows about its time: progress while it runs and, with --profile, where the time was
// spent.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "engine/backend.h"
#include "engine/profiler.h"

namespace cdt {

/// Progress of a long loop on stderr: one line that redraws itself on a terminal; elsewhere (log
/// files, batch systems) a plain line now and then.
class Progress {
 public:
  /// total: number of items. quiet: print nothing.
  Progress(std::string what, std::int64_t total, bool quiet);
  /// Ends the terminal line if finish() was not called, so that an error message starts on a new
  /// line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(std::int64_t done, const std::string& note = "");
  /// Ends the terminal line, before a message of someone else.
  void leave_line();
  /// Prints a separate line above the terminal line.
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

/// "epoch 3 120/400 30 %, 3.21/s, 1:27 left, loss 0.02". Rate and time left are omitted while
/// elapsed or done is 0; once done equals total the time taken is shown.
std::string progress_text(const std::string& what, std::int64_t done, std::int64_t total,
                          double elapsed_seconds, const std::string& note);

/// "0:07", "12:30", "2:05:09"
std::string clock_text(double seconds);

/// "forward", "backward" or "outside".
const char* pass_name(ProfilePass pass);
/// The table of --profile (engine/profiler.h): one row per op, forward and backward separately,
/// then kernels outside the tape, longest first; the sums; the share of the program's time that
/// they cover; the device's notes. `backend` must keep a profile.
std::string profile_table(Backend& backend);
/// The numbers of the table as JSON; docs/formats.md describes the keys.
std::string profile_json(Backend& backend);

/// If the backend keeps a profile, prints the table to standard output and writes
/// FOLDER/profile.json; otherwise deletes a profile.json left there by an earlier run.
void report_profile(Backend& backend, const std::filesystem::path& folder);

}  // namespace cdt
