#include "apps/common/profile_report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <map>
#include <system_error>
#include <utility>
#include <vector>

#include "apps/common/json_text.h"
#include "engine/profiler.h"
#include "io/format/output.h"

namespace cdt {
namespace {

constexpr double kGiga = 1e-9, kMilli = 1e3, kPercent = 100.0;
constexpr std::array<std::pair<ProfilePass, const char*>, 3> kPasses{
    {{ProfilePass::kForward, "forward"},
     {ProfilePass::kBackward, "backward"},
     {ProfilePass::kOutside, "outside"}}};

using NamedRow = std::pair<std::string, Profiler::Row>;

/// The rows of a pass, the longest first.
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

Profiler::Row sum_of(const std::vector<NamedRow>& rows) {
  Profiler::Row sum;
  for (const auto& [name, row] : rows) {
    sum.calls += row.calls;
    sum.seconds += row.seconds;
    sum.work += row.work;
  }
  return sum;
}

Profiler::Row sum_of(const std::map<Profiler::Key, Profiler::Row>& rows) {
  std::vector<NamedRow> all;
  for (const auto& [key, row] : rows) all.emplace_back(key.second, row);
  return sum_of(all);
}

std::string line_of(const char* pass, const std::string& name, const Profiler::Row& row,
                    double total) {
  std::array<char, 200> work{"           -           -"};
  if (row.work.flop > 0.0) {
    std::snprintf(work.data(), work.size(), "%12.3f%12.1f", row.work.flop * kGiga,
                  row.work.flop * kGiga / row.seconds);
  }
  std::array<char, 300> line{};
  std::snprintf(line.data(), line.size(), "%-9s %-24s %8lld %12.3f %6.1f %% %s %12.4f\n", pass,
                name.c_str(), static_cast<long long>(row.calls), row.seconds * kMilli,
                total > 0.0 ? kPercent * row.seconds / total : 0.0, work.data(),
                row.work.bytes * kGiga);
  return line.data();
}

nlohmann::ordered_json numbers_of(const Profiler::Row& row, double total) {
  nlohmann::ordered_json json;
  json["calls"] = row.calls;
  json["ms"] = row.seconds * kMilli;
  json["share"] = total > 0.0 ? row.seconds / total : 0.0;
  json["gflop"] = row.work.flop * kGiga;
  json["gflop_per_s"] = row.work.flop * kGiga / row.seconds;
  json["bytes"] = row.work.bytes;
  return json;
}

}  // namespace

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
  std::array<char, 200> line{};
  std::snprintf(line.data(), line.size(), "%.3f s of the %.3f s that the program ran on %s\n",
                all.seconds, wall, backend.name());
  return out + line.data();
}

std::string profile_json(Backend& backend) {
  Profiler& profiler = *backend.profiler();
  nlohmann::ordered_json json;
  json["format"] = "cdt-profile";
  json["version"] = 1;
  json["device"] = backend.name();
  json["wall_s"] = profiler.wall_seconds();
  const auto& rows = profiler.rows();
  const Profiler::Row all = sum_of(rows);
  json["ops"] = nlohmann::ordered_json::array();
  for (const auto& [pass, name] : kPasses) {
    for (const auto& [op, row] : rows_of(rows, pass)) {
      nlohmann::ordered_json line{{"pass", name}, {"op", op}};
      line.update(numbers_of(row, all.seconds));
      json["ops"].push_back(line);
    }
  }
  json["sum"] = numbers_of(all, all.seconds);
  return json_text(json);
}

void report_profile(Backend& backend, const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "profile.json";
  if (backend.profiler() == nullptr) {
    std::error_code absent;
    std::filesystem::remove(file, absent);
    return;
  }
  write_file(file, profile_json(backend));
  std::cout << profile_table(backend);
}

}  // namespace cdt
