#include "tests/torture/fault.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "tests/torture/programs.h"

namespace cdt::test {
namespace {

namespace fs = std::filesystem;

const std::set<Kind> kTakesSpace{Kind::kCreate, Kind::kWrite, Kind::kSync, Kind::kRename};
const std::set<Kind> kWrites{Kind::kWrite};
const std::set<Kind> kReads{Kind::kRead};
const std::set<Kind> kBoth{Kind::kRead, Kind::kWrite};
const std::set<Kind> kElse{Kind::kLook, Kind::kOpen, Kind::kRead, Kind::kRemove, Kind::kClose};

std::vector<Fault> make_faults() {
  std::vector<Fault> out;
  const auto error = [&](const std::string& name, int number, const std::set<Kind>& kinds) {
    const Action fail{What::kFail, number};
    out.push_back({name + ", once", fail, kinds, {}, {}, false});
    out.push_back({name + ", for ever", fail, kinds, fail, kinds, false});
  };
  error("ENOSPC", ENOSPC, kTakesSpace);
  error("EDQUOT", EDQUOT, kTakesSpace);
  error("EIO of a change", EIO, kTakesSpace);
  error("EIO of another call", EIO, kElse);
  const Action half{What::kShort, 0};
  out.push_back({"short write, once", half, kWrites, {}, {}, true});
  out.push_back({"short write, for ever", half, kWrites, half, kWrites, true});
  out.push_back(
      {"short write, then ENOSPC", half, kWrites, {What::kFail, ENOSPC}, kTakesSpace, false});
  out.push_back({"short read, once", half, kReads, {}, {}, true});
  out.push_back({"short read, for ever", half, kReads, half, kReads, true});
  // Not on standard output: stdio does not repeat a write, and no handler lets one be interrupted.
  out.push_back({"EINTR, once", {What::kFail, EINTR}, kBoth, {}, {}, true});
  return out;
}

bool is_below(const std::string& path, const std::string& folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

/// The target of a temporary, other names as they are: ".a.tsv.cdt-tmp-0123" is of "a.tsv".
std::string target_name(const std::string& path) {
  const std::string name = fs::path(path).filename().string();
  const std::size_t infix = name.find(".cdt-tmp-");
  return infix == std::string::npos || name.front() != '.' ? name : name.substr(1, infix - 1);
}

/// Adds what an error line may name after this call failed: the file, its folder, or standard
/// output.
void add_names(const Call& call, const Suite& suite, Words* names) {
  if (call.path == suite.command({}).out) return names->push_back("standard output: ");
  for (const std::string& path : {call.path, call.other}) {
    if (path.empty()) continue;
    for (const std::string& name :
         {target_name(path), fs::path(path).parent_path().filename().string()}) {
      if (std::find(names->begin(), names->end(), name) == names->end()) names->push_back(name);
    }
  }
}

}  // namespace

const std::vector<Fault>& faults() {
  static const std::vector<Fault> all = make_faults();
  return all;
}

Struck run_with(const Suite& suite, const Command& command, const Fault& fault, std::int64_t n) {
  Struck out;
  const std::string folder = suite.folder().string();
  const Tracer tracer{.enter = [&](const Call& call) {
    if (!is_below(call.path, folder) && !is_below(call.other, folder)) return Action{};
    const bool interrupts = fault.first.what == What::kFail && fault.first.error == EINTR;
    if (interrupts && call.path == suite.command({}).out) return Action{};
    const bool struck = n > 0 && out.calls >= n;
    if (!(struck ? fault.then_kinds : fault.kinds).contains(call.kind)) return Action{};
    if (!struck && ++out.calls != n) return Action{};
    if (!struck) out.call = call;
    add_names(call, suite, &out.names);
    return struck ? fault.then : fault.first;
  }};
  out.ended = run(command, tracer);
  return out;
}

void strike_each_call(Suite& suite, const Words& words, const Tree& before, const Fault& fault,
                      std::int64_t few,
                      const std::function<void(std::int64_t n, const Struck& struck)>& look) {
  const Command command = suite.command(words);
  write_tree(out(suite), before);
  const std::int64_t calls = run_with(suite, command, fault, 0).calls;
  for (const std::int64_t n : suite.choose(calls, few)) {
    write_tree(out(suite), before);
    const Struck struck = run_with(suite, command, fault, n);
    if (struck.calls < n) break;  // threads need not make the same calls in every run
    look(n, struck);
  }
}

std::string place(const Struck& struck, std::int64_t n) {
  return "call " + std::to_string(n) + ", " + struck.call.name + " of " + struck.call.path;
}

}  // namespace cdt::test
