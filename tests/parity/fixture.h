// Fixtures recorded from PyTorch (record_fixtures.py), and an engine to run them on.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/arena.h"
#include "engine/backend.h"
#include "engine/tape.h"
#include "io/format/safetensors.h"
#include "model/config.h"

namespace cdt::test {

/// Path of tests/parity/fixtures/FILE, and of NAME.safetensors.
std::string fixture_file(const std::string& file);
std::string fixture_path(const std::string& name);

class Fixture {
 public:
  explicit Fixture(const std::string& name) : reader_(fixture_path(name)) {}

  bool has(const std::string& tensor) const { return reader_.has(tensor); }
  Shape shape(const std::string& tensor) const;
  std::vector<float> values(const std::string& tensor) const;
  /// Names that start with `prefix`, without it, in recorded order.
  std::vector<std::string> names(const std::string& prefix) const;
  const std::string& metadata(const std::string& key) const { return reader_.metadata(key); }
  /// A number from the metadata, e.g. "lr".
  double number(const std::string& key) const;
  CdtConfig config() const;

 private:
  SafetensorsReader reader_;
};

/// Backend, arenas and tape of one test.
class Engine {
 public:
  Engine();

  Tensor upload(const Shape& shape, const std::vector<float>& values);
  Tensor upload(const Fixture& fixture, const std::string& tensor);
  /// Converted to float32, whatever its type is.
  std::vector<float> download(const Tensor& t);

  std::unique_ptr<Backend> backend;
  Arena lasting, step, scratch;
  Tape tape;
};

}  // namespace cdt::test
