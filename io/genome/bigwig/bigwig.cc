// Writes bigWig files with libBigWig. That library writes only to named files, wants sorted
// intervals and chromosomes, and loses errors of the system while it writes or reports them on
// stderr. So it writes to a file in memory, which is read back, compared, and then copied.
#include "io/genome/bigwig/bigwig.h"

#include <bigWig.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/error.h"
#include "io/format/file.h"
#include "io/format/output.h"

namespace cdt {
namespace {

constexpr std::int32_t kZoomLevels = 10;  // IGV fails on files without any

struct Close {
  void operator()(bigWigFile_t* file) const { bwClose(file); }
};
using BigWig = std::unique_ptr<bigWigFile_t, Close>;

struct Destroy {
  void operator()(bwOverlappingIntervals_t* found) const { bwDestroyOverlappingIntervals(found); }
};

BigWig open(const std::string& name, const char* mode) {
  BigWig file(bwOpen(name.c_str(), nullptr, mode));
  if (file == nullptr) throw Error("libBigWig: cannot open " + name);
  return file;
}

/// A file in memory, with a name by which this process can open it.
class MemoryFile {
 public:
  MemoryFile() : file_(memfd_create("bigwig", MFD_CLOEXEC)) {
    if (file_.get() < 0) throw Error("bigWig: no file in memory (" + system_message(errno) + ")");
  }

  std::string name() const { return "/proc/self/fd/" + std::to_string(file_.get()); }

  void copy_to(AtomicFile& out) const {
    std::vector<char> piece(std::size_t{1} << 20U);
    const std::size_t size = file_size(file_, name());
    for (std::size_t at = 0; at < size; at += piece.size()) {
      const std::size_t count = std::min(piece.size(), size - at);
      read_exactly(file_, name(), at, piece.data(), count);
      out.write(piece.data(), count);
    }
  }

 private:
  FileDescriptor file_;
};

void expect_zero(int status, const char* what) {
  if (status != 0) throw Error(std::string("libBigWig: ") + what + " failed");
}

/// The intervals of one chromosome in the layout that libBigWig takes.
struct IntervalColumns {
  explicit IntervalColumns(const ChromosomeScores& scores) {
    for (const ScoredInterval& i : scores.intervals) {
      start.push_back(static_cast<std::uint32_t>(i.start));
      end.push_back(static_cast<std::uint32_t>(i.end));
      value.push_back(i.value);
    }
  }
  std::vector<std::uint32_t> start, end;
  std::vector<float> value;
};

void write_chromosome(bigWigFile_t* file, const ChromosomeScores& scores) {
  if (scores.intervals.empty()) return;
  const IntervalColumns columns(scores);
  const char* chrom = scores.chrom.c_str();
  expect_zero(bwAddIntervals(file, &chrom, columns.start.data(), columns.end.data(),
                             columns.value.data(), 1),
              "adding intervals");
  const auto rest = static_cast<std::uint32_t>(columns.start.size() - 1);
  if (rest == 0) return;
  expect_zero(bwAppendIntervals(file, columns.start.data() + 1, columns.end.data() + 1,
                                columns.value.data() + 1, rest),
              "adding intervals");
}

void write(const std::string& to, std::span<const Chromosome> chromosomes,
           const std::vector<ChromosomeScores>& scores) {
  std::vector<std::string> names;
  std::vector<std::uint32_t> sizes;
  for (const Chromosome& c : chromosomes) {
    names.emplace_back(c.name);
    sizes.push_back(static_cast<std::uint32_t>(c.size));
  }
  std::vector<const char*> pointers;
  for (const std::string& name : names) pointers.push_back(name.c_str());
  const BigWig file = open(to, "w");
  expect_zero(bwCreateHdr(file.get(), kZoomLevels), "the header");
  file->cl =
      bwCreateChromList(pointers.data(), sizes.data(), static_cast<std::int64_t>(pointers.size()));
  expect_zero(file->cl == nullptr ? 1 : 0, "the list of chromosomes");
  expect_zero(bwWriteHdr(file.get()), "writing the header");
  for (const ChromosomeScores& s : scores) write_chromosome(file.get(), s);
}

void read_back(const std::string& from, const std::vector<ChromosomeScores>& scores) {
  const BigWig file = open(from, "r");
  for (const ChromosomeScores& s : scores) {
    if (s.intervals.empty()) continue;
    const std::unique_ptr<bwOverlappingIntervals_t, Destroy> found(bwGetOverlappingIntervals(
        file.get(), s.chrom.c_str(), 0, static_cast<std::uint32_t>(s.intervals.back().end)));
    bool same = found != nullptr && found->l == s.intervals.size();
    for (std::size_t i = 0; same && i < s.intervals.size(); ++i) {
      same = s.intervals[i] == ScoredInterval{found->start[i], found->end[i], found->value[i]};
    }
    if (!same) throw Error("a bigWig file reads back otherwise than written");
  }
}

/// Whether the intervals are sorted, do not overlap and are within the chromosome.
bool is_valid(const ChromosomeScores& scores, std::int64_t size) {
  std::int64_t at = 0;
  return std::all_of(scores.intervals.begin(), scores.intervals.end(),
                     [&](const ScoredInterval& i) {
                       const bool valid = i.start >= at && i.start < i.end && i.end <= size;
                       at = i.end;
                       return valid;
                     });
}

void expect_valid(std::span<const Chromosome> chromosomes,
                  const std::vector<ChromosomeScores>& scores) {
  auto from = chromosomes.begin();
  bool any = false;
  for (const ChromosomeScores& s : scores) {
    const auto chromosome = std::find_if(from, chromosomes.end(),
                                         [&](const Chromosome& c) { return c.name == s.chrom; });
    CDT_CHECK(chromosome != chromosomes.end(), "chromosome unknown or out of order: " + s.chrom);
    CDT_CHECK(is_valid(s, chromosome->size), "intervals not sorted or out of " + s.chrom);
    from = chromosome + 1;
    any = any || !s.intervals.empty();
  }
  CDT_CHECK(any, "a bigWig file needs an interval");
}

/// Upper bound on the size of the file, including zoom levels.
std::uint64_t bytes_bound(const std::vector<ChromosomeScores>& scores) {
  constexpr std::uint64_t kHeaders = std::uint64_t{64} << 10U;
  constexpr std::uint64_t kInterval = 64;
  std::uint64_t intervals = 0;
  for (const ChromosomeScores& s : scores) intervals += s.intervals.size();
  return kHeaders + kInterval * intervals;
}

}  // namespace

bool has_bigwig() { return true; }

void write_bigwig(AtomicFile& file, std::span<const Chromosome> chromosomes,
                  const std::vector<ChromosomeScores>& scores) {
  expect_valid(chromosomes, scores);
  const std::filesystem::path folder = file.target().parent_path();
  require_free_space(folder.empty() ? "." : folder, bytes_bound(scores));
  const MemoryFile memory;
  write(memory.name(), chromosomes, scores);
  read_back(memory.name(), scores);
  memory.copy_to(file);
}

}  // namespace cdt
