// Reads damaged HDF5 files through the sandbox, a process for each, and checks that nothing but one
// line comes of them. The last line counts; exit code 1 if this process was harmed.
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <vector>

#include "apps/common/program.h"
#include "io/format/hdf5/proxy.h"
#include "io/format/text.h"
#include "tests/hostile_hdf5/mutate.h"
#include "tests/hostile_hdf5/seeds.h"
#include "tests/support/sandbox_work.h"

namespace cdt::test {
namespace {

namespace fs = std::filesystem;
using Ending = SandboxError::Ending;

constexpr std::uint64_t kMostValues = std::uint64_t{1} << 20U;  // read of one data set
constexpr std::int64_t kMostRows = 64;
constexpr SandboxLimits kLimits{.memory_bytes = std::int64_t{512} << 20, .processor_seconds = 1};

struct Count {
  std::int64_t files = 0, accepted = 0, refused = 0, harm = 0;
  std::array<std::int64_t, 4> endings{};  // by Ending

  std::string text() const {
    const auto ended = [this](Ending ending) {
      return std::to_string(endings[static_cast<std::size_t>(ending)]);
    };
    return std::to_string(files) + " files: " + std::to_string(accepted) + " read, " +
           std::to_string(refused) + " refused, " + ended(Ending::kCrash) + " crashes, " +
           ended(Ending::kTooLong) + " over the time, " + ended(Ending::kForbiddenCall) +
           " forbidden calls, " + ended(Ending::kBadAnswer) +
           " without an answer; harm: " + std::to_string(harm);
  }
  void add(const Count& other) {
    files += other.files;
    accepted += other.accepted;
    refused += other.refused;
    harm += other.harm;
    for (std::size_t i = 0; i < endings.size(); ++i) endings[i] += other.endings[i];
  }
};

/// Number of values, or kMostValues + 1 if there are more than kMostValues.
std::uint64_t values_of(const std::vector<std::int64_t>& shape) {
  std::uint64_t values = 1;
  for (const std::int64_t size : shape) {
    values = std::min(values * static_cast<std::uint64_t>(size), kMostValues + 1);
  }
  return values;
}

/// Reads a data set in every way that its type allows. Sizes within the bounds of the importer are
/// cut down to what is read quickly.
void read_set(const Hdf5DatasetProxy& set) {
  if (values_of(set.shape()) > kMostValues) return;
  if (set.float_type().empty()) {
    const std::string as_integers = input_error([&] { set.read_integers(); });
    if (as_integers.find("holds strings") != std::string::npos) {
      set.read_strings();
    } else if (!as_integers.empty()) {
      throw InputError(as_integers);
    }
    return;
  }
  set.read_floats();
  if (set.shape().empty()) return;
  std::vector<float> row(set.row_values());
  for (std::int64_t i = 0; i < std::min(kMostRows, set.shape()[0]); ++i) {
    set.read_row(i, row.data());
  }
}

void read_all(const fs::path& path) {
  const Hdf5FileProxy file(path, kLimits);
  std::string first_error;
  for (const std::string& name : file.dataset_names()) {
    // As the importer, which stops at the first error; the other data sets are read anyway.
    try {
      read_set(file.dataset_of_bfloat16(name));
    } catch (const SandboxError&) {
      throw;
    } catch (const InputError& error) {
      if (first_error.empty()) first_error = error.what();
    }
  }
  if (!first_error.empty()) throw InputError(first_error);
}

/// One file in a folder of its own, which is all that may be there afterwards.
class Attack {
 public:
  explicit Attack(const fs::path& folder)
      : folder_(folder), path_(folder / "damaged.h5"), descriptors_(open_descriptors()) {}

  void read(const std::string& bytes, Count* count) const {
    write_bytes(path_, bytes);
    ++count->files;
    std::string message;
    try {
      read_all(path_);
      ++count->accepted;
    } catch (const SandboxError& error) {
      ++count->endings[static_cast<std::size_t>(error.ending())];
      message = error.what();
    } catch (const InputError& error) {
      ++count->refused;
      message = error.what();
    }
    const std::string harm = harm_of(bytes, message);
    if (harm.empty()) return;
    ++count->harm;
    std::cout << "harm by file " << count->files << ": " << harm << std::endl;
  }

 private:
  /// What is not as it was; "" if all is.
  std::string harm_of(const std::string& bytes, const std::string& message) const {
    const bool named = message.empty() || message.starts_with(path_.string() + ": ");
    if (!named || message.find('\n') != std::string::npos) return "message " + printable(message);
    if (open_descriptors() != descriptors_) return "an open descriptor is left";
    if (waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD) return "a process is left";
    if (std::distance(fs::directory_iterator(folder_), {}) != 1) return "a file is left";
    return read_bytes(path_) == bytes ? "" : "the file was changed";
  }

  fs::path folder_, path_;
  std::ptrdiff_t descriptors_;
};

int hostile_hdf5(int argc, char** argv) {
  std::int64_t files = 0;
  std::int64_t seed = 1;
  const bool understood = argc >= 2 && argc <= 3 && parse_int64(argv[1], &files) && files > 0 &&
                          (argc == 2 || parse_int64(argv[2], &seed));
  if (!understood) throw InputError("command line", "usage", "hostile_hdf5 FILES [SEED]");
  const TempDir folder;
  const std::vector<HostileSeed> seeds = hostile_seeds(folder.path);
  const Attack attack(folder.path);
  RandomStream draws(static_cast<std::uint64_t>(seed), 0);
  Count total;
  for (const HostileSeed& whole : seeds) {
    Count unharmed;
    attack.read(whole.bytes, &unharmed);
    if (unharmed.accepted != 1) throw Error(whole.name + ": the whole file is not read");
    Count count;
    const auto share =
        files / std::ssize(seeds) + (&whole == seeds.data() ? files % std::ssize(seeds) : 0);
    while (count.files < share) attack.read(mutated(whole.bytes, &draws), &count);
    std::cout << whole.name << ": " << count.text() << std::endl;
    total.add(count);
  }
  std::cout << "in all " << total.text() << std::endl;
  return total.harm == 0 ? kExitDone : kExitFailed;
}

}  // namespace
}  // namespace cdt::test

int main(int argc, char** argv) {
  return cdt::run_main("hostile_hdf5", argc, argv, cdt::test::hostile_hdf5);
}
