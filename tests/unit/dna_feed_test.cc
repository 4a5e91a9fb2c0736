#include "model/dna_feed.h"

#include <gtest/gtest.h>

#include <vector>

#include "engine/backend.h"
#include "engine/bfloat16.h"
#include "engine/error.h"
#include "tests/support/small_dataset.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_backend.h"

namespace cdt {
namespace {

using Rows = std::vector<std::int32_t>;

class DnaFeedTest : public testing::Test {
 protected:
  DnaFeedTest() : data(write(dir.path / "data")), lasting(*backend, "lasting") {}

  static std::filesystem::path write(const std::filesystem::path& path) {
    test::write_small_dataset(path, {{Split::kTrain, 0, 0, 0.5F, -1}});
    return path;
  }
  std::vector<float> on_disk(const Rows& rows) const {
    std::vector<float> out;
    std::vector<float> row(static_cast<std::size_t>(data.bins * data.dna_dim));
    for (const std::int32_t r : rows) {
      data.read_dna(r, row.data());
      out.insert(out.end(), row.begin(), row.end());
    }
    if (backend->activations() == Dtype::kBFloat16) {
      for (float& x : out) x = to_float(to_bfloat16(x));
    }
    return out;
  }
  /// Takes the requests in order; each is started while the one before it is in use.
  void expect_rows(DnaFeed& feed, const std::vector<Rows>& requests) {
    feed.start(requests.front());
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const Tensor dna = feed.take();
      if (i + 1 < requests.size()) feed.start(requests[i + 1]);
      EXPECT_EQ(dna.shape, Shape({static_cast<std::int64_t>(requests[i].size()), 4, 3}));
      EXPECT_EQ(to_host(*backend, dna), on_disk(requests[i])) << "request " << i;
    }
  }

  test::TempDir dir;
  Dataset data;
  std::unique_ptr<Backend> backend = test::make_test_backend();
  Arena lasting;
};

TEST_F(DnaFeedTest, RowsAsAskedForRepeatsIncluded) {
  DnaFeed feed(data, *backend, lasting, 4);
  expect_rows(feed, {{2, 0, 2, 1}, {3}, {4, 4, 4, 4}, {1, 0}, {0, 1, 0, 1}});
}

// If the device has memory of its own, three rows stay there and the others in pinned memory.
TEST_F(DnaFeedTest, RowsThatStayAndRowsThatDoNot) {
  const std::size_t row =
      static_cast<std::size_t>(data.bins * data.dna_dim * bytes_of(backend->activations()));
  lasting.tensor({1});  // so that the feed's tensors do not grow the arena
  const std::size_t free = backend->free_bytes();
  DnaFeed feed(data, *backend, lasting, 4, 5, free > 0 ? free - 3 * row : 0);
  expect_rows(feed, {{4, 2}, {2, 0, 1, 2}, {3, 1, 4, 3}, {0, 1, 2, 3}, {3, 3, 1, 1}});
  EXPECT_EQ(feed.cache().rows_on_device(), free > 0 ? 3 : 0);
  EXPECT_EQ(feed.cache().rows_on_host(), free > 0 ? 2 : 0);
}

TEST_F(DnaFeedTest, MoreRowsThanARequestHasAreRefused) {
  DnaFeed feed(data, *backend, lasting, 2);
  EXPECT_THROW(feed.start({0, 1, 2}), Error);
}

}  // namespace
}  // namespace cdt
