// Files that PyTorch would read differently from this reader: refused, each by name.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "io/format/pt.h"
#include "tests/support/input_error.h"
#include "tests/support/temp_dir.h"
#include "tests/support/zip_bytes.h"

namespace cdt {
namespace {

using test::expect_message;
using test::input_error;

std::string text(const std::string& value) { return "X" + test::number(value.size(), 4) + value; }

/// A reference to storage "data/0" of type `type`.
std::string storage(const std::string& type, int values) {
  return "(" + text("storage") + "ctorch\n" + type + "\n" + text("0") + text("cpu") + "K" +
         test::number(static_cast<std::uint64_t>(values), 1) + "tQ";
}

/// The whole storage as a tensor; `more` holds further arguments.
std::string tensor(const std::string& stored, int values, const std::string& more = "") {
  const std::string count = "K" + test::number(static_cast<std::uint64_t>(values), 1) + "\x85";
  return "ctorch._utils\n_rebuild_tensor_v2\n(" + stored + "K" + std::string(1, '\0') + count +
         "K\x01\x85\x89N" + more + "tR";
}

class PtReadings : public ::testing::Test {
 protected:
  /// The error for a file with this pickle and four float32.
  std::string error(const std::string& pickle, const std::vector<test::ZipEntry>& more = {}) {
    std::vector<test::ZipEntry> members = {{"a/data.pkl", "\x80\x02" + pickle + "."},
                                           {"a/data/0", std::string(16, '\0')}};
    members.insert(members.end(), more.begin(), more.end());
    test::write_bytes(path_, test::zip(members));
    return input_error([&] {
      std::vector<float> values(4);
      PtReader(path_).read("w", values.data());
    });
  }
  /// The error for a dict with one tensor, "w".
  std::string error_of(const std::string& tensor) { return error("}" + text("w") + tensor + "s"); }

  const std::string floats_ = storage("FloatStorage", 4);
  test::TempDir dir_;
  std::filesystem::path path_ = dir_.path / "model.pt";
};

TEST_F(PtReadings, PlainTensorsAreRead) {
  EXPECT_EQ(error_of(tensor(floats_, 4)), "");
  EXPECT_EQ(error_of(tensor(floats_, 4, "}")), "");
  EXPECT_EQ(error_of(tensor(floats_, 4, "N")), "");
}

TEST_F(PtReadings, ViewsThatNegate) {
  expect_message(error_of(tensor(floats_, 4, "}" + text("neg") + "\x88s")), path_, "w",
                 "negates its storage");
}

TEST_F(PtReadings, TensorsChangedAfterwards) {
  expect_message(error_of(tensor(floats_, 4) + "(" + floats_ + "tb"), path_, "w",
                 "changed after it was made");
}

TEST_F(PtReadings, StoragesOfTwoTypes) {
  const std::string halves = tensor(storage("HalfStorage", 8), 8);
  const std::string model = "}" + text("w") + tensor(floats_, 4) + "s";
  const std::string pickle = "}(" + text("x") + halves + text("model") + model + "u";
  expect_message(error(pickle), path_, "data/0",
                 "two types (expected torch.HalfStorage, got torch.FloatStorage)");
}

TEST_F(PtReadings, TuplesThatAreNoStorages) {
  const std::string tuple = floats_.substr(0, floats_.size() - 1);
  expect_message(error_of(tensor(tuple, 4)), path_, "w", "a tensor without its storage");
}

TEST_F(PtReadings, MembersThatDifferInCaseOnly) {
  expect_message(error("}" + text("w") + tensor(floats_, 4) + "s", {{"A/DATA/0", ""}}), path_,
                 "a/data/0", "except for its case");
}

TEST_F(PtReadings, TextThatIsNoUtf8) {
  for (const char* bytes : {"\xff", "\xc3", "\xed\xa0\x80"}) {
    expect_message(error("}" + text(bytes) + tensor(floats_, 4) + "s"), path_, "data.pkl",
                   "a text is no UTF-8");
  }
}

}  // namespace
}  // namespace cdt
