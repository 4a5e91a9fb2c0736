// The finished shards of one run, checked against each other, for cdt-merge.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/output_folder.h"
#include "apps/common/session.h"
#include "apps/common/shard.h"
#include "model/fingerprint.h"

namespace cdt {

class ShardSet {
 public:
  /// Opens the shards, in any order. Throws InputError if a folder holds no shard or an unfinished
  /// one, if shards are not of one run (shard_difference()), if one is missing or there twice, or
  /// if a file that their options name has changed. Warns if they ran on different machines.
  explicit ShardSet(const std::vector<std::string>& folders);

  std::int64_t count() const { return std::ssize(shards_); }
  /// "cdt-predict" or "cdt-attribute"
  std::string program() const;
  /// Options of the program, for Cli::adopt(), and the file that they are from.
  const nlohmann::json& options() const;
  std::string source() const { return shards_.front().file.string(); }
  Fingerprint fingerprint() const;
  /// Adds the files of all shards to what a program reads; throws InputError if `out` is inside a
  /// shard.
  void add_inputs(const std::filesystem::path& out, Inputs* inputs) const;
  /// Throws InputError unless model and data set are those of the shards. DNA counts only if it is
  /// there, and truth.json is left to expect_same_truth().
  void expect_same_inputs(const ModelAndData& opened) const;
  /// Throws InputError unless the truth.json of the data set is that of the shards. To be called
  /// once that file was read: before, it may still change or vanish.
  void expect_same_truth(const std::filesystem::path& data) const;

  /// Passes the records of shard `index`, in order, with the file that they are from. Throws
  /// InputError if a record is damaged or if there are not `expected` of them.
  using Take = std::function<void(std::string_view record, const std::string& source)>;
  void read(std::int64_t index, std::size_t expected, const Take& take) const;

  /// provenance.json of what `merge` makes of them: that of the first shard with the command line
  /// and the paths of `merge`, and under "shards" what made each.
  std::string provenance_text(const CommonOptions& merge) const;

 private:
  struct Shard {
    std::int64_t index = 0;
    std::filesystem::path folder, file;
    std::string header_text;
    nlohmann::json header;
  };
  static Shard open(const std::filesystem::path& folder);
  void expect_all() const;
  void expect_same_files() const;
  void warn_of_machines() const;

  std::vector<Shard> shards_;  // by index
};

/// Takes data and model from the options of the shards unless `merge` names others, and everything
/// else that is not a setting of the run from `merge`.
CommonOptions merged_options(const CommonOptions& of_shards, const CommonOptions& merge);

}  // namespace cdt
