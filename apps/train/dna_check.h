// Reads all DNA of a data set that a run uses once, in order, on a thread of its own during
// training. A value that is not finite is thus found soon after the run begins rather than when
// training needs its row, and the digest of all rows tells whether a resumed run has the same data
// as before. Small data sets are read completely before the first step (wait()).
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "engine/ranks/communicator.h"
#include "io/dataset/dataset.h"

namespace cdt {

/// The part of the pass that one of several processes makes: of n rows, rank r reads those from
/// r n / ranks to (r + 1) n / ranks. The digest of all rows is the same for any number of ranks.
struct DnaShare {
  std::int64_t rank = 0, ranks = 1;
  /// Returns what the ranks give, one after another; they give different numbers of words, 0 or 8 a
  /// row. Every rank calls it once in each digest() until all rows are read, and once in wait().
  /// Not called with one rank.
  std::function<std::vector<std::uint64_t>(const std::vector<std::uint64_t>& own)> gather;
};

class DnaCheck {
 public:
  /// Starts reading. expected: digest of the rows that `state_file` recorded; empty if it has none.
  /// gene_windows: whether the run also reads those, which then are rows after the enhancers'.
  explicit DnaCheck(const Dataset& data, std::string expected = "",
                    std::filesystem::path state_file = {}, bool gene_windows = false,
                    DnaShare share = {});
  /// Stops the thread at the next row.
  ~DnaCheck();
  DnaCheck(const DnaCheck&) = delete;
  DnaCheck& operator=(const DnaCheck&) = delete;

  /// Digest of all rows once they are read; nothing before. Throws InputError naming enhancer, bin
  /// and feature of a bad row of this share as soon as it is found, and for rows that do not match
  /// the state. Every rank calls it at the same steps.
  std::optional<std::string> digest();
  /// Waits for the digest, showing progress on stderr unless quiet; returns nothing if a signal
  /// arrived, here or in another rank. Every rank calls it at the same steps.
  std::optional<std::string> wait(bool quiet);

  /// Whether the rows are compared with those of a state.
  bool compares() const { return !expected_.empty(); }
  /// Whether the DNA is small enough to be read before the first step.
  bool is_small() const;
  /// Rows of this share, and how many of them are read.
  std::int64_t rows() const { return own_rows().count(); }
  std::int64_t rows_read() const { return read_; }
  /// "DNA rows read and checked 60/60 100 %, 4e+03/s, took 0:00"
  std::string summary() const;

 private:
  using Words = std::vector<std::uint64_t>;

  std::int64_t all_rows() const {
    return data_.enhancers_count() + (gene_windows_ ? data_.genes_count() : 0);
  }
  Slice own_rows() const { return slice_of(all_rows(), share_.rank, share_.ranks); }
  Words read_share();
  Words gathered(const Words& own) const { return share_.gather ? share_.gather(own) : own; }
  std::string digest_of_rows(const Words& words) const;

  const Dataset& data_;
  std::string expected_;
  std::filesystem::path state_file_;
  bool gene_windows_;
  DnaShare share_;
  std::atomic<bool> stop_ = false;
  std::atomic<std::int64_t> read_ = 0;
  std::atomic<double> seconds_ = 0.0;
  std::shared_future<Words> result_;  // the lanes of each row of the share (Digest::Block)
  std::string whole_;                 // digest of all rows; empty until they are read
};

}  // namespace cdt
