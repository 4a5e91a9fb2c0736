#include "apps/train/verify.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>

#include "apps/common/output_folder.h"
#include "apps/common/program.h"
#include "apps/common/provenance.h"
#include "apps/common/session.h"
#include "apps/train/run_comparison.h"
#include "apps/train/run_config.h"
#include "apps/train/settings.h"
#include "apps/train/state.h"
#include "apps/train/train.h"
#include "engine/error.h"
#include "io/dataset/folds.h"
#include "io/format/file.h"
#include "io/format/json.h"
#include "io/format/text.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& what, const char* field, const std::string& why) {
  throw InputError(what.string(), field, "cannot be verified: " + why);
}

/// Holds a run as long as it lives, so that no cdt-train continues it. Writes nothing there.
FileDescriptor hold(const fs::path& run) {
  const fs::path lock = run / "lock";
  if (!fs::exists(lock)) return {};  // a copy without it
  FileDescriptor file = open_for_reading(lock);
  if (try_lock(file) == EWOULDBLOCK) refuse(run, "lock", "a cdt-train is writing to this run");
  return file;
}

FileDescriptor open_folder(const fs::path& folder) {
  return FileDescriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/// A folder beside a run, locked, and removed with all it holds.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const fs::path& run) {
    const std::string prefix = fs::canonical(run).string() + ".verify-";
    remove_leftovers(prefix);
    std::string name = prefix + "XXXXXX";
    if (mkdtemp(name.data()) == nullptr) {
      throw InputError(name, "create", system_message(errno) + "; --out FOLDER names another");
    }
    path_ = name;
    lock_ = open_folder(path_);
    if (lock_.get() >= 0) try_lock(lock_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  /// Removes what killed programs left: no program holds a lock on it. One that is empty may be new
  /// and not locked yet.
  static void remove_leftovers(const fs::path& prefix) {
    std::error_code ignored;
    for (const fs::path& entry : entries_of(prefix.parent_path(), &ignored)) {
      const std::string name = entry.filename().string();
      const std::string begin = prefix.filename().string();
      if (!name.starts_with(begin) || name.size() != begin.size() + 6) continue;
      const FileDescriptor folder = open_folder(entry);
      if (folder.get() < 0 || fs::is_empty(entry, ignored)) continue;
      if (try_lock(folder) == 0) fs::remove_all(entry, ignored);
    }
  }

  fs::path path_;
  FileDescriptor lock_;
};

/// Throws InputError if `out` is the run, or a folder in it.
void expect_outside(const fs::path& out, const fs::path& run) {
  if (is_within(out, run)) refuse(out, "--out", "it is in the run, to which nothing is written");
}

/// The options with which the run begins again, up to that moment.
TrainOptions options_of(const TrainOptions& given, const RunRecipe& recipe, const RunFacts& facts,
                        const RunMoment& until) {
  TrainOptions out = given;
  const fs::path config = given.verify / "config.json";
  adopt_stored_settings(recipe.options, config, &out);
  TrainOptions state;
  adopt_stored_settings(facts.settings, config, &state);
  state.settings.epochs = out.settings.epochs;  // a finished run may have been given more
  if (settings_json(state.settings) != settings_json(out.settings)) {
    refuse(config, "options", "they are not those of " + (given.verify / "last").string());
  }
  if (!out.settings.decays()) {
    const std::int64_t begun = until.position > 0 ? until.epoch : until.epoch - 1;
    out.settings.epochs = std::max(out.settings.epochs, begun);  // or fewer
  }
  // All of them were given, as far as the files that the run started from are concerned.
  for_each_setting([&](const Setting& setting) { out.given.insert(setting.name); });
  start_as(recipe.start, &out);
  out.overrides.match_genes = out.overrides.match_genes || facts.match_genes;
  if (!recipe.start.model.empty()) {
    out.overrides.heads = out.settings.heads;
    out.overrides.pool_heads = out.settings.pool_heads;
  }
  if (given.common.data.empty()) out.common.data = recipe.data;
  if (given.common.device == CommonOptions{}.device) {
    out.common.device = recipe.device == given.common.device ? facts.device : recipe.device;
  }
  return out;
}

void expect_same_data(const TrainOptions& options, const RunRecipe& recipe, const RunFacts& facts) {
  Dataset data = open_data(options.common);
  const std::string digest = digest_of_data(data);
  if (digest == recipe.data_digest) return;
  if (recipe.data_digest.empty()) {
    refuse(options.verify / "config.json", "fingerprint", "the run does not record its data");
  }
  if (!options.overrides.match_genes) {
    use_pairs(pair_use(options.settings), &data);
    check_same_data(facts, data, options.verify / "last" / "state.safetensors");
  }
  refuse(options.common.data, "fingerprint",
         expected_got("it is not the data set of the run", recipe.data_digest, digest));
}

/// Throws InputError if the DNA, read in full by now, or the weights that the run started from are
/// not those of the run.
void expect_same_inputs(const TrainOptions& options, const fs::path& again, const RunFacts& facts) {
  const std::string dna = read_run_facts(again / "last" / "state.safetensors").dna();
  if (!facts.dna().empty() && dna != facts.dna()) {
    refuse(options.common.data, "dna",
           expected_got("it is not the DNA of the run", facts.dna(), dna));
  }
  const fs::path recorded = options.verify / kProvenanceFile;
  if (!fs::exists(recorded)) return;
  const auto weights = [](const fs::path& file) {
    return parse_json_file(file).value("/fingerprint/model"_json_pointer, nlohmann::json());
  };
  const nlohmann::json then = weights(recorded);
  const nlohmann::json now = weights(again / kProvenanceFile);
  if (then.is_null() || then == now) return;
  refuse(options.common.model, "weights",
         expected_got("the run was started from others", dumped(then), dumped(now)));
}

void print(const Compared& compared) {
  std::cout << compared.what << '\t' << (compared.equal ? "equal" : "different")
            << (compared.detail.empty() ? "" : "\t") << compared.detail << '\n';
}

/// Prints the comparison; returns whether all results are equal.
bool report(const fs::path& run, const fs::path& again, const RunRecipe& recipe,
            const RunMoment& until) {
  print({"data", true, "digest " + recipe.data_digest});
  for (const Compared& compared : compare_provenance(run, again)) print(compared);
  bool equal = true;
  for (const Compared& compared : compare_results(run, again, until)) {
    print(compared);
    equal = equal && compared.equal;
  }
  std::cout << "result\t" << (equal ? "equal bit for bit" : "different") << '\n';
  return equal;
}

}  // namespace

int verify(const TrainOptions& given) {
  const fs::path& run = given.verify;
  if (!fs::is_directory(run)) throw InputError(run.string(), "--verify", "no such folder");
  const FileDescriptor held = hold(run);
  const fs::path state = run / "last" / "state.safetensors";
  const RunRecipe recipe = read_recipe(run);
  const RunFacts facts = read_run_facts(state);
  const RunMoment until = read_run_moment(state);
  TrainOptions options = options_of(given, recipe, facts, until);
  expect_same_data(options, recipe, facts);
  std::optional<TemporaryFolder> temporary;
  if (given.common.out.empty()) {
    temporary.emplace(run);
    options.common.out = temporary->path();
  } else {
    expect_outside(given.common.out, run);
  }
  try {
    train(&options, *make_lone_communicator(), until);
  } catch (const InputError&) {
    throw;
  } catch (const Error&) {
    if (interrupted()) refuse(run, "--verify", "interrupted");
    throw;
  }
  expect_same_inputs(options, options.common.out, facts);
  return report(run, options.common.out, recipe, until) ? kExitDone : kExitFailed;
}

}  // namespace cdt
