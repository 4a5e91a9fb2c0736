// Command lines: values, errors in one line, configuration files, help.
#include "apps/common/cli.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "apps/common/cli_words.h"
#include "apps/common/program.h"
#include "engine/error.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

struct Values {
  std::string mode = "fast";
  std::int64_t epochs = 10;
  std::int64_t width = 128;
  double rate = 0.5;
  std::vector<std::string> pairs{"default:pair"};
  std::filesystem::path file;
  bool resume = false;
  CommonOptions common;
};

class CliTest : public testing::Test {
 protected:
  CliTest() : cli_("cdt-test", "Tests a command line.") {
    cli_.common(&values_.common);
    cli_.choice("mode", &values_.mode, {"fast", "slow"}, "how");
    cli_.number("epochs", &values_.epochs, 1, 1000, "passes over the data");
    cli_.number("width", &values_.width, 1, 1e6, "a whole number");
    cli_.number("rate", &values_.rate, 0, std::numeric_limits<double>::infinity(), "a real number");
    cli_.option("pair", &values_.pairs, "may be repeated");
    cli_.option("file", &values_.file, "some file");
    cli_.flag("resume", &values_.resume, "go on");
  }

  /// Parses the words; output goes to out_ and err_, the exit code to code_.
  bool parse(std::vector<std::string> words) {
    words.insert(words.begin(), "cdt-test");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    bool go_on = false;
    const auto body = [&](int argc, char** words_of) {
      go_on = cli_.parse(argc, words_of);
      return kExitDone;
    };
    code_ = run_main("cdt-test", static_cast<int>(words.size()), argv.data(), body);
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return go_on;
  }

  void expect_mistake(const std::vector<std::string>& words, const std::string& line) {
    EXPECT_FALSE(parse(words));
    EXPECT_EQ(code_, 2);
    EXPECT_EQ(out_, "");
    EXPECT_EQ(err_, "cdt-test: " + line + "\n");
  }

  std::string config_file(const std::string& text) {
    const std::filesystem::path path = dir_.path / "options.json";
    std::ofstream(path) << text;
    return path.string();
  }

  test::TempDir dir_;
  Values values_;
  Cli cli_;
  int code_ = -1;
  std::string out_, err_;
};

TEST_F(CliTest, KeepsDefaults) {
  ASSERT_TRUE(parse({})) << err_;
  EXPECT_EQ(values_.epochs, 10);
  EXPECT_EQ(values_.pairs, std::vector<std::string>{"default:pair"});
  EXPECT_EQ(values_.common.device, "auto");
  EXPECT_FALSE(cli_.was_set("epochs"));
}

TEST_F(CliTest, ReadsEveryKindOfValue) {
  ASSERT_TRUE(
      parse({"--mode", "slow", "--epochs=7", "--rate", "1e-3", "--pair", "a:b", "--pair=[c]",
             "--file", "-", "--resume", "--seed", "9007199254740993", "--data", "some dir"}))
      << err_;
  EXPECT_EQ(values_.mode, "slow");
  EXPECT_EQ(values_.epochs, 7);
  EXPECT_EQ(values_.rate, 1e-3);
  EXPECT_EQ(values_.pairs, (std::vector<std::string>{"a:b", "[c]"}));
  EXPECT_EQ(values_.file, "-");
  EXPECT_TRUE(values_.resume);
  EXPECT_EQ(values_.common.seed, 9007199254740993);
  EXPECT_EQ(values_.common.data, "some dir");
  EXPECT_TRUE(cli_.was_set("epochs"));
  EXPECT_FALSE(cli_.was_set("model"));
}

TEST_F(CliTest, SuggestsTheNearestName) {
  expect_mistake({"--ecpohs", "5"},
                 "command line: --ecpohs: no such option (did you mean --epochs?)");
  expect_mistake({"--presicion=bf16"},
                 "command line: --presicion: no such option (did you mean --precision?)");
  expect_mistake({"--entirely-else"}, "command line: --entirely-else: no such option");
  expect_mistake({"-"}, "command line: -: no such option");
  expect_mistake({"-e"}, "command line: -e: no such option");
  expect_mistake({"epochs"}, "command line: epochs: no option takes this word");
  expect_mistake({"--", "x"}, "command line: --: no such option");
}

TEST_F(CliTest, AMisspeltOptionIsNotReportedAsAnotherMissing) {
  cli_.require({"data"});
  expect_mistake({"--dat", "x"}, "command line: --dat: no such option (did you mean --data?)");
  expect_mistake({"--seed", "1"}, "command line: --data: required, but not given");
}

TEST_F(CliTest, RefusesWhatIsNoNumber) {
  const std::string whole = "not a number (expected a whole number, got ";
  expect_mistake({"--epochs", "0x10"}, "command line: --epochs: " + whole + "0x10)");
  expect_mistake({"--epochs", "5.0"}, "command line: --epochs: " + whole + "5.0)");
  expect_mistake({"--epochs", "1e2"}, "command line: --epochs: " + whole + "1e2)");
  expect_mistake({"--epochs", "99999999999999999999"},
                 "command line: --epochs: too large (expected a whole number, got "
                 "99999999999999999999)");
  const std::string finite = " (expected a finite decimal number, got ";
  for (const char* word : {"1,5", "0x1p3", "1_000", "one"}) {
    expect_mistake({"--rate", word}, "command line: --rate: not a number" + finite + word + ")");
  }
  expect_mistake({"--rate", "nan"}, "command line: --rate: not finite" + finite + "nan)");
  expect_mistake({"--rate", "1e400"}, "command line: --rate: too large" + finite + "1e400)");
  expect_mistake({"--rate", "a\nb"}, "command line: --rate: not a number" + finite + "a\\nb)");
  ASSERT_TRUE(parse({"--rate", "1e-400"})) << err_;
  EXPECT_EQ(values_.rate, 0.0);
}

TEST_F(CliTest, ChecksRangesAndChoices) {
  expect_mistake({"--epochs", "0"},
                 "command line: --epochs: out of range (expected 1 to 1000, got 0)");
  // The bounds of a whole number are written in a form that the option accepts.
  expect_mistake({"--width", "0"},
                 "command line: --width: out of range (expected 1 to 1000000, got 0)");
  ASSERT_TRUE(parse({"--width", "1000000"})) << err_;
  expect_mistake({"--seed", "-1"},
                 "command line: --seed: out of range (expected at least 0, got -1)");
  expect_mistake({"--rate", "-1"},
                 "command line: --rate: out of range (expected at least 0, got -1)");
  expect_mistake({"--mode", "medium"},
                 "command line: --mode: no such choice (expected fast|slow, got medium)");
  expect_mistake(
      {"--precision", "fp16"},
      "command line: --precision: no such choice (expected fp32|fp32-fma|tf32|bf16, got fp16)");
}

TEST_F(CliTest, RefusesMissingAndSuperfluousValues) {
  expect_mistake({"--epochs"}, "command line: --epochs: a value is missing");
  expect_mistake({"--file", "--resume"},
                 "command line: --file: a value is missing before --resume");
  expect_mistake({"--file", ""}, "command line: --file: the value is empty (expected PATH, got )");
  expect_mistake({"--epochs", "1", "--epochs", "2"},
                 "command line: --epochs: given more than once");
  expect_mistake({"--resume=yes"}, "command line: --resume: takes no value");
  expect_mistake({"--resume", "--resume"}, "command line: --resume: given more than once");
}

/// "--file=$UNSET" becomes an empty value: it must not take the next word.
TEST_F(CliTest, AnEmptyValueIsNamedWhereverItStands) {
  const auto empty = [](const std::string& name, const std::string& value, const char* got) {
    return "command line: --" + name + ": the value is empty (expected " + value + ", got " + got +
           ")";
  };
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"file", "PATH"},
                                                        {"pair", "TEXT"},
                                                        {"epochs", "N"},
                                                        {"rate", "NUMBER"},
                                                        {"mode", "fast|slow"},
                                                        {"config", "PATH"}}) {
    const std::string flag = "--" + name;
    expect_mistake({flag + "="}, empty(name, value, "nothing after ="));
    expect_mistake({flag + "=", "--data", "d"}, empty(name, value, "nothing after ="));
    expect_mistake({"--data", "d", flag + "=", "word"}, empty(name, value, "nothing after ="));
    expect_mistake({flag, "", "--data", "d"}, empty(name, value, ""));
  }
  expect_mistake({"--resume=", "--data", "d"}, "command line: --resume: takes no value");
  expect_mistake({"--help="}, "command line: --help: takes no value");
  expect_mistake({"--fil=", "x"}, "command line: --fil: no such option (did you mean --file?)");
  const std::string file = config_file(R"({"pair": ["a:b", ""]})");
  expect_mistake({"--config", file}, file + ": pair: the value is empty (expected TEXT, got )");
  const std::string mode = config_file(R"({"mode": ""})");
  expect_mistake({"--config", mode},
                 mode + ": mode: the value is empty (expected fast|slow, got )");
}

TEST_F(CliTest, TheCommandLineWinsOverTheConfigurationFile) {
  const std::string file = config_file(
      R"({"epochs": 5, "rate": 0.25, "pair": ["a:b", "c:d"], "resume": true, "data": "d"})");
  ASSERT_TRUE(parse({"--config", file, "--epochs", "6"})) << err_;
  EXPECT_EQ(values_.epochs, 6);
  EXPECT_EQ(values_.rate, 0.25);
  EXPECT_EQ(values_.pairs, (std::vector<std::string>{"a:b", "c:d"}));
  EXPECT_TRUE(values_.resume);
  EXPECT_EQ(values_.common.data, "d");
  EXPECT_TRUE(cli_.was_set("rate"));
}

TEST_F(CliTest, AConfigurationFileIsStrict) {
  const auto mistake = [&](const std::string& text, const std::string& line) {
    const std::string file = config_file(text);
    expect_mistake({"--config", file}, file + ": " + line);
  };
  mistake(R"({"epoch": 5})", "epoch: no such option (did you mean epochs?)");
  mistake(R"({"config": "x"})", "config: no such option");
  mistake(R"({"epochs": "5"})", "epochs: wrong type (expected a number, got string)");
  mistake(R"({"epochs": 1.5})", "epochs: not a number (expected a whole number, got 1.5)");
  mistake(R"({"epochs": 5000})", "epochs: out of range (expected 1 to 1000, got 5000)");
  mistake(R"({"resume": 1})", "resume: wrong type (expected true or false, got number)");
  mistake(R"({"pair": "a:b"})", "pair: wrong type (expected an array of strings, got string)");
  mistake(R"({"mode": null})", "mode: wrong type (expected a string, got null)");
  mistake("[]", "file: wrong type (expected an object, got array)");
}

TEST_F(CliTest, PrintsHelpAndVersion) {
  cli_.require({"data"});
  EXPECT_FALSE(parse({"--help"}));
  EXPECT_EQ(code_, 0);
  EXPECT_EQ(err_, "");
  for (const char* text : {"Tests a command line.", "--epochs N", "10", "fast|slow", "--resume",
                           "go on", "(required)", "--version"}) {
    EXPECT_NE(out_.find(text), std::string::npos) << text << " is not in\n" << out_;
  }
  EXPECT_FALSE(parse({"--version"}));
  EXPECT_EQ(code_, 0);
  EXPECT_EQ(out_.rfind("cdt-test " + version() + "\n", 0), 0U) << out_;
  EXPECT_NE(out_.find("\ndevices: cpu"), std::string::npos) << out_;
  EXPECT_TRUE(version()[0] >= '0' && version()[0] <= '9') << version();
}

TEST(HelpTest, IsLaidOutFor80Columns) {
  std::filesystem::path in;
  std::string names;
  std::string mode = "fast";
  double rate = 0.5;
  std::int64_t heads = 0;  // not given: 0 is no value that the option accepts
  bool quiet = false;
  Cli cli(
      "cdt-test",
      "Tests a command line, and says so in a sentence that is longer than the line of a "
      "terminal.\n\n"
      "  One kind:    --this --that,\n"
      "               --other\n"
      "  Other kind:  --more\n"
      "After the block another sentence that is longer than what fits in a line of 80 columns.");
  cli.positional("IN", &in, "what is read");
  cli.names("names", &names, {"one", "two"}, "what is shown");
  cli.choice("a-long-name", &mode, {"fast", "slow"}, "how");
  cli.number("rate", &rate, 0, 1, "a number");
  cli.number("heads", &heads, 1, 9, "heads; default 8");
  cli.flag("quiet", &quiet, "say less");
  cli.require({"rate"});
  std::string program = "cdt-test";
  std::string help = "--help";
  std::array<char*, 3> argv{program.data(), help.data(), nullptr};
  testing::internal::CaptureStdout();
  EXPECT_FALSE(cli.parse(2, argv.data()));
  EXPECT_EQ(testing::internal::GetCapturedStdout(), R"(Usage: cdt-test [OPTIONS] IN --rate NUMBER

Tests a command line, and says so in a sentence that is longer than the line of
a terminal.

  One kind:    --this --that,
               --other
  Other kind:  --more
After the block another sentence that is longer than what fits in a line of 80
columns.

Arguments:
  IN                      what is read

Options:
  --config PATH           JSON file of options by long name; the command line
                          takes precedence
  --names NAME,...        what is shown; any of all, one, two
  --a-long-name fast|slow
                          how [fast]
  --rate NUMBER           a number [0.5] (required)
  --heads N               heads; default 8
  --quiet                 say less
  -h, --help              print this and exit
  --version               print version and devices and exit
)");
}

TEST(SpellingTest, CountsEdits) {
  const std::vector<std::string> names{"data", "model", "batch-size", "lr"};
  EXPECT_EQ(nearest_name("dtaa", names), "data");
  EXPECT_EQ(nearest_name("modle", names), "model");
  EXPECT_EQ(nearest_name("batchsize", names), "batch-size");
  EXPECT_EQ(nearest_name("batch-sizes", names), "batch-size");
  EXPECT_EQ(nearest_name("zz", names), "");
  EXPECT_EQ(nearest_name("", names), "");
}

TEST(TorchSeed, TakesWhatManualSeedTakes) {
  EXPECT_EQ(torch_seed("torch:0"), 0U);
  EXPECT_EQ(torch_seed("torch:18446744073709551615"), ~std::uint64_t{0});
  EXPECT_EQ(torch_seed("torch:-1"), ~std::uint64_t{0});
  EXPECT_EQ(torch_seed("torch:-9223372036854775808"), std::uint64_t{1} << 63U);
  for (const char* word :
       {"", "torch", "torch:", "torch:-", "torch:+1", "torch: 1", "torch:1 ", "torch:0x1",
        "torch:1e3", "torch:18446744073709551616", "torch:-9223372036854775809", "Torch:1", "7"}) {
    EXPECT_FALSE(torch_seed(word)) << word;
  }
}

/// A program with one option of each kind and a list of words without dashes.
struct ListProgram {
  ListProgram() {
    cli.positional("PART", &parts, "what is put together");
    cli.option("out", &out, "where to");
    cli.option("pair", &pairs, "may be repeated");
    cli.number("rate", &rate, 0, 9, "a real number");
    cli.flag("resume", &resume, "go on");
  }
  bool parse(std::vector<std::string> words) {
    words.insert(words.begin(), "cdt-test");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    return cli.parse(static_cast<int>(words.size()), argv.data());
  }

  Cli cli{"cdt-test", "Tests a command line."};
  std::vector<std::string> parts, pairs;
  std::filesystem::path out;
  double rate = std::numeric_limits<double>::quiet_NaN();
  bool resume = false;
};

TEST(ListOfWords, MayBeBeforeAndAfterOptions) {
  const std::vector<std::string> parts{"a", "b/c", "d"};
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"a", "b/c", "d", "--out", "o"},
        std::vector<std::string>{"--out", "o", "a", "b/c", "d"},
        std::vector<std::string>{"a", "--out", "o", "b/c", "--resume", "d"}}) {
    ListProgram program;
    ASSERT_TRUE(program.parse(words));
    EXPECT_EQ(program.parts, parts);
    EXPECT_EQ(program.out, "o");
  }
  EXPECT_THROW(ListProgram().parse({"--out", "o"}), InputError);
  EXPECT_THROW(ListProgram().parse({"a", "--nothing"}), InputError);
}

TEST(RecordedOptions, AreReadBackAsTheyWere) {
  ListProgram program;
  ASSERT_TRUE(
      program.parse({"x", "--pair", "p:q", "--pair", "caf\xe9", "--out", "a\\b", "--resume"}));
  const nlohmann::json values = nlohmann::json::parse(program.cli.values().dump());
  ListProgram again;
  again.cli.adopt(values, "FILE");
  EXPECT_EQ(again.parts, program.parts);
  EXPECT_EQ(again.pairs, program.pairs);
  EXPECT_EQ(again.out, program.out);
  EXPECT_TRUE(again.resume);
  EXPECT_TRUE(std::isnan(again.rate));
  EXPECT_THROW(again.cli.adopt({{"rate", 10}}, "FILE"), InputError);
  EXPECT_THROW(again.cli.adopt({{"other", 1}}, "FILE"), InputError);
}

}  // namespace
}  // namespace cdt
