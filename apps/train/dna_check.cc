#include "apps/train/dna_check.h"

#include <chrono>
#include <utility>
#include <vector>

#include "apps/common/program.h"
#include "apps/common/progress.h"
#include "engine/error.h"
#include "io/format/digest.h"

namespace cdt {
namespace {

constexpr const char* kWhat = "DNA rows read and checked";
constexpr std::int64_t kSmallBytes = std::int64_t{1} << 30U;  // a second or two to read from disk
constexpr std::chrono::milliseconds kGlance{20};

}  // namespace

DnaCheck::DnaCheck(const Dataset& data, std::string expected, std::filesystem::path state_file,
                   bool gene_windows)
    : data_(data),
      expected_(std::move(expected)),
      state_file_(std::move(state_file)),
      gene_windows_(gene_windows),
      result_(std::async(std::launch::async, [this] { return read_all(); })) {}

DnaCheck::~DnaCheck() {
  stop_ = true;
  result_.wait();
}

bool DnaCheck::is_small() const {
  return rows() * data_.bins * data_.dna_dim * static_cast<std::int64_t>(sizeof(float)) <=
         kSmallBytes;
}

std::string DnaCheck::read_all() {
  const auto start = std::chrono::steady_clock::now();
  Digest digest;
  for (const std::int64_t size : {rows(), data_.bins, data_.dna_dim}) {
    digest.add(static_cast<std::uint64_t>(size));
  }
  std::vector<float> row(static_cast<std::size_t>(data_.bins * data_.dna_dim));
  for (std::int64_t i = 0; i < rows() && !stop_; ++i) {
    const std::int64_t gene = i - data_.enhancers_count();
    if (gene < 0) {
      data_.read_dna(static_cast<std::int32_t>(i), row.data());
    } else {
      data_.read_dna_gene(static_cast<std::int32_t>(gene), row.data());
    }
    digest.add(row);
    ++read_;
  }
  seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return digest.hex();
}

std::optional<std::string> DnaCheck::digest() {
  if (result_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return std::nullopt;
  const std::string& found = result_.get();
  if (compares() && found != expected_) {
    throw InputError(data_.directory.string(), "dna",
                     expected_got("is not what " + state_file_.string() + " was trained on",
                                  "digest " + expected_, found));
  }
  return found;
}

std::optional<std::string> DnaCheck::wait(bool quiet) {
  Progress progress(kWhat, rows(), quiet);
  while (result_.wait_for(kGlance) != std::future_status::ready) {
    if (interrupted()) return std::nullopt;
    progress.update(read_);
  }
  std::optional<std::string> out = digest();
  if (!quiet) progress.interject(summary());
  return out;
}

std::string DnaCheck::summary() const { return progress_text(kWhat, read_, rows(), seconds_, ""); }

}  // namespace cdt
