// Files for torch.load, read back: the values are those that were written. PyTorch itself reads
// them in tests/parity/exchange.py.
#include "io/format/pt_writer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "io/format/pt.h"
#include "io/format/zip_writer.h"
#include "tests/support/input_error.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

using test::expect_message;
using test::input_error;
using Kind = PickleValue::Kind;

class PtWriterTest : public ::testing::Test {
 protected:
  test::TempDir dir_;
  std::filesystem::path path_ = dir_.path / "model.pt";
};

TEST_F(PtWriterTest, PlainValues) {
  const std::vector<std::int64_t> integers = {0,
                                              1,
                                              255,
                                              256,
                                              65535,
                                              65536,
                                              std::numeric_limits<std::int32_t>::max(),
                                              std::int64_t{1} << 40U,
                                              std::numeric_limits<std::int64_t>::max(),
                                              -1,
                                              std::numeric_limits<std::int64_t>::min()};
  const std::vector<double> reals = {0.1, -0.0, -std::numeric_limits<double>::infinity(), 1e-300};
  PtWriter out;
  out.begin_dict();
  out.key("integers");
  out.begin_list();
  for (const std::int64_t value : integers) out.integer(value);
  out.end_list();
  out.key(7);
  out.begin_tuple();
  for (const double value : reals) out.real(value);
  out.end_tuple();
  out.boolean("yes", true);
  out.boolean("no", false);
  out.none("nothing");
  out.text("text", "caf\xc3\xa9");
  out.key("empty");
  out.begin_list();
  out.end_list();
  out.end_dict();
  out.write(path_);

  const PtArchive file(path_);
  const PickleValue& root = file.root();
  const PickleValue& list = *root.find("integers");
  ASSERT_EQ(list.items.size(), integers.size());
  for (std::size_t i = 0; i < integers.size(); ++i) {
    EXPECT_TRUE(list.items[i]->is(Kind::kInteger));
    EXPECT_EQ(list.items[i]->integer, integers[i]);
  }
  ASSERT_TRUE(root.items[2]->is(Kind::kInteger) && root.items[2]->integer == 7);
  const PickleValue& tuple = *root.items[3];
  ASSERT_EQ(tuple.items.size(), reals.size());
  for (std::size_t i = 0; i < reals.size(); ++i) EXPECT_EQ(tuple.items[i]->real, reals[i]);
  EXPECT_EQ(root.find("yes")->integer, 1);
  EXPECT_EQ(root.find("no")->integer, 0);
  EXPECT_TRUE(root.find("nothing")->is(Kind::kNone));
  EXPECT_EQ(root.find("text")->text, "caf\xc3\xa9");
  EXPECT_TRUE(root.find("empty")->is(Kind::kList) && root.find("empty")->items.empty());
}

TEST_F(PtWriterTest, TensorsAndAttributes) {
  const std::vector<float> values = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  PtWriter out;
  out.begin_ordered_dict();
  out.key("cube");
  out.tensor({"", {2, 3, 2}, values.data()});
  out.key("one");
  out.tensor({"", {}, nullptr, [](float* to) { *to = 0.5F; }});
  out.key("none");
  out.tensor({"", {0, 3}, values.data()});
  out.end_ordered_dict({{"format", "f"}, {"config", "{}"}});
  out.write(path_);

  const PtReader file(path_);
  ASSERT_EQ(file.tensors().size(), 3U);
  EXPECT_EQ(file.info("cube").shape, (std::vector<std::int64_t>{2, 3, 2}));
  EXPECT_EQ(file.info("one").shape, std::vector<std::int64_t>{});
  EXPECT_EQ(file.info("none").shape, (std::vector<std::int64_t>{0, 3}));
  std::vector<float> got(12);
  file.read("cube", got.data());
  EXPECT_EQ(got, values);
  file.read("one", got.data());
  EXPECT_EQ(got[0], 0.5F);
  EXPECT_EQ(file.metadata(),
            (std::map<std::string, std::string>{{"config", "{}"}, {"format", "f"}}));
}

/// Larger than a piece, and read by two threads.
TEST_F(PtWriterTest, LargeTensorsAndTheirDamage) {
  std::vector<float> values((std::size_t{5} << 20U) / sizeof(float) + 3);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 1000);
  PtWriter out;
  out.begin_dict();
  out.key("w");
  out.tensor({"", {static_cast<std::int64_t>(values.size())}, values.data()});
  out.end_dict();
  out.write(path_);
  std::vector<float> got(values.size());
  PtReader(path_).read("w", got.data());
  EXPECT_EQ(got, values);
  std::string bytes = test::read_bytes(path_);
  for (const std::size_t at : {bytes.size() / 4, bytes.size() / 4 * 3}) {
    std::string bad = bytes;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    test::write_bytes(path_, bad);
    expect_message(input_error([&] { PtReader(path_).read("w", got.data()); }), path_,
                   "archive/data/0", "checksum differs");
  }
}

TEST_F(PtWriterTest, AFailureLeavesNothing) {
  PtWriter out;
  out.begin_dict();
  out.key("w");
  out.tensor({"", {3}, nullptr, [](float*) { throw Error("no values"); }});
  out.end_dict();
  EXPECT_THROW(out.write(path_), Error);
  EXPECT_TRUE(std::filesystem::is_empty(dir_.path));
}

TEST_F(PtWriterTest, ZipMembersAreAlignedAndWideWhereTheyMustBe) {
  for (const std::uint64_t in64_from : {ZipWriter::kIn64, std::uint64_t{100}}) {
    {
      AtomicFile file(path_);
      ZipWriter zip(file, in64_from);
      zip.member("a", "short");
      zip.begin("folder/long", 1000);
      for (int i = 0; i < 10; ++i) zip.append(std::string(100, 'x').data(), 100);
      zip.member("empty", "");
      zip.finish();
      file.commit();
    }
    const ZipArchive zip(path_);
    zip.expect_all_listed();
    EXPECT_EQ(zip.members().size(), 3U);
    for (const auto& [name, member] : zip.members()) EXPECT_EQ(zip.stored_begin(name) % 64, 0U);
    EXPECT_EQ(zip.read("a", 100), "short");
    EXPECT_EQ(zip.read("folder/long", 1000), std::string(1000, 'x'));
    EXPECT_EQ(zip.read("empty", 0), "");
    const bool wide = test::read_bytes(path_).find("PK\x06\x06") != std::string::npos;
    EXPECT_EQ(wide, in64_from == 100);
  }
}

}  // namespace
}  // namespace cdt
