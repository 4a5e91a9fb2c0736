// Whether a plan fits (apps/common/memory_check.h): the boundary to the byte, the size that fits,
// ranks that share a bound.
#include "apps/common/memory_check.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/error.h"
#include "engine/forwarding_backend.h"
#include "tests/support/thread_ranks.h"

namespace cdt {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;

/// A plan that is proportional to the size: `size` GiB in arenas.
MemoryPlan plan_of(std::int64_t size) {
  MemoryPlan plan;
  plan.weights = static_cast<std::size_t>(size) * (kGiB / 2);
  plan.activations = plan.weights;
  plan.reserved = 2 * plan.arenas();
  return plan;
}

class MemoryCheck : public ::testing::Test {
 protected:
  /// The message of the refusal; "" if there is none.
  std::string refusal(std::int64_t asked, std::vector<MemoryBound> bounds,
                      std::int64_t multiple = 1, std::size_t already = 0) {
    const MemoryQuestion question{"--size",
                                  "the work",
                                  asked,
                                  multiple,
                                  plan_of,
                                  already,
                                  [](std::int64_t fits, const std::string& needed) {
                                    return std::to_string(fits) + " of " + needed;
                                  }};
    try {
      EXPECT_EQ(plan_that_fits(question, bounds, *device).weights, plan_of(asked).weights);
      return "";
    } catch (const InputError& error) {
      return error.what();
    }
  }
  static MemoryBound bound(std::uint64_t allowed, std::uint64_t held = 0,
                           MemoryKind kind = MemoryKind::kResident) {
    MemoryBound out{"a bound", kind, "", held, allowed, allowed};
    out.free = out.room();
    return out;
  }

  std::unique_ptr<Backend> device = make_cpu_backend(2);
};

TEST_F(MemoryCheck, RefusesFromTheFirstByteThatCannotFit) {
  EXPECT_EQ(refusal(4, {}), "");
  EXPECT_EQ(refusal(4, {bound(4 * kGiB)}), "");
  EXPECT_NE(refusal(4, {bound(4 * kGiB - 1)}), "");
  EXPECT_EQ(refusal(4, {bound(5 * kGiB, kGiB)}), "");
  EXPECT_NE(refusal(4, {bound(5 * kGiB, kGiB + 1)}), "");
  // What exists already is part of what is held.
  EXPECT_EQ(refusal(4, {bound(5 * kGiB, 3 * kGiB)}, 1, 2 * kGiB), "");
  EXPECT_NE(refusal(4, {bound(5 * kGiB, 3 * kGiB + 1)}, 1, 2 * kGiB), "");
  // Memory that others use now may be free later.
  MemoryBound busy = bound(4 * kGiB);
  busy.free = 0;
  EXPECT_EQ(refusal(4, {busy}), "");
}

TEST_F(MemoryCheck, NamesTheSizeThatFitsAndTheTightestBound) {
  // Beside the plan the libraries need some room, so that not all 7 GiB are the plan's.
  EXPECT_EQ(refusal(12, {bound(7 * kGiB)}),
            "command line: --size: the work takes at least 12.0 GiB of memory, and a bound allows "
            "7.0 GiB; 6 of 1.0 GiB");
  EXPECT_NE(refusal(12, {bound(7 * kGiB)}, 4).find("; 4 of 4.1 GiB"), std::string::npos);
  EXPECT_NE(refusal(12, {bound(kGiB)}).find("; 0 of 1.0 GiB"), std::string::npos);
  MemoryBound tight = bound(2 * kGiB);
  tight.name = "the tightest";
  EXPECT_NE(refusal(12, {bound(3 * kGiB), tight, bound(9 * kGiB)}).find("the tightest allows 2.0"),
            std::string::npos);
  // A size that fits by what is allowed may not fit by what is free.
  MemoryBound busy = bound(7 * kGiB);
  busy.free = 3 * kGiB;
  EXPECT_NE(refusal(12, {busy}).find("; 2 of"), std::string::npos);
}

TEST_F(MemoryCheck, AddressSpaceIsTakenInLargerPieces) {
  EXPECT_EQ(refusal(4, {bound(4 * kGiB, 0, MemoryKind::kAddressSpace)}), "");
  EXPECT_NE(refusal(4, {bound(4 * kGiB - 1, 0, MemoryKind::kAddressSpace)}), "");
  EXPECT_NE(refusal(12, {bound(7 * kGiB, 0, MemoryKind::kAddressSpace)}).find("; 3 of 2.2 GiB"),
            std::string::npos);
}

TEST_F(MemoryCheck, BuffersOfTheHostAreNotCertain) {
  MemoryPlan plan = plan_of(2);
  plan.host = plan.work = kGiB;
  const MemoryDemand resident = demand_of(plan, *device, 0, MemoryKind::kResident);
  EXPECT_EQ(resident.least, 2 * kGiB);
  EXPECT_GT(resident.most, 4 * kGiB);
  EXPECT_EQ(demand_of(plan, *device, 0, MemoryKind::kData).least, 3 * kGiB);
}

/// A device with memory of its own.
class OwnMemory final : public ForwardingBackend {
 public:
  using ForwardingBackend::ForwardingBackend;
  std::size_t free_bytes() const override { return 3 * kGiB; }
  std::size_t used_bytes() const override { return kGiB; }
#define CALL(type, name, parameters, arguments)
#define KERNEL(name, parameters, arguments, work) \
  void name parameters override { device().name arguments; }
#include "engine/backend_functions.inc"
};

TEST_F(MemoryCheck, OfADeviceWithMemoryOfItsOwn) {
  const std::unique_ptr<Backend> host = std::exchange(device, nullptr);
  device = std::make_unique<OwnMemory>(*host);
  const std::vector<MemoryBound> bounds = with_device(*device, {bound(kGiB)});
  EXPECT_EQ(refusal(3, bounds), "");  // the host holds none of the arenas
  EXPECT_NE(refusal(4, bounds).find("takes at least 5.0 GiB of memory, and the GPU allows 4.0 GiB"),
            std::string::npos);
  EXPECT_EQ(refusal(4, bounds, 1, kGiB), "");
}

TEST(MemoryOfRanks, IsDividedAmongThoseUnderABound) {
  const std::vector<MemoryBound> alone = memory_bounds();
  ThreadRanks all(3);
  all.run([&](Communicator& ranks) {
    const std::vector<MemoryBound> found = bounds_among(ranks);
    ASSERT_EQ(found.size(), alone.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].name, alone[i].name);
      if (alone[i].allowed == kNoBound) continue;
      const std::uint64_t sharing = alone[i].shared_by.empty() ? 1 : 3;
      EXPECT_EQ(found[i].allowed, alone[i].allowed / sharing);
    }
  });
}

}  // namespace
}  // namespace cdt
