#include "apps/common/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "apps/common/tables.h"
#include "engine/profiler.h"
#include "io/format/json.h"
#include "io/format/output.h"

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

constexpr double kGiga = 1e-9, kMilli = 1e3, kPercent = 100.0;
constexpr std::array<std::pair<ProfilePass, const char*>, 3> kPasses{
    {{ProfilePass::kForward, "forward"},
     {ProfilePass::kBackward, "backward"},
     {ProfilePass::kOutside, "outside"}}};

using NamedRow = std::pair<std::string, Profiler::Row>;

/// Rows of a pass, sorted by time, longest first.
std::vector<NamedRow> rows_of(const std::map<Profiler::Key, Profiler::Row>& rows,
                              ProfilePass pass) {
  std::vector<NamedRow> out;
  for (const auto& [key, row] : rows) {
    if (key.first == pass) out.emplace_back(key.second, row);
  }
  std::stable_sort(out.begin(), out.end(), [](const NamedRow& a, const NamedRow& b) {
    return a.second.seconds > b.second.seconds;
  });
  return out;
}

/// Sum of the rows of a container of (name, row) pairs.
template <class Rows>
Profiler::Row sum_of(const Rows& rows) {
  Profiler::Row sum;
  for (const auto& [name, row] : rows) {
    sum.calls += row.calls;
    sum.seconds += row.seconds;
    sum.work += row.work;
  }
  return sum;
}

std::string line_of(const char* pass, const std::string& name, const Profiler::Row& row,
                    double total) {
  const double gflop = row.work.flop * kGiga;
  const std::string work =
      gflop > 0.0 ? text("%12.3f%12.1f", gflop, gflop / row.seconds) : "           -           -";
  return text("%-9s %-24s %8lld %12.3f %6.1f %% %s %12.4f\n", pass, name.c_str(),
              static_cast<long long>(row.calls), row.seconds * kMilli,
              total > 0.0 ? kPercent * row.seconds / total : 0.0, work.c_str(),
              row.work.bytes * kGiga);
}

nlohmann::ordered_json numbers_of(const Profiler::Row& row, double total) {
  return {{"calls", row.calls},
          {"ms", row.seconds * kMilli},
          {"share", total > 0.0 ? row.seconds / total : 0.0},
          {"gflop", row.work.flop * kGiga},
          {"gflop_per_s", row.work.flop * kGiga / row.seconds},
          {"bytes", row.work.bytes}};
}

}  // namespace

std::string clock_text(double seconds) {
  const auto whole = static_cast<long long>(std::llround(seconds));
  const long long hours = whole / 3600;
  const long long minutes = whole / 60 % 60;
  if (hours > 0) return text("%lld:%02lld:%02lld", hours, minutes, whole % 60);
  return text("%lld:%02lld", minutes, whole % 60);
}

std::string progress_text(const std::string& what, std::int64_t done, std::int64_t total,
                          double elapsed_seconds, const std::string& note) {
  std::string out = what + " " + std::to_string(done) + "/" + std::to_string(total);
  if (total > 0) out += " " + std::to_string(100 * done / total) + " %";
  if (done > 0 && elapsed_seconds > 0.0) {
    const double rate = static_cast<double>(done) / elapsed_seconds;
    out += text(", %.3g/s, ", rate);
    out += done < total ? clock_text(static_cast<double>(total - done) / rate) + " left"
                        : "took " + clock_text(elapsed_seconds);
  }
  return note.empty() ? out : out + ", " + note;
}

Progress::Progress(std::string what, std::int64_t total, bool quiet)
    : what_(std::move(what)),
      total_(total),
      quiet_(quiet),
      terminal_(stderr_is_terminal()),
      colour_(terminal_ && colour_wanted()),
      start_(Clock::now()),
      drawn_(start_) {}

Progress::~Progress() { leave_line(); }

void Progress::update(std::int64_t done, const std::string& note) {
  done_ = done;
  note_ = note;
  if (quiet_) return;
  const auto since = Clock::now() - drawn_;
  if (terminal_ ? since >= kTerminalInterval : since >= kLogInterval) draw();
}

void Progress::leave_line() {
  if (line_open_) std::fputc('\n', stderr);
  line_open_ = false;
}

void Progress::interject(const std::string& line) {
  std::fprintf(stderr, line_open_ ? "\r\x1b[K%s\n" : "%s\n", line.c_str());
  line_open_ = false;
}

void Progress::finish() {
  if (quiet_) return;
  draw();
  leave_line();
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

const char* pass_name(ProfilePass pass) {
  const auto same = [&](const auto& named) { return named.first == pass; };
  return std::find_if(kPasses.begin(), kPasses.end(), same)->second;
}

std::string profile_table(Backend& backend) {
  Profiler& profiler = *backend.profiler();
  const double wall = profiler.wall_seconds();
  const auto& rows = profiler.rows();
  const Profiler::Row all = sum_of(rows);
  std::string out =
      "pass      op                          calls           ms   share        GFLOP     GFLOP/s"
      "           GB\n";
  for (const auto& [pass, name] : kPasses) {
    const std::vector<NamedRow> own = rows_of(rows, pass);
    for (const auto& [op, row] : own) out += line_of(name, op, row, all.seconds);
    if (!own.empty()) out += line_of(name, "(sum)", sum_of(own), all.seconds);
  }
  out += line_of("all", "", all, all.seconds);
  out +=
      text("%.3f s of the %.3f s that the program ran on %s\n", all.seconds, wall, backend.name());
  for (const std::string& note : backend.notes()) out += note + "\n";
  return out;
}

std::string profile_json(Backend& backend) {
  Profiler& profiler = *backend.profiler();
  const double wall = profiler.wall_seconds();
  const auto& rows = profiler.rows();
  const Profiler::Row all = sum_of(rows);
  nlohmann::ordered_json json = {
      {"format", "cdt-profile"}, {"version", 1}, {"device", backend.name()}, {"wall_s", wall}};
  json["ops"] = nlohmann::ordered_json::array();
  for (const auto& [pass, name] : kPasses) {
    for (const auto& [op, row] : rows_of(rows, pass)) {
      nlohmann::ordered_json line{{"pass", name}, {"op", op}};
      line.update(numbers_of(row, all.seconds));
      json["ops"].push_back(line);
    }
  }
  json["sum"] = numbers_of(all, all.seconds);
  json["notes"] = backend.notes();
  return json_text(json);
}

void report_profile(Backend& backend, const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "profile.json";
  if (backend.profiler() == nullptr) {
    remove_file(file);
    return;
  }
  write_file(file, profile_json(backend));
  std::cout << profile_table(backend);
}

}  // namespace cdt
