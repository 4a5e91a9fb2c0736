// One list of fields writes and reads a JSON object; errors name a missing or wrong field by its
// path.
#include "io/format/json_fields.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/stats/bootstrap.h"
#include "tests/support/input_error.h"

namespace cdt {
namespace {

struct Inner {
  Estimate edge;
  std::int64_t n = 0;
  template <class V>
  void fields(V& v) {
    v("edge_share", edge);
    v("n", n);
  }
};

struct Outer {
  ByName<Inner> methods;
  std::optional<std::string> baseline;
  Nullable<std::int64_t> untrained;
  std::vector<double> numbers;
  bool flag = false;
  double inside = 0;
  ByName<bool> others;
  template <class V>
  void fields(V& v) {
    v("methods", methods);
    v("baseline", baseline);
    v("untrained", untrained);
    v("numbers", numbers);
    v("flag", flag);
    v.group("group", [&](auto& in) { in("inside", inside); });
    v.rest(others);
  }
};

Outer some() {
  Outer out;
  out.methods = {{"gradient", {{0.5, {0.25, std::nan("")}}, 3}}};
  out.numbers = {1, std::nan("")};
  out.others = {{"x", true}};
  return out;
}

nlohmann::json parsed() { return nlohmann::json::parse(fields_json(some()).dump()); }

TEST(JsonFieldsTest, WritesInOrder) {
  EXPECT_EQ(
      fields_json(some()).dump(),
      R"({"methods":{"gradient":{"edge_share":{"value":0.5,"interval_95":[0.25,null]},"n":3}},)"
      R"("untrained":null,"numbers":[1.0,null],"flag":false,"group":{"inside":0.0},"x":true})");
}

TEST(JsonFieldsTest, ReadsWhatItWrote) {
  const auto read = read_fields<Outer>(parsed(), "f");
  ASSERT_EQ(read.methods.size(), 1U);
  const Inner& gradient = *find_name(read.methods, "gradient");
  EXPECT_EQ(gradient.edge.value, 0.5);
  EXPECT_TRUE(std::isnan(gradient.edge.interval.high));
  EXPECT_EQ(gradient.n, 3);
  EXPECT_FALSE(read.baseline.has_value() || read.untrained.has_value());
  EXPECT_TRUE(std::isnan(read.numbers[1]));
  EXPECT_EQ(read.others.front().first, "x");
}

TEST(JsonFieldsTest, NamesThePathOfWhatIsMissingOrWrong) {
  const auto complaint = [](const nlohmann::json& json) {
    return test::input_error([&] { read_fields<Outer>(json, "summary.json"); });
  };
  nlohmann::json json = parsed();
  json["methods"]["gradient"].erase("edge_share");
  EXPECT_EQ(complaint(json), "summary.json: methods.gradient.edge_share: is missing");
  json = parsed();
  json["numbers"][1] = "1";
  test::expect_message(complaint(json), "summary.json", "numbers[1]", "expected a number");
  json = parsed();
  json["methods"]["gradient"]["edge_share"]["interval_95"] = {1};
  test::expect_message(complaint(json), "summary.json", "methods.gradient.edge_share.interval_95",
                       "expected 2, got 1");
  json = parsed();
  json["methods"]["gradient"]["n"] = 1.5;
  test::expect_message(complaint(json), "summary.json", "methods.gradient.n", "an integer");
  json = parsed();
  json.erase("group");
  EXPECT_EQ(complaint(json), "summary.json: group: is missing");
}

}  // namespace
}  // namespace cdt
