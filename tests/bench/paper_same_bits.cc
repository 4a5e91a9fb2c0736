#include "tests/bench/paper_same_bits.h"

#include <iomanip>
#include <iostream>
#include <sstream>
#include <vector>

#include "apps/common/session.h"
#include "io/format/text.h"
#include "tests/bench/paper_child.h"
#include "tests/bench/paper_workloads.h"
#include "tests/support/digest.h"

namespace cdt {
namespace {

constexpr int kSteps = 4;  // recorded: one run normally, one recorded and replayed, and two replays

using test::Digest;

struct Digests {
  Digest before, after;
};

Digest digest_of(PaperWorld& world) {
  Digest digest;
  std::vector<float> values;
  for (const Parameter& parameter : world.model.parameters()) {
    const Tensor& t = parameter.variable.value;
    values.resize(static_cast<std::size_t>(t.count()));
    world.backend->download(values.data(), t);
    digest.add(values);
  }
  return digest;
}

Digests train(const PaperSizes& sizes, CommonOptions common, bool recorded) {
  common.no_graph = !recorded;
  const auto training = make_training(open_backend(common), sizes);
  Digests digests;
  digests.before = digest_of(training->world());
  for (int step = 0; step < kSteps; ++step) training->run();
  digests.after = digest_of(training->world());
  return digests;
}

std::string hexadecimal(std::uint64_t value) {
  std::ostringstream text;
  text << '"' << std::hex << std::setw(16) << std::setfill('0') << value << '"';
  return text.str();
}

}  // namespace

int compare_bits(const PaperSizes& sizes, const CommonOptions& common) {
  const auto run = [&](const char* name, bool recorded) {
    return in_child<Digests>(name, [&] { return train(sizes, common, recorded); }).result;
  };
  const Digests recorded = run("recorded training", true);
  const Digests eager = run("training without recording", false);
  const Digests again = run("recorded training", true);
  const bool same_start =
      recorded.before.value == eager.before.value && recorded.before.value == again.before.value;
  const bool moved = recorded.after.value != recorded.before.value;
  const bool finite = recorded.after.finite && eager.after.finite && again.after.finite;
  const bool equal = recorded.after.value == eager.after.value;
  const bool twice = recorded.after.value == again.after.value;
  std::cout << "{\"device\": \"" << common.device << "\", \"precision\": \"" << common.precision
            << "\", " << sizes_as_json(sizes) << ", \"dropout\": " << config_of(sizes).dropout
            << ", \"steps\": " << kSteps << ", \"start\": " << hexadecimal(recorded.before.value)
            << ", \"recorded\": " << hexadecimal(recorded.after.value)
            << ", \"eager\": " << hexadecimal(eager.after.value)
            << ", \"recorded_again\": " << hexadecimal(again.after.value)
            << ", \"same_start\": " << json_bool(same_start)
            << ", \"weights_moved\": " << json_bool(moved) << ", \"finite\": " << json_bool(finite)
            << ", \"recorded_equals_eager\": " << json_bool(equal)
            << ", \"twice_equal\": " << json_bool(twice) << "}\n";
  return same_start && moved && finite && equal && twice ? 0 : 1;
}

}  // namespace cdt
