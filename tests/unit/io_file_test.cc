// Files that stay open while a program runs: if another process truncates one, the program ends
// with one line, not a signal.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <system_error>
#include <vector>

#include "io/dataset/dataset.h"
#include "io/format/file.h"
#include "io/format/npy.h"
#include "io/format/output.h"
#include "io/format/safetensors.h"
#include "tests/support/input_error.h"
#include "tests/support/small_dataset.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

using test::expect_message;
using test::input_error;
using test::write_bytes;

/// The message of an Error that is not the user's mistake (exit code 1), or "".
std::string other_error(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& error) {
    ADD_FAILURE() << "an InputError: " << error.what();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

void cut_to(const std::filesystem::path& path, std::uintmax_t size) {
  std::filesystem::resize_file(path, size);
}

TEST(IoFile, ReadsPieces) {
  const test::TempDir dir;
  const std::filesystem::path path = dir.path / "f";
  write_bytes(path, "0123456789");
  const InputFile file(path);
  EXPECT_EQ(file.size(), 10U);
  EXPECT_EQ(file.head(4), "0123");
  EXPECT_EQ(file.head(256), "0123456789");
  std::string piece(3, ' ');
  file.read(7, piece.data(), piece.size());
  EXPECT_EQ(piece, "789");
  std::filesystem::remove(path);  // the open file stays readable
  EXPECT_EQ(file.head(2), "01");
  write_bytes(dir.path / "empty", "");
  EXPECT_EQ(InputFile(dir.path / "empty").head(256), "");
  expect_message(input_error([&] { InputFile(dir.path / "none"); }), dir.path / "none", "open",
                 "No such file");
}

TEST(IoFile, ALinkToNothingIsThere) {
  const test::TempDir dir;
  EXPECT_FALSE(is_there(dir.path / "link"));
  std::filesystem::create_symlink(dir.path / "nothing", dir.path / "link");
  EXPECT_TRUE(is_there(dir.path / "link"));
  EXPECT_TRUE(is_there(dir.path));
  EXPECT_FALSE(is_there(dir.path / "link" / "file"));
}

TEST(IoFile, WhetherAFileIsThereMayBeUnknown) {
  const test::TempDir dir;
  std::filesystem::create_symlink("loop", dir.path / "loop");
  EXPECT_TRUE(is_there(dir.path / "loop"));
  const std::filesystem::path inside = dir.path / "loop" / "truth.json";
  expect_message(input_error([&] { is_there(inside); }), inside, "open", "symbolic links");
}

TEST(IoFile, EntriesOfAFolderThatCannotBeRead) {
  const test::TempDir dir;
  const std::filesystem::path file = dir.path / "f", loop = dir.path / "loop";
  write_bytes(file, "");
  std::filesystem::create_symlink("loop", loop);
  EXPECT_EQ(entries_of(dir.path).size(), 2U);
  EXPECT_TRUE(entries_of(dir.path / "none").empty());
  EXPECT_TRUE(entries_of(file).empty());
  expect_message(input_error([&] { entries_of(loop); }), loop, "read", "symbolic links");
  std::error_code error;
  EXPECT_TRUE(entries_of(loop, &error).empty());
  EXPECT_TRUE(error);
}

TEST(IoFile, RemovesWhatIsThereOrSaysWhyNot) {
  const test::TempDir dir;
  const std::filesystem::path file = dir.path / "folder" / "f";
  std::filesystem::create_directory(file.parent_path());
  write_bytes(file, "");
  expect_message(input_error([&] { remove_file(file.parent_path()); }), file.parent_path(),
                 "remove", "not empty");
  EXPECT_TRUE(remove_file(file));
  EXPECT_FALSE(remove_file(file));
  EXPECT_TRUE(remove_file(file.parent_path()));
}

TEST(IoFile, SaysThatAFileWasCutShort) {
  const test::TempDir dir;
  const std::filesystem::path path = dir.path / "f";
  write_bytes(path, std::string(10000, 'x'));
  const InputFile file(path);
  cut_to(path, 6000);
  std::string piece(5000, ' ');
  file.read(1000, piece.data(), piece.size());
  expect_message(other_error([&] { file.read(4000, piece.data(), piece.size()); }), path, "size",
                 "cut short while it was in use (at byte 6000, 3000 bytes too early)");
}

TEST(IoFile, DnaCutShortUnderADataset) {
  const test::TempDir dir;
  test::write_small_dataset(dir.path / "data", {{Split::kTrain, 0, 1, 0.5F, -1}});
  const std::filesystem::path dna = dir.path / "data" / "dna.f32";
  const Dataset data(dir.path / "data");
  std::vector<float> row(static_cast<std::size_t>(data.bins * data.dna_dim));
  const auto last = static_cast<std::int32_t>(data.enhancers_count() - 1);
  data.read_dna(last, row.data());
  cut_to(dna, std::filesystem::file_size(dna) - 1);
  data.read_dna(0, row.data());
  expect_message(other_error([&] { data.read_dna(last, row.data()); }), dna, "size", "cut short");
  cut_to(dna, 0);
  expect_message(other_error([&] { data.read_dna(0, row.data()); }), dna, "size", "cut short");
}

TEST(IoFile, ArraysAndWeightsCutShortUnderTheirReaders) {
  const test::TempDir dir;
  const std::vector<float> values(6, 1.0F);
  NpyWriter writer(dir.path / "a.npy", {2, 3});
  writer.append(values.data(), 6);
  writer.commit();
  const NpyFile array(dir.path / "a.npy");
  cut_to(array.path(), std::filesystem::file_size(array.path()) - 4);
  EXPECT_EQ(array.row(0), std::vector<float>(3, 1.0F));
  expect_message(other_error([&] { (void)array.row(1); }), array.path(), "size", "cut short");

  write_safetensors(dir.path / "m", {{"w", {6}, values.data()}}, {});
  const SafetensorsReader weights(dir.path / "m");
  cut_to(weights.path(), 0);
  std::vector<float> got(6);
  expect_message(other_error([&] { weights.read("w", got.data()); }), weights.path(), "size",
                 "cut short");
}

}  // namespace
}  // namespace cdt
