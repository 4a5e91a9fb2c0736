// Follows what a traced program does to a folder, for a Disk.
#pragma once

#include <functional>
#include <string>

#include "tests/torture/disk.h"
#include "tests/torture/tracer.h"

namespace cdt::test {

class Recorder {
 public:
  /// `folder` as it is now counts as safe. `changed` is called after each call that changed it.
  Recorder(std::string folder, std::function<void(const Call&)> changed);

  Tracer tracer();
  const Disk& disk() const { return disk_; }

 private:
  bool concerns(const Call& call) const;
  void before(const Call& call);
  void after(const Call& call, std::int64_t result);
  void opened(const Call& call, int file);
  void wrote(const Call& call, std::int64_t bytes);
  void named(const Call& call);

  std::string folder_;
  std::function<void(const Call&)> changed_;
  Disk disk_;
  std::map<pid_t, std::uint64_t> offsets_;  // of the write that each thread is making
};

}  // namespace cdt::test
