#include "io/genome/annotations.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "engine/random.h"
#include "io/format/gzip.h"
#include "io/format/text.h"
#include "io/format/text_file.h"
#include "tests/support/cpu_time.h"
#include "tests/support/input_error.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

using test::expect_message;
using test::input_error;
using Names = std::vector<std::string>;

class AnnotationsTest : public testing::Test {
 protected:
  std::filesystem::path file(const std::string& name, const std::string& bytes) const {
    test::write_bytes(dir_.path / name, bytes);
    return dir_.path / name;
  }

  std::filesystem::path gzip(const std::string& name, const Names& members) const {
    std::filesystem::path path = dir_.path / name;
    for (const std::string& text : members) {  // as bgzip does: consecutive members
      gzFile gz = gzopen(path.c_str(), "ab");
      EXPECT_EQ(gzwrite(gz, text.data(), static_cast<unsigned>(text.size())),
                static_cast<int>(text.size()));
      gzclose(gz);
    }
    return path;
  }

  test::TempDir dir_;
};

TEST_F(AnnotationsTest, AnyBedIsOneClassNamedAsTheFile) {
  const Annotations a = read_annotations(
      file("my peaks,1.bed",
           "track name=x db=hg19\n# note GRCh38\nchr2\t10\t15\tpeak\t0\t+\n\n"
           "browser position chr1:1-2\nchr1\t5\t9\tq\t0\t-\nchr1\t0\t3\tr\t1\t.\n"));
  EXPECT_EQ(a.elements, 3);
  EXPECT_EQ(a.name, "my peaks,1");
  EXPECT_EQ(a.classes, Names{"my peaks,1"});
  EXPECT_EQ(a.assemblies, (Names{"hg19", "hg38"}));
  ASSERT_EQ(a.chromosomes.at("chr1").elements().size(), 2U);  // sorted
  EXPECT_EQ(a.chromosomes.at("chr1").elements()[0].name, "r");
  EXPECT_EQ(a.chromosomes.at("chr1").elements()[1].start, 5);
}

TEST_F(AnnotationsTest, NarrowPeakHasNoClassColumn) {
  const Annotations a = read_annotations(file("CTCF.narrowPeak",
                                              "chr1\t100\t300\t.\t1000\t.\t55.2\t-1\t4.9\t95\n"
                                              "chr1\t500\t700\t.\t800\t.\t35.1\t-1\t4.1\t101\n"));
  EXPECT_EQ(a.classes, Names{"CTCF"});
}

TEST_F(AnnotationsTest, ElementsOfTheRegistryHaveClasses) {
  const std::string nine = "\tEH38E1\t0\t.\t10\t20\t255,0,0\t";
  const Annotations bed9 = read_annotations(
      file("ENCFF1.bed", "chr1\t10\t20" + nine + "pELS,CTCF-bound\tx\n" + "chr1\t30\t40" + nine +
                             "dELS\tx\n" + "chr1\t50\t60" + nine + "CTCF-bound,pELS\tx\n"));
  EXPECT_EQ(bed9.classes, (Names{"CTCF-bound", "dELS", "pELS"}));
  EXPECT_EQ(bed9.labels, (Names{"pELS,CTCF-bound", "dELS", "CTCF-bound,pELS"}));
  EXPECT_EQ(bed9.classes_of_label, (std::vector<std::vector<std::size_t>>{{0, 2}, {1}, {0, 2}}));
  const Annotations six = read_annotations(
      file("GRCh38-cCREs.bed", "chr1\t10\t20\tEH38D1\tEH38E1\tPLS\nchr1\t30\t40\tD\tE\tdELS\n"));
  EXPECT_EQ(six.classes, (Names{"PLS", "dELS"}));
  EXPECT_EQ(six.assemblies, Names{"hg38"});
}

TEST_F(AnnotationsTest, GzipInOneMemberOrMore) {
  const Names members{"chr1\t0\t3\n", "chr1\t5\t9\nchr2\t1\t2\n", ""};
  EXPECT_EQ(read_annotations(gzip("a.bed.gz", {"chr1\t0\t3\n"})).name, "a");
  EXPECT_EQ(read_annotations(gzip("b.bed.gz", members)).elements, 3);
  std::string large;
  for (int i = 0; i < 200000; ++i) {
    large += "chr1\t" + std::to_string(i) + "\t" + std::to_string(i + 1) + "\n";
  }
  EXPECT_EQ(read_annotations(gzip("large.bed.gz", {large})).elements, 200000);
}

TEST_F(AnnotationsTest, DamagedFilesAreRefused) {
  const std::filesystem::path whole =
      gzip("whole.bed.gz", {"chr1\t0\t3\n" + std::string(5000, '#') + "\nchr1\t4\t5\n"});
  const std::string bytes = test::read_bytes(whole);
  const std::filesystem::path cut = file("cut.bed.gz", bytes.substr(0, bytes.size() - 9));
  expect_message(input_error([&] { read_annotations(cut); }), cut, "gzip", "cut short");
  std::string flipped = bytes;
  flipped[flipped.size() - 6] = static_cast<char>(flipped[flipped.size() - 6] ^ 1);  // checksum
  const std::filesystem::path bad = file("bad.bed.gz", flipped);
  expect_message(input_error([&] { read_annotations(bad); }), bad, "gzip", "damaged");
  const std::filesystem::path html = gzip("page.bed.gz", {"<!DOCTYPE html>\n"});
  expect_message(input_error([&] { read_annotations(html); }), html, "format", "HTML");
}

/// All bytes of a text.
std::string text_of(const std::filesystem::path& path, std::size_t limit) {
  const std::unique_ptr<ByteStream> bytes = open_text_or_gzip(path, limit);
  std::string out;
  std::array<char, 1000> piece{};
  while (const std::size_t got = bytes->read(piece.data(), piece.size())) {
    out.append(piece.data(), got);
  }
  return out;
}

TEST_F(AnnotationsTest, UnpackedTextIsBounded) {
  const std::filesystem::path big = gzip("big.gz", {std::string(5000, 'x')});
  expect_message(input_error([&] { text_of(big, 4999); }), big, "size", "at most 4999");
  EXPECT_EQ(text_of(big, 5000), std::string(5000, 'x'));
  EXPECT_EQ(open_text_or_gzip(big, 5000)->read(nullptr, 0), 0U);
  // Mebibytes of zeros compress a thousandfold.
  const std::filesystem::path bomb = gzip("bomb.gz", {std::string(std::size_t{3} << 20U, '\n')});
  expect_message(input_error([&] { read_annotations(bomb); }), bomb, "size", "32 times its size");
  EXPECT_EQ(text_of(gzip("small.gz", {std::string(1 << 20U, '\n')}), 1 << 20U).size(),
            std::size_t{1} << 20U);
}

/// A block of bgzip (SAM specification, section 4.1): a member whose header holds its size.
std::string bgzip_block(const std::string& text) {
  z_stream zlib{};
  deflateInit2(&zlib, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string packed(text.size() + 100, '\0');
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  zlib.avail_in = static_cast<uInt>(text.size());
  zlib.next_out = reinterpret_cast<Bytef*>(packed.data());
  zlib.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&zlib, Z_FINISH), Z_STREAM_END);
  packed.resize(zlib.total_out);
  deflateEnd(&zlib);
  const auto little = [](std::size_t value, int bytes) {
    std::string out;
    for (; bytes > 0; --bytes, value >>= 8U) out += static_cast<char>(value);
    return out;
  };
  const auto crc =
      crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
  return std::string("\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0", 16) +
         little(packed.size() + 25, 2) + packed + little(crc, 4) + little(text.size(), 4);
}

TEST_F(AnnotationsTest, BgzipWithoutItsLastBlockIsCutShort) {
  const std::string first = bgzip_block("chr1\t0\t3\n");
  const std::string second = bgzip_block("chr1\t5\t9\n");
  const std::string last = bgzip_block("");
  EXPECT_EQ(last.size(), 28U);
  EXPECT_EQ(read_annotations(file("whole.bed.gz", first + second + last)).elements, 2);
  const std::string parts = joined(std::vector{first, last, second, last}, "");
  EXPECT_EQ(read_annotations(file("joined.bed.gz", parts)).elements, 2);
  for (const std::string& bytes :
       {first + second, first, joined(std::vector{first, last, second}, "")}) {
    const std::filesystem::path cut = file("cut.bed.gz", bytes);
    expect_message(input_error([&] { read_annotations(cut); }), cut, "gzip", "cut short");
  }
}

TEST_F(AnnotationsTest, NothingButMembersInAGzipFile) {
  const std::string one = test::read_bytes(gzip("one.bed.gz", {"chr1\t0\t3\n"}));
  const std::string two = test::read_bytes(gzip("two.bed.gz", {"chr1\t4\t5\n"}));
  EXPECT_EQ(read_annotations(file("both.bed.gz", one + two)).elements, 2);
  for (std::size_t size = 1; size < two.size(); ++size) {
    const std::filesystem::path cut = file("cut.bed.gz", one + two.substr(0, size));
    expect_message(input_error([&] { read_annotations(cut); }), cut, "gzip", "cut short");
  }
  for (const std::string& more : {std::string("chr1\t7\t8\n"), std::string(512, '\0')}) {
    const std::filesystem::path path = file("more.bed.gz", one + more);
    expect_message(input_error([&] { read_annotations(path); }), path, "gzip", "is no gzip");
  }
}

TEST_F(AnnotationsTest, EmptyIntervalsAreCountedAndLeftOut) {
  const Annotations a = read_annotations(file("x.bed", "chr1\t9\t9\nchr1\t5\t9\nchr1\t7\t7\n\n\n"));
  EXPECT_EQ(a.elements, 1);
  EXPECT_EQ(a.empty, 2);
}

TEST_F(AnnotationsTest, TheFirstLineWithAClassDecides) {
  const std::string nine = "\tE\t0\t.\t10\t20\t0\t";
  const Annotations ten =
      read_annotations(file("ten.bed", "chr1\t10\t20" + nine + ".\nchr1\t30\t40" + nine +
                                           "dELS\nchr1\t50\t60" + nine + "\n"));
  EXPECT_EQ(ten.classes, Names{"dELS"});
  EXPECT_EQ(ten.elements, 3);
  EXPECT_EQ(ten.without_class, 2);
  EXPECT_EQ(ten.labels, (Names{".", "dELS"}));
  const Annotations six =
      read_annotations(file("six.bed", "chr1\t1\t2\ta\tb\t.\nchr1\t3\t4\ta\tb\tPLS\n"));
  EXPECT_EQ(six.classes, Names{"PLS"});
  const Annotations strand =
      read_annotations(file("strand.bed", "chr1\t1\t2\ta\t0\t.\nchr1\t3\t4\ta\t0\t+\n"));
  EXPECT_EQ(strand.classes, Names{"strand"});
  EXPECT_EQ(strand.without_class, 0);
  const Annotations none = read_annotations(file("none.bed", "chr1\t10\t20" + nine + ".\n"));
  EXPECT_EQ(none.classes, Names{"none"});
  EXPECT_EQ(none.labels, Names{"none"});
}

TEST_F(AnnotationsTest, AColumnOfNamesIsNoClassColumn) {
  std::string text;
  for (int i = 0; i < 10001; ++i) text += "chr1\t1\t2\ta\tb\tid" + std::to_string(i) + "\n";
  const std::filesystem::path path = file("ids.bed", text);
  expect_message(input_error([&] { read_annotations(path); }), path, "column 6",
                 "more than 10000 classes");
}

TEST_F(AnnotationsTest, WrongLinesAreNamed) {
  const auto complaint = [&](const std::string& text, const std::string& field,
                             const std::string& what) {
    const std::filesystem::path path = file("x.bed", text);
    expect_message(input_error([&] { read_annotations(path); }), path, field, what);
  };
  complaint("", "elements", "none");
  complaint("# only a comment\n", "elements", "none");
  complaint("chr1 5 9\n", "line 1", "tab-separated");
  complaint("chr1\t5\t9\nchr1\t5\n", "line 2", "expected at least 3, got 2");
  complaint("chr1\tfive\t9\n", "line 1, start", "got five");
  complaint("chr1\t5\t9.5\n", "line 1, end", "got 9.5");
  complaint("chr1\t-5\t9\n", "line 1, start", "got -5");
  complaint("chr1\t9\t8\n", "line 1, end", "before the start");
  complaint("chr1\t9\t9\n", "elements", "1 intervals without a base");
  complaint("tracks\t5\n", "line 1", "expected at least 3");
  complaint("\t5\t9\n", "line 1, chrom", "empty");
  complaint("chr1\t5\t9\ta\tb\tPLS\nchr1\t15\t19\n", "line 2", "expected at least 6, got 3");
}

TEST(ElementListTest, DistancesCountAsBedtools) {
  const Element e{100, 200, "", 0};
  EXPECT_EQ(distance_to(e, 150, 160), 0);
  EXPECT_EQ(distance_to(e, 199, 300), 0);
  EXPECT_EQ(distance_to(e, 200, 300), -1);  // touching
  EXPECT_EQ(distance_to(e, 210, 300), -11);
  EXPECT_EQ(distance_to(e, 0, 100), 1);
  EXPECT_EQ(distance_to(e, 0, 90), 11);
}

TEST(ElementListTest, MostSharedThenNearest) {
  ElementList list;
  EXPECT_EQ(list.nearest(0, 1), nullptr);
  for (const auto& [start, end] : {std::pair{100, 200}, {0, 1000}, {190, 260}, {2000, 2100}}) {
    list.add({start, end, "", 0});
  }
  list.finish();
  EXPECT_EQ(list.nearest(195, 255)->start, 0);     // shares 60, the others 5 and 60: the first
  EXPECT_EQ(list.nearest(1400, 1500)->end, 1000);  // 400 bases to the left, 500 to the right
  EXPECT_EQ(list.nearest(1600, 1700)->start, 2000);
  EXPECT_EQ(list.nearest(5000, 5001)->start, 2000);
  EXPECT_EQ(list.overlapping(195, 198).size(), 3U);
  EXPECT_TRUE(list.overlapping(1000, 2000).empty());
}

/// The cost of a search grows with the depth of the tree, not with the number of elements passed
/// over: by half for 32 times the elements, where a linear search takes 32 times as long.
TEST(ElementListTest, ALongElementDoesNotSlowTheSearch) {
  const auto time_of = [](std::int64_t count) {
    ElementList list;
    list.add({0, 2 * count, "", 0});
    for (std::int64_t i = 0; i < count; ++i) list.add({i, i + 1, "", 0});
    list.finish();
    return test::cpu_time([&] {
      for (int i = 0; i < 2000; ++i) EXPECT_EQ(list.overlapping(count - 1, count).size(), 2U);
    });
  };
  EXPECT_LT(time_of(64000), 8.0 * time_of(2000));
}

TEST(ElementListTest, AgreesWithASearchOfAll) {
  RandomStream random(7, 0);
  ElementList list;
  for (int i = 0; i < 200; ++i) {
    const auto start = static_cast<std::int64_t>(random.below(5000));
    const auto length =
        static_cast<std::int64_t>(1 + random.below(random.below(20) == 0 ? 900 : 30));
    list.add({start, start + length, "", 0});
  }
  list.finish();
  for (std::int64_t start = -40; start < 6100; start += 7) {
    const std::int64_t end = start + 1 + static_cast<std::int64_t>(random.below(60));
    std::vector<const Element*> shared;
    std::int64_t least = 1 << 30;
    for (const Element& e : list.elements()) {
      if (e.start < end && e.end > start) shared.push_back(&e);
      least = std::min(least, std::abs(distance_to(e, start, end)));
    }
    EXPECT_EQ(list.overlapping(start, end), shared);
    EXPECT_EQ(std::abs(distance_to(*list.nearest(start, end), start, end)), least);
  }
}

}  // namespace
}  // namespace cdt
