// What the parent makes of the answers of a process that reads HDF5 and lies.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "io/format/hdf5/protocol.h"
#include "io/format/hdf5/proxy.h"
#include "tests/support/sandbox_work.h"

namespace cdt {
namespace {

using Ending = SandboxError::Ending;

std::string bytes_of_head(std::uint8_t refused, std::uint64_t bytes) {
  std::string out(sizeof(AnswerHead), '\0');
  const AnswerHead head{refused, bytes};
  std::memcpy(out.data(), &head, sizeof(head));
  return out;
}

/// An answer with the size that its body has.
std::string answer(const std::string& body) { return bytes_of_head(0, body.size()) + body; }
std::string refusal(const std::string& body) { return bytes_of_head(1, body.size()) + body; }

std::string described(std::uint8_t type, const std::vector<std::uint64_t>& axes) {
  return answer(description_body({.float_type = type, .untyped = false, .axes = axes}));
}

std::string packed(const std::vector<std::string>& texts) {
  std::string body;
  for (const std::string& text : texts) append_string(text, &body);
  return body;
}

const std::string kOpened = answer("");
const std::string kFour = described(3, {2, 2});  // float32 (2, 2)

class ImportAnswers : public testing::Test {
 protected:
  /// A file whose process gives these answers, whatever it is asked, then ends.
  Hdf5FileProxy file(
      const std::vector<std::string>& answers, void (*last)() = [] {}) const {
    return Hdf5FileProxy(
        std::make_shared<const InputFile>(work.path),
        [&answers, last](const SandboxEnds& ends) {
          for (const std::string& bytes : answers) {
            RequestHead head;
            read_request(ends.requests, &head, sizeof(head));
            std::string name(head.name_bytes, '\0');
            read_request(ends.requests, name.data(), name.size());
            write_answer(ends.answers, bytes.data(), bytes.size());
          }
          last();
        },
        work.limits);
  }
  template <typename Use>
  void expect(
      Ending ending, const std::vector<std::string>& answers, Use&& use,
      void (*last)() = [] {}) const {
    SCOPED_TRACE(testing::PrintToString(answers.back()));
    try {
      const Hdf5FileProxy lying = file(answers, last);
      use(lying);
      ADD_FAILURE() << "accepted";
    } catch (const SandboxError& error) {
      EXPECT_EQ(error.ending(), ending) << error.what();
      EXPECT_TRUE(std::string(error.what()).starts_with(work.path.string() + ": HDF5: "));
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
    }
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
  }
  template <typename Use>
  void expect_refused(const std::vector<std::string>& answers, Use&& use) const {
    expect(Ending::kBadAnswer, answers, use);
  }

  test::SandboxWork work;
};

const auto kNothing = [](const Hdf5FileProxy&) {};
const auto kOpen = [](const Hdf5FileProxy& file) { file.dataset("x"); };
const auto kFloats = [](const Hdf5FileProxy& file) { file.dataset("x").read_floats(); };
const auto kIntegers = [](const Hdf5FileProxy& file) { file.dataset("x").read_integers(); };
const auto kStrings = [](const Hdf5FileProxy& file) { file.dataset("x").read_strings(); };
const auto kRow = [](const Hdf5FileProxy& file) {
  std::vector<float> row(2);
  file.dataset("x").read_row(1, row.data());
};
const auto kNames = [](const Hdf5FileProxy& file) { file.dataset_names(); };

TEST_F(ImportAnswers, TrueOnesAreTaken) {
  const std::vector<float> values = {1.0F, -2.0F, 3.0F, 4.0F};
  const std::string bytes(reinterpret_cast<const char*>(values.data()), 16);
  const Hdf5FileProxy honest =
      file({kOpened, answer("\1"), answer(packed({"a", ""})), kFour, answer(bytes),
            answer(bytes.substr(8)), answer(packed({"s", "t", "", "u"}))});
  EXPECT_TRUE(honest.has("x"));
  EXPECT_EQ(honest.dataset_names(), (std::vector<std::string>{"a", ""}));
  const Hdf5DatasetProxy set = honest.dataset("x");
  EXPECT_EQ(set.float_type(), "float32");
  EXPECT_EQ(set.read_floats(), values);
  std::vector<float> row(2);
  set.read_row(1, row.data());
  EXPECT_EQ(row, (std::vector<float>{3.0F, 4.0F}));
  EXPECT_EQ(set.read_strings(), (std::vector<std::string>{"s", "t", "", "u"}));
}

TEST_F(ImportAnswers, SizesAreNotTheChilds) {
  constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();
  expect_refused({answer("x")}, kNothing);
  expect_refused({bytes_of_head(0, kHuge)}, kNothing);
  expect_refused({bytes_of_head(1, kHuge)}, kNothing);
  expect_refused({bytes_of_head(1, kMaxMessageBytes + 1)}, kNothing);
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{15}, std::uint64_t{17}, kHuge}) {
    expect_refused({kOpened, kFour, bytes_of_head(0, size)}, kFloats);
    expect_refused({kOpened, kFour, bytes_of_head(0, size)}, kIntegers);
    expect_refused({kOpened, kFour, bytes_of_head(0, size)}, kRow);
  }
  expect_refused({kOpened, bytes_of_head(0, kMaxNamesBytes + 1)}, kNames);
  expect_refused({kOpened, kFour, bytes_of_head(0, kMaxStringsBytes + 1)}, kStrings);
}

TEST_F(ImportAnswers, DescriptionsAreChecked) {
  expect_refused({kOpened, answer("")}, kOpen);
  expect_refused({kOpened, answer("\3")}, kOpen);
  expect_refused({kOpened, described(5, {2})}, kOpen);                     // no such type
  expect_refused({kOpened, answer(std::string("\3\2", 2))}, kOpen);        // neither 0 nor 1
  expect_refused({kOpened, answer(std::string("\3\0\1\0\0", 5))}, kOpen);  // half an axis
  expect_refused({kOpened, described(3, std::vector<std::uint64_t>(33, 1))}, kOpen);
  expect_refused({kOpened, described(3, std::vector<std::uint64_t>(200, 1))}, kOpen);
}

TEST_F(ImportAnswers, ShapesAreChecked) {
  const auto message = [&](const std::vector<std::uint64_t>& axes, auto&& use) {
    return test::input_error([&] { use(file({kOpened, described(3, axes)})); });
  };
  const std::string start = work.path.string() + ": x: ";
  EXPECT_EQ(message({2, 0}, kOpen), start + "is empty");
  EXPECT_EQ(message({std::uint64_t{1} << 32U}, kOpen), start + "has an absurd size");
  EXPECT_EQ(message({std::numeric_limits<std::uint64_t>::max()}, kOpen),
            start + "has an absurd size");
  const std::vector<std::uint64_t> huge(3, std::uint64_t{1} << 31U);  // 2^93 values
  for (const auto& read : {+kFloats, +kIntegers, +kStrings, +kRow}) {
    EXPECT_EQ(message(huge, read), start + "is too large to be read whole");
  }
}

TEST_F(ImportAnswers, StringsAreChecked) {
  expect_refused({kOpened, kFour, answer(packed({"a", "b", "c"}))}, kStrings);
  expect_refused({kOpened, kFour, answer(packed({"a", "b", "c", "d", ""}))}, kStrings);
  expect_refused({kOpened, kFour, answer("\xff\xff\xff\xff")}, kStrings);
  expect_refused({kOpened, kFour, answer(packed({"a", "b", "c"}) + "\1")}, kStrings);
  expect_refused({kOpened, answer(packed(std::vector<std::string>(1001)))}, kNames);
}

TEST_F(ImportAnswers, AMessageIsOneLineThatBeginsWithTheFile) {
  const std::string message = test::input_error(
      [&] { file({refusal("HDF5: no\n/etc/passwd: \x1b[2J" + std::string(5000, 'x'))}); });
  EXPECT_TRUE(message.starts_with(work.path.string() + ": HDF5: no\\n/etc/passwd: \\x1b[2Jxxx"));
  EXPECT_LT(message.size(), 2200U);
  EXPECT_EQ(message.find_first_of("\n\x1b"), std::string::npos);
}

TEST_F(ImportAnswers, AnEndInTheMiddleIsNoticed) {
  const std::string half = bytes_of_head(0, 16) + "1234567";
  expect_refused({kOpened, kFour, half}, kFloats);
  expect(Ending::kCrash, {kOpened, kFour, half}, kFloats, [] { std::abort(); });
  expect(Ending::kCrash, {kOpened, kFour, bytes_of_head(0, 16).substr(0, 3)}, kRow,
         [] { std::abort(); });
}

TEST_F(ImportAnswers, AnswersInDribsEndWithTheirTime) {
  work.limits.processor_seconds = 1;
  const auto dribble = [](const SandboxEnds& ends) {
    const std::string head = answer("") + bytes_of_head(0, kMaxNamesBytes);
    write_answer(ends.answers, head.data(), head.size());
    for (std::uint64_t i = 0;; ++i) {
      if (i % (std::uint64_t{1} << 22U) == 0) write_answer(ends.answers, "x", 1);
    }
  };
  try {
    Hdf5FileProxy(std::make_shared<const InputFile>(work.path), dribble, work.limits)
        .dataset_names();
    ADD_FAILURE() << "accepted";
  } catch (const SandboxError& error) {
    EXPECT_EQ(error.ending(), Ending::kTooLong);
  }
}

}  // namespace
}  // namespace cdt
