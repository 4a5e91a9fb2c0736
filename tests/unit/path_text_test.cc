// Paths with arbitrary bytes as text, and back.
#include <gtest/gtest.h>

#include <string>

#include "apps/common/program.h"
#include "io/format/text.h"

namespace cdt {
namespace {

TEST(PathText, AnyBytesComeBack) {
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  for (const std::string& bytes :
       {all, std::string("caf\xe9/data"), std::string("caf\xc3\xa9/data"), std::string("a\\xe9"),
        std::string("a\\\\xe9\\"), std::string("new\nline\t\"<&'"), std::string("\xed\xa0\x80"),
        std::string("\xf0\x9f\xa7\xac"), std::string("cut \xf0\x9f\xa7"), std::string()}) {
    const std::string text = escape_bytes(bytes);
    EXPECT_EQ(unescape_bytes(text), bytes) << text;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length = utf8_length(text, at);
      ASSERT_GT(length, 0U) << text;
      EXPECT_GE(static_cast<unsigned char>(text[at]), 0x20U) << text;
      at += length;
    }
  }
}

TEST(PathText, PlainNamesStayAsTheyAre) {
  for (const std::string& plain :
       {std::string("/data/run 1/a%20b"), std::string("caf\xc3\xa9"), std::string("a\"b'c<d>&")}) {
    EXPECT_EQ(path_text(plain), plain);
  }
  EXPECT_EQ(path_text("caf\xe9\n"), "caf\\xe9\\x0a");
  EXPECT_EQ(path_text("a\\b"), "a\\\\b");
  // Text that does not encode a path is kept unchanged.
  EXPECT_EQ(path_of_text("a\\b\\x"), "a\\b\\x");
}

TEST(PathText, ShellWordsAreOneLineOfText) {
  EXPECT_EQ(shell_word("a/b.c"), "a/b.c");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word("caf\xe9 it's\n\\"), "$'caf\\xe9 it\\'s\\x0a\\\\'");
}

}  // namespace
}  // namespace cdt
