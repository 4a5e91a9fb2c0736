#include "tests/parity/fixture.h"

#include <nlohmann/json.hpp>

#include "engine/backend.h"
#include "engine/error.h"
#include "io/format/json.h"
#include "io/format/text.h"

#ifndef CDT_FIXTURE_DIR
#define CDT_FIXTURE_DIR "tests/parity/fixtures"  // tests run from the root of the repository
#endif
#include "tests/support/test_backend.h"

namespace cdt::test {
namespace {

// Address space only; pages become resident as they are used.

Shape to_shape(const std::vector<std::int64_t>& dims) {
  switch (dims.size()) {
    case 1:
      return {dims[0]};
    case 2:
      return {dims[0], dims[1]};
    case 3:
      return {dims[0], dims[1], dims[2]};
    case 4:
      return {dims[0], dims[1], dims[2], dims[3]};
    default:
      throw Error("a fixture tensor has rank " + std::to_string(dims.size()));
  }
}

}  // namespace

std::string fixture_file(const std::string& file) {
  return std::string(CDT_FIXTURE_DIR) + "/" + file;
}

std::string fixture_path(const std::string& name) { return fixture_file(name + ".safetensors"); }

Shape Fixture::shape(const std::string& tensor) const {
  return to_shape(reader_.info(tensor).shape);
}

std::vector<float> Fixture::values(const std::string& tensor) const {
  std::vector<float> values(static_cast<std::size_t>(shape(tensor).count()));
  reader_.read(tensor, values.data());
  return values;
}

std::vector<std::string> Fixture::names(const std::string& prefix) const {
  std::vector<std::string> found;
  for (const TensorInfo& t : reader_.tensors()) {
    if (t.name.rfind(prefix, 0) == 0) found.push_back(t.name.substr(prefix.size()));
  }
  return found;
}

double Fixture::number(const std::string& key) const {
  double value = 0.0;
  if (!parse_double(reader_.metadata().at(key), &value)) throw Error(key + " is not a number");
  return value;
}

CdtConfig Fixture::config() const {
  return parse_model_config(reader_.metadata().at("config"), "fixture");
}

Engine::Engine()
    : backend(make_test_backend()),
      lasting(*backend, "lasting"),
      step(*backend, "step"),
      scratch(*backend, "scratch"),
      tape(*backend, step, scratch) {}

Tensor Engine::upload(const Shape& shape, const std::vector<float>& values) {
  const Tensor t = lasting.tensor(shape);
  backend->upload(t, values.data());
  return t;
}

Tensor Engine::upload(const Fixture& fixture, const std::string& tensor) {
  return upload(fixture.shape(tensor), fixture.values(tensor));
}

std::vector<float> Engine::download(const Tensor& t) { return to_host(*backend, t); }

}  // namespace cdt::test
