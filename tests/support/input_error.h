// Helpers for tests of bad input: the error message of an action, and files with given bytes.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "engine/error.h"

namespace cdt::test {

/// The InputError's message, or "" when nothing was thrown.
template <typename Action>
std::string input_error(Action&& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

/// Checks that the message is one line that starts with "FILE: FIELD: " and contains `what`.
inline void expect_message(const std::string& message, const std::filesystem::path& file,
                           const std::string& field, const std::string& what) {
  EXPECT_EQ(message.rfind(file.string() + ": " + field + ": ", 0), 0U) << message;
  EXPECT_NE(message.find(what), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

inline void write_bytes(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace cdt::test
