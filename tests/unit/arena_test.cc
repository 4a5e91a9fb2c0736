#include "engine/arena.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <string>
#include <vector>

#include "engine/cpu/cpu_backend.h"
#include "engine/error.h"

namespace cdt {
namespace {

class ArenaTest : public ::testing::Test {
 protected:
  CpuBackend backend_{1};
  Arena arena_{backend_, "step"};
};

TEST_F(ArenaTest, TensorsAreAlignedAndDisjoint) {
  const Tensor a = arena_.tensor({3});
  const Tensor b = arena_.tensor({5, 7});
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a.data) % 128, 0U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(b.data) % 128, 0U);
  EXPECT_GE(b.data, a.data + a.count());
  EXPECT_EQ(b.shape, Shape({5, 7}));
}

TEST_F(ArenaTest, FirstHoleThatFitsIsReused) {
  const Tensor a = arena_.tensor({64});
  const Tensor b = arena_.tensor({64});
  const Tensor c = arena_.tensor({64});
  arena_.give_back(a);
  arena_.give_back(b);
  const Tensor both = arena_.tensor({96});  // only the coalesced hole is large enough
  EXPECT_EQ(both.data, a.data);
  EXPECT_LT(both.data, c.data);
}

TEST_F(ArenaTest, HolesCoalesceInEveryOrder) {
  const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  for (const auto& order : orders) {
    const Tensor t[3] = {arena_.tensor({32}), arena_.tensor({100}), arena_.tensor({1})};
    for (const int i : order) arena_.give_back(t[i]);
    EXPECT_EQ(arena_.used(), 0U);
    const Tensor all = arena_.tensor({(1 << 18) - 32});  // larger than either of them
    EXPECT_EQ(all.data, t[0].data);
    arena_.give_back(all);
  }
}

TEST_F(ArenaTest, UsedAndPeak) {
  const Tensor a = arena_.tensor({1024});
  const std::size_t one = arena_.used();
  EXPECT_GE(one, 4096U);
  arena_.give_back(a);
  EXPECT_EQ(arena_.used(), 0U);
  EXPECT_EQ(arena_.peak(), one);
  arena_.tensor({8});
  EXPECT_EQ(arena_.peak(), one);
}

TEST_F(ArenaTest, AddressesRepeatAfterReset) {
  const float* first = arena_.tensor({10}).data;
  const float* second = arena_.tensor({20}).data;
  arena_.reset();
  EXPECT_EQ(arena_.used(), 0U);
  EXPECT_EQ(arena_.tensor({10}).data, first);
  EXPECT_EQ(arena_.tensor({20}).data, second);
}

TEST_F(ArenaTest, GrowsAndFindsTheSameAddressesAgain) {
  const auto step = [&] {
    std::vector<const float*> addresses;
    std::vector<Tensor> tensors;
    for (const std::int64_t mib : {20, 20, 50, 15, 9, 130, 5}) {
      tensors.push_back(arena_.tensor({mib << 18U}));
      addresses.push_back(tensors.back().data);
      if (mib == 50) arena_.give_back(tensors[1]);
    }
    return addresses;
  };
  const auto first = step();
  EXPECT_EQ(first[3], first[1]);  // reuses the hole, although there is room after the third tensor
  const std::size_t held = arena_.held();
  EXPECT_GE(held, arena_.peak());
  for (int i = 0; i < 2; ++i) {
    arena_.reset();
    EXPECT_EQ(step(), first);
    EXPECT_EQ(arena_.held(), held);
  }
}

TEST_F(ArenaTest, ExhaustionNamesArenaAndSizes) {
  try {
    arena_.tensor({100});
    arena_.tensor({std::int64_t{1} << 44U});
    FAIL() << "no error";
  } catch (const Error& e) {
    const std::string what = e.what();
#ifndef CDT_DEBUG  // whose canary adds 128 bytes
    EXPECT_NE(what.find("arena step: no 70368744177664 bytes more, with "), std::string::npos)
        << what;
#endif
    EXPECT_EQ(what.find("arena step: no 70368744177"), 0U) << what;
    EXPECT_NE(what.find("out of memory"), std::string::npos) << what;
  }
  EXPECT_EQ(arena_.tensor({8}).count(), 8);  // unchanged
}

TEST_F(ArenaTest, GivesItsMemoryBackToTheDevice) {
  constexpr std::int64_t kValues = 1 << 26;
  const std::int64_t machine = sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
  // Tensors that have more memory, in total, than the machine.
  const std::int64_t more = 2 + 3 * machine / 2 / (kValues * std::int64_t{sizeof(float)});
  for (std::int64_t i = 0; i < more; ++i) {
    Arena arena(backend_, "step");
    arena.tensor({kValues});
  }
}

TEST_F(ArenaTest, FreeOfAForeignPointerIsAnError) {
  const Tensor a = arena_.tensor({8});
  EXPECT_THROW(arena_.give_back({a.data + 1, {8}}), Error);
  arena_.give_back(a);
  EXPECT_THROW(arena_.give_back(a), Error);
}

TEST_F(ArenaTest, ScratchGoesBackAtTheEndOfItsScope) {
  {
    const Scratch s(arena_, {4, 4});
    EXPECT_EQ((*s).count(), 16);
    EXPECT_GT(arena_.used(), 0U);
  }
  EXPECT_EQ(arena_.used(), 0U);
}

#ifdef CDT_DEBUG

TEST_F(ArenaTest, FreedMemoryIsPoisoned) {
  const Tensor a = arena_.tensor({8});
  backend_.fill(a, 1.0F);
  arena_.give_back(a);
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(std::isnan(a.data[i]));
}

TEST_F(ArenaTest, WritingPastTheEndIsFound) {
  const Tensor a = arena_.tensor({32});
  a.data[32] = 0.0F;
  EXPECT_THROW(arena_.give_back(a), Error);
  EXPECT_THROW(arena_.reset(), Error);
}

#endif

}  // namespace
}  // namespace cdt
