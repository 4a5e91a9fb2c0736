// Reads all DNA of a data set that a run uses once, in order, on a thread of its own during
// training. A value that is not finite is thus found soon after the run begins rather than when
// training needs its row, and the digest of all rows tells whether a resumed run has the same data
// as before. Small data sets are read completely before the first step (wait()).
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <future>
#include <optional>
#include <string>

#include "io/dataset/dataset.h"

namespace cdt {

class DnaCheck {
 public:
  /// Starts reading. expected: digest of the rows that `state_file` recorded; empty if it has none.
  /// gene_windows: whether the run also reads those, which then are rows after the enhancers'.
  explicit DnaCheck(const Dataset& data, std::string expected = "",
                    std::filesystem::path state_file = {}, bool gene_windows = false);
  /// Stops the thread at the next row.
  ~DnaCheck();
  DnaCheck(const DnaCheck&) = delete;
  DnaCheck& operator=(const DnaCheck&) = delete;

  /// Digest of all rows once they are read; nothing before. Throws InputError naming enhancer, bin
  /// and feature of a bad row as soon as it is found, and for rows that do not match the state.
  std::optional<std::string> digest();
  /// Waits for the digest, showing progress on stderr unless quiet; returns nothing if a signal
  /// arrived.
  std::optional<std::string> wait(bool quiet);

  /// Whether the rows are compared with those of a state.
  bool compares() const { return !expected_.empty(); }
  /// Whether the DNA is small enough to be read before the first step.
  bool is_small() const;
  std::int64_t rows() const {
    return data_.enhancers_count() + (gene_windows_ ? data_.genes_count() : 0);
  }
  std::int64_t rows_read() const { return read_; }
  /// "DNA rows read and checked 60/60 100 %, 4e+03/s, took 0:00"
  std::string summary() const;

 private:
  std::string read_all();

  const Dataset& data_;
  std::string expected_;
  std::filesystem::path state_file_;
  bool gene_windows_;
  std::atomic<bool> stop_ = false;
  std::atomic<std::int64_t> read_ = 0;
  std::atomic<double> seconds_ = 0.0;
  std::shared_future<std::string> result_;
};

}  // namespace cdt
