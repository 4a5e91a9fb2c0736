// The bounds on memory of engine/memory_limit.h, from written copies of the system's files.
#include "engine/memory_limit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "engine/control_groups.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;

class MemoryLimits : public ::testing::Test {
 protected:
  void SetUp() override {
    write("/proc/meminfo",
          "MemTotal:       8192 kB\nMemFree: 1 kB\nMemAvailable:   6144 kB\n"
          "SwapTotal:      1024 kB\nHugetlb:         512 kB\n");
    write("/proc/self/status",
          "Name:\tcdt\nVmSize:\t    3072 kB\nRssAnon:\t     256 kB\n"
          "VmData:\t    2048 kB\n");
  }
  void write(const fs::path& file, const std::string& text) const {
    fs::create_directories(below(dir.path, file).parent_path());
    std::ofstream(below(dir.path, file)) << text;
  }
  void mount(const std::string& part, const std::string& point, bool unified) const {
    std::ofstream(below(dir.path, "/proc/self/mountinfo"), std::ios::app)
        << "31 23 0:28 / /sys rw shared:1 - tmpfs tmpfs rw,mode=755\n"
        << "35 31 0:32 " << part << " " << point << " rw,relatime shared:2 - "
        << (unified ? "cgroup2 cgroup2 rw\n" : "cgroup cgroup rw,cpu,memory\n");
  }
  std::vector<MemoryBound> bounds(const ProcessLimits& limits = {}) const {
    return memory_bounds(dir.path, limits);
  }
  std::vector<std::string> groups() const {
    std::vector<std::string> out;
    for (const ControlGroup& group : memory_groups(dir.path)) out.push_back(group.folder);
    return out;
  }
  using Names = std::vector<std::string>;

  test::TempDir dir;
};

TEST_F(MemoryLimits, OfTheMachineWithoutGroups) {
  const std::vector<MemoryBound> found = bounds();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, "this machine");
  EXPECT_EQ(found[0].held, kMiB / 4);
  EXPECT_EQ(found[0].allowed, (8192 - 512 + 1024) * std::uint64_t{1024});
  EXPECT_EQ(found[0].free, 6 * kMiB);
  EXPECT_EQ(found[0].room(), found[0].allowed - kMiB / 4);
}

TEST_F(MemoryLimits, OfTheProcess) {
  const std::vector<MemoryBound> found = bounds({4 * kMiB, kMiB});
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[1].name, "ulimit -v");
  EXPECT_EQ(found[1].free, kMiB);
  EXPECT_EQ(found[2].name, "ulimit -d");
  EXPECT_EQ(found[2].held, 2 * kMiB);
  EXPECT_EQ(found[2].free, 0U);
  EXPECT_TRUE(found[2].shared_by.empty());
}

TEST_F(MemoryLimits, OfGroupsOfVersion2) {
  write("/proc/self/cgroup", "0::/a/b\n");
  mount("/", "/groups", true);
  write("/groups/a/b/memory.max", "max\n");
  write("/groups/a/b/memory.high", "1048576\n");
  write("/groups/a/b/memory.current", "786432\n");
  write("/groups/a/b/memory.stat", "anon 1\nactive_file 262144\ninactive_file 131072\n");
  write("/groups/a/memory.max", "3145728\n");
  write("/groups/a/memory.swap.max", "4096\n");
  write("/groups/a/memory.current", "1048576\n");
  EXPECT_EQ(groups(), (Names{"/groups/a/b", "/groups/a", "/groups"}));
  const std::vector<MemoryBound> found = bounds();
  ASSERT_EQ(found.size(), 3U);
  // memory.high slows a process down, but does not end it.
  EXPECT_EQ(found[0].name, "cgroup /groups/a/b/memory.high");
  EXPECT_EQ(found[0].allowed, kNoBound);
  EXPECT_EQ(found[0].free, std::uint64_t{1048576 - (786432 - 262144 - 131072)});
  EXPECT_EQ(found[1].name, "cgroup /groups/a/memory.max");
  EXPECT_EQ(found[1].allowed, std::uint64_t{3145728 + 4096});
  EXPECT_EQ(found[1].free, std::uint64_t{3145728 - 1048576});
  EXPECT_EQ(least_allowed(found).name, found[1].name);
  EXPECT_EQ(least_free(found), found[0].free);
}

TEST_F(MemoryLimits, SwapOfAGroupIsNoMoreThanTheMachines) {
  write("/proc/self/cgroup", "0::/\n");
  mount("/", "/groups", true);
  write("/groups/memory.max", "2097152\n");
  for (const char* swap : {"max\n", "99999999999\n"}) {
    write("/groups/memory.swap.max", swap);
    EXPECT_EQ(bounds()[0].allowed, 3 * kMiB) << swap;
  }
  write("/groups/memory.swap.max", "0\n");
  EXPECT_EQ(bounds()[0].allowed, 2 * kMiB);
}

TEST_F(MemoryLimits, OfGroupsOfVersion1) {
  write("/proc/self/cgroup", "3:cpuset:/c\n2:cpu,memory:/a/b\n1:name=systemd:/d\n0::/u\n");
  mount("/", "/sys/fs/cgroup/memory", false);
  write("/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "2097152\n");
  write("/sys/fs/cgroup/memory/a/b/memory.memsw.limit_in_bytes", "2097153\n");
  write("/sys/fs/cgroup/memory/a/b/memory.usage_in_bytes", "1048576\n");
  write("/sys/fs/cgroup/memory/a/b/memory.stat",
        "active_file 7\ntotal_active_file 4096\ntotal_inactive_file 4096\n");
  // The kernel's "none".
  write("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n");
  const std::vector<MemoryBound> found = bounds();
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].allowed, 3 * kMiB);  // the rest may be swapped out
  EXPECT_EQ(found[0].free, kMiB + 8192);
  EXPECT_EQ(found[1].name, "cgroup /sys/fs/cgroup/memory/a/b/memory.memsw.limit_in_bytes");
  EXPECT_EQ(found[1].allowed, 2 * kMiB + 1);
  EXPECT_EQ(least_allowed(found).name, found[1].name);
  EXPECT_EQ(found[2].allowed, 9223372036854771712U + kMiB);
}

TEST_F(MemoryLimits, AGroupOfVersion1ThatDoesNotCountItsChildren) {
  write("/proc/self/cgroup", "2:memory:/a/b\n");
  mount("/", "/m", false);
  write("/m/a/b/memory.use_hierarchy", "0\n");
  write("/m/a/memory.use_hierarchy", "0\n");
  EXPECT_EQ(groups(), Names{"/m/a/b"});
  write("/m/a/memory.use_hierarchy", "1\n");
  EXPECT_EQ(groups(), (Names{"/m/a/b", "/m/a", "/m"}));
}

struct InContainer {
  const char* what;
  const char* part;
  const char* group;
  std::vector<std::string> want;
};

TEST_F(MemoryLimits, InContainers) {
  const std::vector<InContainer> cases = {
      {"a namespace of groups", "/", "/", {"/m"}},
      {"the path of the host, and a mount of that group", "/docker/7", "/docker/7", {"/m"}},
      {"a group within it", "/docker/7", "/docker/7/x", {"/m/x", "/m"}},
      {"a group with a longer name", "/docker/7", "/docker/77", {}},
      {"another group is mounted", "/docker/8", "/docker/7", {}},
      {"the process was moved out of its namespace", "/", "/../x", {}},
      {"a mount from outside, of which the namespace is a part", "/../..", "/x", {"/m"}},
      {"a mount from outside, and a process moved there", "/..", "/../x", {"/m/x", "/m"}},
      {"a mount of another group outside", "/../y", "/x", {}}};
  for (const InContainer& c : cases) {
    fs::remove(below(dir.path, "/proc/self/mountinfo"));
    write("/proc/self/cgroup", "0::" + std::string(c.group) + "\n");
    mount(c.part, "/m", true);
    EXPECT_EQ(groups(), c.want) << c.what;
  }
}

TEST_F(MemoryLimits, OddNamesAndOtherMounts) {
  write("/proc/self/cgroup", "0::/a b:c\nno colons\n1:only one\n");
  write("/proc/self/mountinfo", "short line\n1 2 3:4 / - cgroup2\n");
  mount("/elsewhere", "/first", true);
  mount("/", "/with\\040space\\134", true);
  EXPECT_EQ(groups(), (Names{"/with space\\/a b:c", "/with space\\"}));
}

TEST_F(MemoryLimits, WhatIsNoNumberBoundsNothing) {
  write("/proc/self/cgroup", "0::/\n");
  mount("/", "/m", true);
  for (const char* text :
       {"", "max", "-1", "+5", "1e9", "12 34", "0x10", "18446744073709551616", "12.5", "\n"}) {
    write("/m/memory.max", text);
    EXPECT_EQ(bounds().size(), 1U) << text;
  }
  fs::remove(below(dir.path, "/m/memory.max"));
  fs::create_directories(below(dir.path, "/m/memory.max"));
  EXPECT_EQ(bounds().size(), 1U) << "a folder";
  fs::remove(below(dir.path, "/m/memory.max"));
  // The largest number is a bound, beyond which nothing is added.
  write("/m/memory.max", " 18446744073709551615 \n");
  EXPECT_EQ(bounds().at(0).allowed, kNoBound);
  write("/m/memory.max", "0");
  EXPECT_EQ(bounds().at(0).allowed, kMiB);
  EXPECT_EQ(bounds().at(0).free, 0U);
}

TEST_F(MemoryLimits, NothingCanBeRead) {
  const test::TempDir empty;
  const std::vector<MemoryBound> none = memory_bounds(empty.path, {});
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(least_allowed(none).allowed, kNoBound);
  EXPECT_EQ(least_free(none), 0U);
  write("/proc/meminfo", "MemTotal: lots kB\nSwapTotal:\n");
  write("/proc/self/status", "RssAnon: 99999999999999999999 kB\n");
  EXPECT_TRUE(bounds().empty());
}

TEST_F(MemoryLimits, GroupsAreToldApartWhereTheirPathsAreNot) {
  write("/proc/self/cgroup", "0::/\n");
  write("/proc/sys/kernel/random/boot_id", "one-boot\n");
  mount("/", "/m", true);
  write("/m/memory.max", "5");
  const std::string name = bounds().at(0).shared_by;
  EXPECT_EQ(bounds().at(0).shared_by, name);
  EXPECT_EQ(name.rfind("one-boot ", 0), 0U);
  fs::rename(below(dir.path, "/m"), below(dir.path, "/old"));
  write("/m/memory.max", "5");
  EXPECT_NE(bounds().at(0).shared_by, name);
  EXPECT_EQ(bounds().at(1).shared_by, "one-boot");
}

// What this machine says must be usable.
TEST(MemoryLimitsHere, AreNoLessThanWhatThisProcessHolds) {
  const std::vector<MemoryBound> found = memory_bounds();
  ASSERT_FALSE(found.empty());
  for (const MemoryBound& bound : found) {
    EXPECT_GT(bound.held, kMiB / 4) << bound.name;
    EXPECT_GT(bound.allowed, bound.held) << bound.name;
  }
}

}  // namespace
}  // namespace cdt
