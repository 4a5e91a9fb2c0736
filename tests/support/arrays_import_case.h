// A data set imported from arrays by cdt-import, for its tests.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"
#include "io/format/json.h"
#include "tests/support/array_files.h"
#include "tests/support/audit_file.h"
#include "tests/support/input_error.h"
#include "tests/support/temp_dir.h"

namespace cdt::test {

class ArraysImportCase : public testing::Test {
 protected:
  /// Imports the files that were written; returns the audit as it was printed.
  std::string import() {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();  // notes
    try {
      import_arrays(options, find_arrays(options));
    } catch (...) {
      testing::internal::GetCapturedStdout();
      testing::internal::GetCapturedStderr();
      throw;
    }
    notes = testing::internal::GetCapturedStderr();
    return testing::internal::GetCapturedStdout();
  }
  void expect(const std::filesystem::path& file, const std::string& field,
              const std::string& what) {
    expect_message(input_error([this] { import(); }), file, field, what);
    EXPECT_FALSE(std::filesystem::exists(options.common.out)) << "something was left behind";
  }
  std::vector<float> dna_of(const Dataset& data, const std::string& name) const {
    std::vector<float> out(static_cast<std::size_t>(data.bins * data.dna_dim));
    data.read_dna(data.find_enhancer(name), out.data());
    return out;
  }
  std::vector<float> row(std::ptrdiff_t index) const {
    return {files.dna.begin() + index * 6, files.dna.begin() + index * 6 + 6};
  }
  nlohmann::json numbers(const char* finding) const {
    return finding_numbers(options.common.out, finding);
  }
  nlohmann::json audit() const { return parse_json_file(options.common.out / "audit.json"); }

  TempDir dir;
  ArrayFilesOnDisk files{dir.path};
  ArraysOptions options = files.options();
  std::string notes;
};

}  // namespace cdt::test
