#include "apps/train/dna_check.h"

#include <algorithm>
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
                   bool gene_windows, DnaShare share)
    : data_(data),
      expected_(std::move(expected)),
      state_file_(std::move(state_file)),
      gene_windows_(gene_windows),
      share_(std::move(share)),
      result_(std::async(std::launch::async, [this] { return read_share(); })) {}

DnaCheck::~DnaCheck() {
  stop_ = true;
  result_.wait();
}

bool DnaCheck::is_small() const {
  return all_rows() * data_.bins * data_.dna_dim * static_cast<std::int64_t>(sizeof(float)) <=
         kSmallBytes;
}

DnaCheck::Words DnaCheck::read_share() {
  const auto start = std::chrono::steady_clock::now();
  Words words;
  std::vector<float> row(static_cast<std::size_t>(data_.bins * data_.dna_dim));
  const Slice own = own_rows();
  for (std::int64_t i = own.begin; i < own.end && !stop_; ++i) {
    const std::int64_t gene = i - data_.enhancers_count();
    if (gene < 0) {
      data_.read_dna(static_cast<std::int32_t>(i), row.data());
    } else {
      data_.read_dna_gene(static_cast<std::int32_t>(gene), row.data());
    }
    const Digest::Block block = Digest::block(row.data(), row.size() * sizeof(float));
    words.insert(words.end(), block.lanes.begin(), block.lanes.end());
    ++read_;
  }
  seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return words;
}

std::string DnaCheck::digest_of_rows(const Words& words) const {
  Digest digest;
  for (const std::int64_t size : {all_rows(), data_.bins, data_.dna_dim}) {
    digest.add(static_cast<std::uint64_t>(size));
  }
  Digest::Block block{{}, static_cast<std::uint64_t>(data_.bins * data_.dna_dim) * sizeof(float)};
  for (std::size_t at = 0; at < words.size(); at += Digest::kLanes) {
    std::copy_n(words.data() + at, Digest::kLanes, block.lanes.begin());
    digest.add(block);
  }
  return digest.hex();
}

std::optional<std::string> DnaCheck::digest() {
  if (!whole_.empty()) return whole_;
  Words own;
  if (result_.wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
    try {
      own = result_.get();
    } catch (...) {
      gathered({});  // for the ranks that wait for this one
      throw;
    }
  }
  const Words all = gathered(own);
  if (all.size() != static_cast<std::size_t>(all_rows()) * Digest::kLanes) return std::nullopt;
  const std::string found = digest_of_rows(all);
  if (compares() && found != expected_) {
    throw InputError(data_.directory.string(), "dna",
                     expected_got("is not what " + state_file_.string() + " was trained on",
                                  "digest " + expected_, found));
  }
  whole_ = found;
  return found;
}

std::optional<std::string> DnaCheck::wait(bool quiet) {
  if (!whole_.empty()) return whole_;
  Progress progress(kWhat, rows(), quiet);
  while (result_.wait_for(kGlance) != std::future_status::ready && !interrupted()) {
    progress.update(read_);
  }
  std::optional<std::string> out = digest();
  if (out && !quiet) progress.interject(summary());
  return out;
}

std::string DnaCheck::summary() const { return progress_text(kWhat, read_, rows(), seconds_, ""); }

}  // namespace cdt
