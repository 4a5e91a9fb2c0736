// The data set directory: written, read back, and every way in which its files can be wrong.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <zlib.h>

#include <bit>
#include <csignal>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"
#include "io/dataset/dataset_writer.h"
#include "io/format/json.h"
#include "tests/support/input_error.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

using test::expect_message;
using test::input_error;
using test::read_bytes;
using test::write_bytes;

const std::vector<std::string> kGenes{"GFI1B", "FNDC5"};
const DatasetWriter::Sizes kSizes{.enhancers = 3,
                                  .bins = 2,
                                  .dna_dim = 4,
                                  .genes = 2,
                                  .rna_dim = 3,
                                  .protein_dim = 1,
                                  .bin_bp = 128,
                                  .assembly = "hg19"};

std::vector<float> counting(std::int64_t count) {
  std::vector<float> out;
  for (std::int64_t i = 0; i < count; ++i) out.push_back(static_cast<float>(i) + 0.5F);
  return out;
}

std::string gzipped(const std::string& text) {
  std::string out(text.size() + 100, '\0');
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

class IoDataset : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    good = std::make_unique<test::TempDir>();
    write(good->path / "set");
  }
  static void TearDownTestSuite() { good.reset(); }
  void SetUp() override { restore(); }

  static void fill(DatasetWriter& writer) {
    const std::vector<float> dna = counting(24);
    for (std::int64_t row = 0; row < 3; ++row) writer.append_dna(dna.data() + row * 8, 8);
    writer.write_rna(counting(6), kGenes);
    writer.write_protein(counting(2), kGenes);
    writer.write_enhancers(
        {{"chr1", 10, 21, "e0"}, {"chr1", 100, 200, "e1"}, {"chrX", 0, 1, "e2"}});
    writer.write_pairs({{Split::kTrain, 0, 1, -0.25F, 1},
                        {Split::kVal, 2, 0, 0.1F, 0},
                        {Split::kTest, 2, 1, 0.0F, 0}});
  }
  static void write(const std::filesystem::path& to) {
    DatasetWriter writer(to, kSizes);
    fill(writer);
    writer.write_extra("truth.json", "{}\n");
    writer.finish(R"({"seed": 7})");
  }

  std::string load() {
    return input_error([&] { const Dataset data(dir_); });
  }
  /// Replaces `from` by `to` in a text file.
  void edit(const std::string& file, const std::string& from, const std::string& to) {
    std::string text = read_bytes(dir_ / file);
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    write_bytes(dir_ / file, text.replace(at, from.size(), to));
  }
  void restore() {
    std::filesystem::remove_all(dir_);
    std::filesystem::copy(good->path / "set", dir_);
  }

  static inline std::unique_ptr<test::TempDir> good;  // written once: syncing is slow
  test::TempDir temp_;
  std::filesystem::path dir_ = temp_.path / "set";
};

TEST_F(IoDataset, RoundTrip) {
  const Dataset data(dir_);
  EXPECT_EQ(data.enhancers_count(), 3);
  EXPECT_EQ(data.genes, kGenes);
  EXPECT_EQ(data.bins, 2);
  EXPECT_EQ(data.dna_dim, 4);
  EXPECT_EQ(data.bin_bp, 128);
  EXPECT_EQ(data.assembly, "hg19");
  EXPECT_EQ(data.rna, counting(6));
  EXPECT_EQ(data.protein, counting(2));
  EXPECT_EQ(data.enhancers[0].centre(), 15);
  EXPECT_EQ(data.find_enhancer("e2"), 2);
  EXPECT_EQ(data.find_enhancer("e3"), -1);
  EXPECT_EQ(data.find_gene("FNDC5"), 1);
  EXPECT_EQ(data.find_gene(""), -1);
  ASSERT_EQ(data.pairs.size(), 3U);
  ASSERT_EQ(data.pairs_of(Split::kVal).size(), 1U);
  EXPECT_EQ(data.pairs_of(Split::kVal)[0].beta, 0.1F);
  EXPECT_EQ(data.pairs[0].label, 1);
  std::vector<float> row(8);
  data.read_dna(2, row.data());
  EXPECT_EQ(row, std::vector<float>({16.5F, 17.5F, 18.5F, 19.5F, 20.5F, 21.5F, 22.5F, 23.5F}));
  EXPECT_THROW(data.read_dna(3, row.data()), Error);
  EXPECT_EQ(read_bytes(dir_ / "pairs.tsv"),
            "split\tenhancer\tgene\tbeta\tlabel\ntrain\te0\tFNDC5\t-0.25\t1\n"
            "val\te2\tGFI1B\t0.1\t0\ntest\te2\tFNDC5\t0\t0\n");
}

TEST_F(IoDataset, LabelsAreOptional) {
  write_bytes(dir_ / "pairs.tsv", "beta\tgene\tenhancer\tsplit\n0.5\tFNDC5\te1\ttest\n");
  const Dataset data(dir_);
  EXPECT_EQ(data.pairs[0].label, -1);
  EXPECT_EQ(data.pairs[0].enhancer, 1);
}

TEST_F(IoDataset, StandardErrorsAreOptional) {
  EXPECT_EQ(Dataset(dir_).pairs[0].se, 0.0F);
  write_bytes(dir_ / "pairs.tsv",
              "se\tbeta\tgene\tenhancer\tsplit\n"
              "0.25\t0.5\tFNDC5\te1\ttest\n3\t1\tGFI1B\te0\ttrain\n");
  Dataset data(dir_);
  EXPECT_EQ(column(data.pairs, &Pair::se), std::vector<float>({0.25F, 3.0F}));
  data.choose_genes({1});
  EXPECT_EQ(column(data.pairs, &Pair::se), std::vector<float>({0.25F}));
}

TEST_F(IoDataset, StandardErrorsAreCheckedInEveryRow) {
  for (const char* bad : {"0", "-0.5", "nan", "inf", "1e-60", "NA", ""}) {
    const std::string row = std::string("0.5\tFNDC5\te1\ttest\t") + bad + "\n";
    write_bytes(dir_ / "pairs.tsv",
                "beta\tgene\tenhancer\tsplit\tse\n1\tGFI1B\te0\ttrain\t1\n" + row);
    expect_message(
        load(), dir_ / "pairs.tsv", "line 3, column se",
        std::string("bad standard error (expected a finite number above 0, got ") + bad + ")");
  }
}

TEST_F(IoDataset, BFloat16Dna) {
  std::string half;
  for (const float value : counting(24)) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    half += static_cast<char>(bits >> 16U & 0xFFU);
    half += static_cast<char>(bits >> 24U);
  }
  write_bytes(dir_ / "dna.f32", half);
  edit("dataset.json", "\"dna.f32\",", "\"dna.f32\", \"dtype\": \"bfloat16\",");
  const Dataset data(dir_);
  std::vector<float> row(8);
  data.read_dna(1, row.data());
  EXPECT_EQ(row[3], 11.5F);
  write_bytes(dir_ / "dna.f32", half + "x");
  expect_message(load(), dir_ / "dna.f32", "size", "3 x 2 x 4 x 2 = 48 bytes, got 49");
}

TEST_F(IoDataset, GzippedMatrices) {
  const std::string plain = read_bytes(dir_ / "rna.f32");
  const std::filesystem::path path = dir_ / "rna.f32.gz";
  edit("dataset.json", "rna.f32", "rna.f32.gz");
  const auto load_with = [&](const std::string& bytes) {
    write_bytes(path, bytes);
    return load();
  };
  EXPECT_EQ(load_with(gzipped(plain)), "");
  EXPECT_EQ(Dataset(dir_).rna, counting(6));
  const std::string good = gzipped(plain);
  std::string flipped = good;
  flipped[good.size() - 8] ^= 1;  // the checksum
  expect_message(load_with(flipped), path, "gzip", "damaged");
  expect_message(load_with(good.substr(0, good.size() - 9)), path, "gzip", "cut short");
  expect_message(load_with(gzipped(plain + "more")), path, "size", "expected 24 bytes, got more");
  expect_message(load_with(gzipped(plain.substr(4))), path, "size", "expected 24 bytes, got 20");
  expect_message(load_with(plain), path, "gzip", "not gzip");
  expect_message(load_with("<html>"), path, "format", "HTML");
}

TEST_F(IoDataset, BadBlobs) {
  const auto with = [&](const char* file, const std::string& bytes) {
    restore();
    write_bytes(dir_ / file, bytes);
    return load();
  };
  expect_message(with("dna.f32", std::string(95, 'x')), dir_ / "dna.f32", "size",
                 "expected 3 x 2 x 4 x 4 = 96 bytes, got 95");
  expect_message(with("dna.f32", ""), dir_ / "dna.f32", "size", "got 0");
  expect_message(with("rna.f32", std::string(25, 'x')), dir_ / "rna.f32", "size",
                 "expected 2 x 3 x 4 = 24 bytes, got 25");
  expect_message(with("dna.f32", "version https://git-lfs.github.com/spec/v1\n"), dir_ / "dna.f32",
                 "format", "Git-LFS");
  expect_message(with("protein.f32", "<html></html>"), dir_ / "protein.f32", "format", "HTML");
  expect_message(with("rna.f32", "\x80\x04 and more"), dir_ / "rna.f32", "format", "pickle");
  const std::string nan("\0\0\xc0\x7f", 4);
  const std::string infinity("\0\0\x80\xff", 4);
  expect_message(with("rna.f32", std::string(16, '\0') + nan + std::string(4, '\0')),
                 dir_ / "rna.f32", "gene FNDC5 (row 1), feature 1", "got nan");
  expect_message(with("protein.f32", infinity + std::string(4, '\0')), dir_ / "protein.f32",
                 "gene GFI1B (row 0), feature 0", "got -inf");
  EXPECT_EQ(with("dna.f32", std::string(32 + 20, '\0') + nan + std::string(40, '\0')), "");
  const Dataset data(dir_);
  std::vector<float> row(8);
  data.read_dna(0, row.data());
  expect_message(input_error([&] { data.read_dna(1, row.data()); }), dir_ / "dna.f32",
                 "enhancer e1 (row 1), bin 1, feature 1", "got nan");
}

TEST_F(IoDataset, MissingFiles) {
  for (const char* file : {"dataset.json", "dna.f32", "rna.f32", "protein.f32", "rna.genes.txt",
                           "protein.genes.txt", "enhancers.bed", "pairs.tsv"}) {
    restore();
    std::filesystem::remove(dir_ / file);
    expect_message(load(), dir_ / file, "open", "No such file");
  }
}

struct Edit {
  const char* file;
  const char* from;
  const char* to;
  const char* field;
  const char* what;
};

const std::vector<Edit> kBadManifests{
    {"dataset.json", "\"cdt-dataset\"", "\"other\"", "format", "expected cdt-dataset, got other"},
    {"dataset.json", "\"version\": 1", "\"version\": 2", "version", "expected 1 to 1, got 2"},
    {"dataset.json", "\"version\": 1", "\"version\": 1.0", "version", "an integer, got 1.0"},
    {"dataset.json", "\"bin_bp\": 128", "\"bin_bp\": 0", "bin_bp", "out of range"},
    {"dataset.json", "\"bin_bp\": 128,", "", "bin_bp", "missing"},
    {"dataset.json", "\"hg19\"", "19", "assembly", "a string, got 19"},
    {"dataset.json", "\"version\"", "\"typo\": 1, \"version\"", "typo", "unknown key"},
    {"dataset.json", "\"rna.f32\"", "\"rna.f32\", \"dtype\": \"float32\"", "rna.dtype",
     "unknown key"},
    {"dataset.json", "\"dna.f32\"", "\"dna.f32\", \"dtype\": \"int8\"", "dna.dtype",
     "float32 or bfloat16, got int8"},
    {"dataset.json", "\"dna.f32\"", "\"dna.f32.gz\"", "dna.file", "gunzip"},
    {"dataset.json", "\"dna.f32\"", "\"../dna.f32\"", "dna.file", "inside the directory"},
    {"dataset.json", "\"rna.f32\"", "\"/etc/passwd\"", "rna.file", "inside the directory"},
    {"dataset.json", "\"rna.genes.txt\"", "\"x/../../y\"", "rna.genes", "inside the directory"},
    {"dataset.json", "\"pairs.tsv\"", "\"\"", "pairs", "inside the directory"},
    {"dataset.json", "\"enhancers.bed\"", "[]", "enhancers", "a string"},
    {"dataset.json", "      4\n", "      -4\n", "dna.shape", "bad dimension"},
    {"dataset.json", "      4\n", "      0\n", "dna.shape", "bad dimension"},
    {"dataset.json", "      4\n", "      4, 1\n", "dna.shape", "expected 3, got 4"},
    {"dataset.json", "      3,\n      2,\n      4", "2147483647, 2147483647, 2147483647",
     "dna.shape", "a product that fits"},
    {"dataset.json", "      2,\n      1\n", "      3, 1\n", "protein.shape", "expected 2, got 3"},
    {"dataset.json", "\"provenance\": {\n    \"seed\": 7\n  }", "\"provenance\": 7", "provenance",
     "an object, got 7"},
    {"dataset.json", "\n}", "\n", "line 36, column 1", "not valid JSON"},
    {"dataset.json", "\"seed\": 7", "\"seed\": 7, \"seed\": 8", "seed", "twice"},
};

const std::vector<Edit> kBadLists{
    {"rna.genes.txt", "FNDC5\n", "", "lines", "expected 2, got 1"},
    {"rna.genes.txt", "FNDC5", "GFI1B", "line 2", "is in line 1 already"},
    {"rna.genes.txt", "GFI1B", "", "line 1", "1 to 256 bytes, got 0"},
    {"protein.genes.txt", "FNDC5", "fndc5", "line 2", "rna.genes.txt (expected FNDC5, got fndc5)"},
    {"enhancers.bed", "chrX\t0\t1\te2\n", "", "lines", "expected 3, got 2"},
    {"enhancers.bed", "e2", "e0", "line 3, name", "e0 is in line 1 already"},
    {"enhancers.bed", "\te1", "\t", "line 2, name", "empty"},
    {"enhancers.bed", "\te1", "", "line 2", "expected at least 4, got 3"},
    {"enhancers.bed", "100\t200", "200\t200", "line 2, end", "empty"},
    {"enhancers.bed", "100\t200", "-1\t200", "line 2, start", "got -1"},
    {"enhancers.bed", "100\t200", "100\t2e2", "line 2, end", "got 2e2"},
    {"enhancers.bed", "100\t200", "100\t4294967296", "line 2, end", "got 4294967296"},
    {"enhancers.bed", "chrX", "", "line 3, chrom", "empty"},
    {"pairs.tsv", "beta", "Beta", "line 1, column beta", "missing"},
    {"pairs.tsv", "label", "beta", "line 1, column beta", "twice"},
    {"pairs.tsv", "train", "Train", "line 2, column split", "train, val or test, got Train"},
    {"pairs.tsv", "e0", "e9", "line 2, column enhancer", "got e9"},
    {"pairs.tsv", "GFI1B", "BRCA", "line 3, column gene", "got BRCA"},
    {"pairs.tsv", "-0.25", "nan", "line 2, column beta", "finite decimal number, got nan"},
    {"pairs.tsv", "-0.25", "1e39", "line 2, column beta", "got 1e39"},
    {"pairs.tsv", "-0.25", "0,25", "line 2, column beta", "got 0,25"},
    {"pairs.tsv", "0.1\t0", "0.1\t2", "line 3, column label", "0 or 1, got 2"},
    {"pairs.tsv", "0.1\t0", "0.1", "line 3", "expected 5, got 4"},
};

class IoDatasetEdits : public IoDataset {
 protected:
  void try_all(const std::vector<Edit>& edits) {
    for (const Edit& e : edits) {
      SCOPED_TRACE(std::string(e.file) + ": " + e.from + " -> " + e.to);
      restore();
      edit(e.file, e.from, e.to);
      expect_message(load(), dir_ / e.file, e.field, e.what);
    }
  }
};

TEST_F(IoDatasetEdits, Manifest) { try_all(kBadManifests); }
TEST_F(IoDatasetEdits, Lists) { try_all(kBadLists); }

TEST_F(IoDataset, NoPairs) {
  write_bytes(dir_ / "pairs.tsv", "split\tenhancer\tgene\tbeta\n");
  expect_message(load(), dir_ / "pairs.tsv", "line 2", "not one pair");
}

TEST_F(IoDataset, WriterRefusesAnExistingDataSet) {
  expect_message(input_error([&] { const DatasetWriter writer(dir_, kSizes); }), dir_,
                 "dataset.json", "already holds");
  EXPECT_EQ(load(), "");
}

TEST_F(IoDataset, WriterWantsRoom) {
  DatasetWriter::Sizes sizes = kSizes;
  sizes.enhancers = std::int64_t{1} << 50U;
  const std::filesystem::path to = temp_.path / "large";
  expect_message(input_error([&] { const DatasetWriter writer(to, sizes); }), to, "free space",
                 "too full");
  EXPECT_FALSE(std::filesystem::exists(to));
}

TEST_F(IoDataset, WriterLeavesNothingUnfinished) {
  const std::filesystem::path to = temp_.path / "other";
  {
    DatasetWriter writer(to, kSizes);
    fill(writer);
  }
  EXPECT_FALSE(std::filesystem::exists(to));
  std::filesystem::create_directory(to);
  write_bytes(to / "mine.txt", "kept");
  {
    DatasetWriter writer(to, kSizes);
    writer.write_rna(counting(6), kGenes);
    EXPECT_THROW(writer.finish("{}"), Error);
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(to), {}), 1);
  EXPECT_EQ(read_bytes(to / "mine.txt"), "kept");
}

/// finish() fails after some files have been renamed: they are removed again.
TEST_F(IoDataset, WriterTakesBackWhatItRenamed) {
  const std::filesystem::path to = temp_.path / "other";
  std::string message;
  {
    DatasetWriter writer(to, kSizes);
    fill(writer);
    std::filesystem::create_directory(to / "pairs.tsv");
    message = input_error([&] { writer.finish("{}"); });
  }
  expect_message(message, to / "pairs.tsv", "write", "Is a directory");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(to), {}), 1);
}

TEST_F(IoDataset, WriterOnAFullVolume) {
  const std::filesystem::path to = temp_.path / "other";
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  std::string message;
  {
    DatasetWriter writer(to, kSizes);
    fill(writer);
    const rlimit small{64, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    message = input_error([&] { writer.finish("{}"); });
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  }
  std::signal(SIGXFSZ, handler);
  expect_message(message, to / "dna.f32", "write", "File too large");
  EXPECT_FALSE(std::filesystem::exists(to));
}

TEST_F(IoDataset, WriterRefusesWhatTheReaderWould) {
  DatasetWriter writer(temp_.path / "other", kSizes);
  const float nan = std::bit_cast<float>(0x7fc00000U);
  EXPECT_THROW(writer.append_dna(&nan, 1), Error);
  EXPECT_THROW(writer.append_dna(counting(25).data(), 25), Error);
  EXPECT_THROW(writer.write_rna(counting(5), kGenes), Error);
  EXPECT_THROW(writer.write_pairs({}), Error);
}

TEST_F(IoDataset, WriterWantsAllStandardErrorsOrNone) {
  const Dataset data(dir_);
  DatasetWriter writer(temp_.path / "other", data);
  const auto with = [&](std::vector<float> se) {
    std::vector<Pair> pairs = data.pairs;
    for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i].se = se.at(i);
    writer.write_pairs(pairs);
  };
  EXPECT_THROW(with({0.5F, 0.0F, 1.0F}), Error);
  EXPECT_THROW(with({0.5F, -1.0F, 1.0F}), Error);
  with({0.5F, 0.25F, 1.0F});
  writer.finish("{}");
  EXPECT_EQ(column(Dataset(temp_.path / "other").pairs, &Pair::se),
            std::vector<float>({0.5F, 0.25F, 1.0F}));
}

}  // namespace
}  // namespace cdt
