// One pass over all DNA of a data set beside the training: every row is read once, in order, by a
// thread of its own, so that a value that is not finite is found when the run begins and not when
// its row's turn comes, and the digest of all rows tells whether a resumed run has the data it
// began with. Small data sets are read whole before the first step (wait()).
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
  /// Starts to read. expected: the digest that `state_file` has of the rows the run began with;
  /// empty: it has none.
  explicit DnaCheck(const Dataset& data, std::string expected = "",
                    std::filesystem::path state_file = {});
  /// Ends the thread at the next row.
  ~DnaCheck();
  DnaCheck(const DnaCheck&) = delete;
  DnaCheck& operator=(const DnaCheck&) = delete;

  /// The digest of all rows, once they are read. InputError naming enhancer, bin and feature of a
  /// bad row as soon as it is found, and for rows that are not those of the state.
  std::optional<std::string> digest();
  /// Waits for it, with progress on stderr unless quiet; nothing if a signal arrived.
  std::optional<std::string> wait(bool quiet);

  /// Are the rows to be compared with those of a state?
  bool compares() const { return !expected_.empty(); }
  /// Few enough to be read before the first step.
  bool is_small() const;
  std::int64_t rows() const { return data_.enhancers_count(); }
  std::int64_t rows_read() const { return read_; }
  /// "DNA rows read and checked 60/60 100 %, 4e+03/s, took 0:00"
  std::string summary() const;

 private:
  std::string read_all();

  const Dataset& data_;
  std::string expected_;
  std::filesystem::path state_file_;
  std::atomic<bool> stop_ = false;
  std::atomic<std::int64_t> read_ = 0;
  std::atomic<double> seconds_ = 0.0;
  std::shared_future<std::string> result_;
};

}  // namespace cdt
