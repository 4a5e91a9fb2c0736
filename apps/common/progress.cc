#include "apps/common/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace cdt {
namespace {

constexpr std::chrono::milliseconds kTerminalInterval{100};
constexpr std::chrono::seconds kLogInterval{15};
constexpr int kDefaultWidth = 80;
constexpr int kBarWidth = 20;

bool stderr_is_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

bool colour_wanted() {
  const char* no_colour = std::getenv("NO_COLOR");
  return no_colour == nullptr || *no_colour == '\0';
}

std::size_t terminal_width() {
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kDefaultWidth;
}

std::string bar(std::int64_t done, std::int64_t total) {
  const double share = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 1.0;
  const auto filled = static_cast<std::size_t>(share * kBarWidth);
  return "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "] ";
}

template <typename... Values>
std::string formatted(const char* format, Values... values) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}

}  // namespace

std::string clock_text(double seconds) {
  const auto whole = static_cast<long long>(std::llround(seconds));
  const long long hours = whole / 3600;
  const long long minutes = whole / 60 % 60;
  if (hours > 0) return formatted("%lld:%02lld:%02lld", hours, minutes, whole % 60);
  return formatted("%lld:%02lld", minutes, whole % 60);
}

std::string progress_text(const std::string& what, std::int64_t done, std::int64_t total,
                          double elapsed_seconds, const std::string& note) {
  std::string text = what + " " + std::to_string(done) + "/" + std::to_string(total);
  if (total > 0) text += " " + std::to_string(100 * done / total) + " %";
  if (done > 0 && elapsed_seconds > 0.0) {
    const double rate = static_cast<double>(done) / elapsed_seconds;
    text += formatted(", %.3g/s, ", rate);
    text += done < total ? clock_text(static_cast<double>(total - done) / rate) + " left"
                         : "took " + clock_text(elapsed_seconds);
  }
  return note.empty() ? text : text + ", " + note;
}

Progress::Progress(std::string what, std::int64_t total, bool quiet)
    : what_(std::move(what)),
      total_(total),
      quiet_(quiet),
      terminal_(stderr_is_terminal()),
      colour_(terminal_ && colour_wanted()),
      start_(Clock::now()),
      drawn_(start_) {}

Progress::~Progress() {
  if (line_open_) std::fputc('\n', stderr);
}

void Progress::update(std::int64_t done, const std::string& note) {
  done_ = done;
  note_ = note;
  if (quiet_) return;
  const auto since = Clock::now() - drawn_;
  if (terminal_ ? since >= kTerminalInterval : since >= kLogInterval) draw();
}

void Progress::interject(const std::string& line) {
  std::fprintf(stderr, line_open_ ? "\r\x1b[K%s\n" : "%s\n", line.c_str());
  line_open_ = false;
}

void Progress::finish() {
  if (quiet_) return;
  draw();
  if (line_open_) std::fputc('\n', stderr);
  line_open_ = false;
  quiet_ = true;
}

void Progress::draw() {
  drawn_ = Clock::now();
  const double elapsed = std::chrono::duration<double>(drawn_ - start_).count();
  std::string text = progress_text(what_, done_, total_, elapsed, note_);
  if (!terminal_) {
    std::fprintf(stderr, "%s\n", text.c_str());
    return;
  }
  const std::string done_bar = bar(done_, total_);
  text = (done_bar + text).substr(0, terminal_width() - 1);
  if (colour_) text = "\x1b[36m" + text + "\x1b[0m";
  std::fprintf(stderr, "\r%s\x1b[K", text.c_str());
  std::fflush(stderr);
  line_open_ = true;
}

}  // namespace cdt
