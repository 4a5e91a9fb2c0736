// The optimiser's file: what is refused before any parameter is read, and that reading the moments
// can be interrupted.
#include "apps/common/optimiser_file.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "engine/error.h"
#include "engine/optim/adamw.h"
#include "engine/poll.h"
#include "io/format/pt_writer.h"
#include "io/format/safetensors.h"
#include "tests/support/input_error.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

using test::expect_message;
using test::input_error;

class OptimiserFileTest : public ::testing::Test {
 protected:
  /// A PyTorch checkpoint with `parameters` parameters, the first after one step; its entry has
  /// `more` other values next to the step.
  void write(int parameters, int more) {
    const AdamWOptions options;
    PtWriter out;
    out.begin_dict();
    out.key("optimizer");
    out.begin_dict();
    out.key("state");
    out.begin_dict();
    out.key(std::int64_t{0});
    out.begin_dict();
    out.integer("step", 1);
    for (int i = 0; i < more; ++i) out.none(std::to_string(i));
    out.end_dict();
    out.end_dict();
    out.key("param_groups");
    out.begin_list();
    out.begin_dict();
    out.real("lr", 1e-4);
    out.key("betas");
    out.begin_tuple();
    out.real(options.beta1);
    out.real(options.beta2);
    out.end_tuple();
    out.real("eps", options.eps);
    out.real("weight_decay", 0.0);
    out.key("params");
    out.begin_list();
    for (int i = 0; i < parameters; ++i) out.integer(i);
    out.end_list();
    out.end_dict();
    out.end_list();
    out.end_dict();
    out.end_dict();
    out.write(path_);
  }

  test::TempDir dir_;
  std::filesystem::path path_ = dir_.path / "state";
};

TEST_F(OptimiserFileTest, MoreParametersThanTheModel) {
  write(3, 0);
  const auto file = open_optimiser(path_);
  file->expect_model(3, "");
  expect_message(input_error([&] { file->expect_model(2, ""); }), path_, "optimizer_state_dict",
                 "more parameters than the model (expected 2, got 3)");
}

// Each parameter's entry is searched, and all may refer to the same huge one.
TEST_F(OptimiserFileTest, HugeEntries) {
  write(1, 63);
  open_optimiser(path_);
  write(1, 64);
  expect_message(input_error([&] { open_optimiser(path_); }), path_, "optimizer_state_dict.state",
                 "an entry of no parameter");
}

TEST_F(OptimiserFileTest, RunsBeforeTheirFirstEpoch) {
  std::map<std::string, std::string> metadata = {
      {"format", "cdt-train-state"}, {"position", "0"},      {"settings", R"({"weight-decay":0})"},
      {"global_step", "1"},          {"schedule.lr", "0.1"}, {"schedule.best", "0"},
      {"schedule.bad_epochs", "0"},  {"stopping.best", "0"}, {"stopping.bad_epochs", "0"},
      {"stopping.patience", "1"},    {"weights", ""}};
  for (const char* epoch : {"0", "-9223372036854775808"}) {
    metadata["epoch"] = epoch;
    write_safetensors(path_, {}, metadata);
    expect_message(input_error([&] { open_optimiser(path_); }), path_, "metadata.epoch",
                   "out of range");
  }
}

/// All moments are zero.
class Zeros : public OptimiserFile {
 public:
  Zeros() : OptimiserFile("zeros") {}

 private:
  std::vector<float> read(std::size_t, const Parameter&, Moment) const override { return {0.0F}; }
};

TEST(OptimiserFile, MomentsCanBeStopped) {
  const Parameter parameter{};
  EXPECT_EQ(Zeros().moment(0, parameter, Moment::kFirst), std::vector<float>{0.0F});
  set_poll([] { throw Error("stopped"); });
  EXPECT_THROW(Zeros().moment(0, parameter, Moment::kFirst), Error);
  set_poll(nullptr);
}

}  // namespace
}  // namespace cdt
