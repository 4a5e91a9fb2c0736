// cdt-split: splits the pairs of a data set again, into train, val and test or into folds, and
// shows what the split leaks before and after.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/leakage.h"
#include "apps/common/output_folder.h"
#include "apps/common/program.h"
#include "apps/common/progress.h"
#include "apps/common/provenance.h"
#include "apps/common/tables.h"
#include "apps/common/window_sketch.h"
#include "apps/evaluation/claims.h"
#include "apps/programs.h"
#include "apps/split/rule.h"
#include "apps/split/units.h"
#include "engine/error.h"
#include "io/dataset/dataset_writer.h"
#include "io/dataset/folds.h"
#include "io/dataset/loci.h"
#include "io/format/file.h"
#include "io/format/json.h"
#include "io/format/output.h"
#include "io/format/text.h"
#include "model/fingerprint.h"

namespace cdt {
namespace {

constexpr const char* kWhere = "command line";

struct SplitOptions {
  CommonOptions common;  // data, out, overwrite, seed, quiet
  std::string by = "locus";
  std::string shares = "0.7,0.15,0.15";
  std::int64_t folds = 0;
  std::string test_chroms, val_chroms;
  bool unite_identical = false, no_content = false;
};

bool parse_options(int argc, char** argv, SplitOptions* o, Cli* cli) {
  cli->common(&o->common, {"data", "out", "seed", "quiet"});
  cli->require({"data", "out"});
  cli->choice("by", &o->by, {std::begin(kUnitNames), std::end(kUnitNames)},
              "what stays together; a locus is a cluster of enhancers with overlapping windows");
  cli->option("shares", &o->shares, "shares of the pairs for train, val and test");
  cli->number("folds", &o->folds, kLeastFolds, kMostFolds,
              "number of folds of equal size instead: a column fold, and splits as of fold 1");
  cli->option(
      "test-chroms", &o->test_chroms,
      "chromosomes whose enhancers are test, separated by commas; --shares divides the rest");
  cli->option("val-chroms", &o->val_chroms, "chromosomes whose enhancers are val");
  cli->flag("unite-identical", &o->unite_identical,
            "keep enhancers with near-identical windows together too");
  cli->flag("no-content", &o->no_content, "do not read the DNA to look for near-identical windows");
  if (!cli->parse(argc, argv)) return false;
  const auto refuse = [](const char* option, const std::string& what) {
    throw InputError(kWhere, option, what);
  };
  if (o->unite_identical && o->no_content) {
    refuse("--unite-identical", "needs the content that --no-content leaves out");
  }
  if (!cli->was_set("folds")) return true;
  if (cli->was_set("shares")) refuse("--shares", "has no meaning with --folds");
  if (!o->test_chroms.empty()) refuse("--test-chroms", "has no meaning with --folds");
  if (!o->val_chroms.empty()) refuse("--val-chroms", "has no meaning with --folds");
  return true;
}

Unit unit_named(const std::string& name) {
  const auto* found = std::find(std::begin(kUnitNames), std::end(kUnitNames), name);
  return static_cast<Unit>(found - std::begin(kUnitNames));
}

/// The three shares, whose sum is brought to 1.
std::vector<double> parse_shares(const std::string& list) {
  std::vector<double> out;
  for (const std::string_view word : split(list, ',')) {
    double share = 0;
    if (!parse_finite(word, &share).empty() || share < 0) {
      throw InputError(kWhere, "--shares",
                       expected_got("bad share", "a number of at least 0", word));
    }
    out.push_back(share);
  }
  const double sum = std::accumulate(out.begin(), out.end(), 0.0);
  if (out.size() != kSplits.size() || !(out.front() > 0) || std::abs(sum - 1) > 1e-9) {
    throw InputError(
        kWhere, "--shares",
        expected_got("bad shares",
                     "three numbers that add up to 1, of train, val and test, the first "
                     "above 0",
                     list));
  }
  return out;
}

/// The chromosomes of a list, each of which must have an enhancer with pairs.
std::set<std::string> chromosomes(const char* option, const std::string& list,
                                  const Dataset& data) {
  std::set<std::string> out;
  if (list.empty()) return out;
  std::set<std::string> known;
  for (const Pair& pair : data.pairs) known.insert(enhancer_of(data, pair).chrom);
  const std::vector<std::string> names(known.begin(), known.end());
  for (const std::string_view name : split(list, ',')) {
    if (!known.contains(std::string(name))) {
      throw InputError(
          kWhere, option,
          expected_got("no pair has an enhancer there", "some of " + joined(names, " "), name));
    }
    out.emplace(name);
  }
  return out;
}

SplitRule rule_of(const SplitOptions& options, const Dataset& data) {
  SplitRule rule = {.unit = unit_named(options.by),
                    .folds = options.folds,
                    .shares = parse_shares(options.shares),
                    .test_chroms = chromosomes("--test-chroms", options.test_chroms, data),
                    .val_chroms = chromosomes("--val-chroms", options.val_chroms, data),
                    .seed = static_cast<std::uint64_t>(options.common.seed)};
  for (const std::string& chrom : rule.val_chroms) {
    if (!rule.test_chroms.contains(chrom)) continue;
    throw InputError(kWhere, "--val-chroms", chrom + " is among --test-chroms");
  }
  return rule;
}

/// Numbers that near-identical windows share; none with --no-content.
std::vector<std::int32_t> contents(const SplitOptions& options, const Dataset& data) {
  if (options.no_content) return {};
  Progress progress("DNA windows compared", data.enhancers_count(), options.common.quiet);
  std::vector<std::int32_t> out = near_identical_windows(data, [&](std::int64_t done) {
    progress.update(done);
    stop_if_interrupted();
    return true;
  });
  progress.finish();
  return out;
}

/// One line for each split, or fold: what it holds.
std::string contents_table(const std::vector<Pair>& pairs, const SharedDna& shared, bool by_fold) {
  struct Row {
    std::int64_t pairs = 0, positive = 0;
    std::set<std::int32_t> enhancers, loci, genes;
  };
  std::map<std::int32_t, Row> rows;
  bool labels = false;
  for (const Pair& p : pairs) {
    Row& row = rows[by_fold ? p.fold : static_cast<std::int32_t>(p.split)];
    ++row.pairs;
    row.positive += p.label == 1 ? 1 : 0;
    row.enhancers.insert(p.enhancer);
    row.loci.insert(shared.locus_of[static_cast<std::size_t>(p.enhancer)]);
    row.genes.insert(p.gene);
    labels = labels || p.label >= 0;
  }
  const auto positive = [&](const std::string& cell) {
    return labels ? text("%10s", cell.c_str()) : std::string();
  };
  std::string out = text("%-16s%8s", by_fold ? "fold" : "split", "pairs") + positive("positive") +
                    text("%11s%8s%8s\n", "enhancers", "loci", "genes");
  for (const auto& [key, row] : rows) {
    const std::string name = by_fold ? std::to_string(key) : split_name(static_cast<Split>(key));
    out += text("%-16s%8lld", name.c_str(), static_cast<long long>(row.pairs)) +
           positive(std::to_string(row.positive)) +
           text("%11zu%8zu%8zu\n", row.enhancers.size(), row.loci.size(), row.genes.size());
  }
  return out;
}

/// What dataset.json says of its origin: the command, and the data set that was split.
std::string provenance(const SplitOptions& options, const std::string& command, const Dataset& data,
                       const std::string& digest) {
  nlohmann::ordered_json out = {{"program", "cdt-split " + version()},
                                {"command_line", command},
                                {"from", path_text(options.common.data)},
                                {"from_digest", digest},
                                {"by", options.by},
                                {"seed", options.common.seed}};
  if (options.folds > 0) {
    out["folds"] = options.folds;
  } else {
    out["shares"] = options.shares;
  }
  const nlohmann::json source = parse_json_file(data.directory / "dataset.json");
  const auto found = source.find("provenance");
  if (found != source.end()) out["source"] = *found;
  return out.dump();
}

/// The files that must not be replaced: not those to which an earlier split has links, which may
/// be.
Inputs inputs_of(const SplitOptions& options) {
  Inputs inputs;
  inputs.add_file("--config", options.common.config);
  for (const char* name : {"dataset.json", "pairs.tsv"}) {
    inputs.add_file("--data", options.common.data / name);
  }
  return inputs;
}

/// Notes if test, or a fold, has so few loci that nothing can be concluded from it.
void say_few_loci(const std::vector<Pair>& pairs, const SharedDna& shared, bool by_fold) {
  std::map<std::string, std::set<std::int32_t>> loci;
  for (const Pair& p : pairs) {
    if (!by_fold && p.split != Split::kTest) continue;
    loci[by_fold ? "fold " + std::to_string(p.fold) : "test"].insert(
        shared.locus_of[static_cast<std::size_t>(p.enhancer)]);
  }
  for (const auto& [part, of] : loci) {
    if (std::ssize(of) >= kLeastLoci) continue;
    note(part + " has " + std::to_string(of.size()) + " loci; fewer than " +
         std::to_string(kLeastLoci) + " are too few to support a claim");
  }
}

void run(const SplitOptions& options, const std::string& command) {
  catch_interrupts("cdt-split");
  const OutputFolder out(kDataSetOutput, options.common, inputs_of(options));
  const Dataset data(options.common.data);
  const SplitRule rule = rule_of(options, data);
  SharedDna shared{loci_of(data), {}};
  if (options.unite_identical) shared.content_of = contents(options, data);
  const std::vector<std::int32_t> units =
      units_of(data, rule.unit, shared.locus_of, shared.content_of);
  const std::vector<Pair> pairs = split_again(data, units, rule);
  // All DNA is read only once nothing can be refused any more.
  if (!options.unite_identical) shared.content_of = contents(options, data);
  DatasetWriter writer(out.path(), data, options.common.overwrite);
  writer.write_pairs(pairs);
  for (const char* extra : {"truth.json", "sites.bed"}) {
    if (is_there(data.directory / extra)) writer.link_extra(extra, data.directory / extra);
  }
  const std::string digest = digest_of_data(data);
  writer.write_extra(kProvenanceFile, provenance_text(options.common, {"", digest}));
  writer.finish(provenance(options, command, data, digest));
  std::cout << "by " << options.by << ": " << format_with_commas(distinct_units(units)) << " "
            << unit_plural(rule.unit) << "\n\n"
            << contents_table(pairs, shared, options.folds > 0);
  if (!options.common.quiet) say_few_loci(pairs, shared, options.folds > 0);
  const std::vector<Leakage> before = leakages(data.pairs, data.folds, shared);
  if (!before.empty()) std::cout << "\nleaked before\n" << leakage_table(before);
  std::cout << "\nleaked now\n" << leakage_table(leakages(pairs, options.folds, shared));
}

}  // namespace

int split_main(int argc, char** argv) {
  SplitOptions options;
  Cli cli(
      "cdt-split",
      "Splits the pairs of a data set again, into train, val and test or into folds, and prints "
      "what held-out pairs share with training pairs before and after. OUT is a data set that "
      "shares the embeddings of DATA: its blobs are links.");
  if (parse_options(argc, argv, &options, &cli)) {
    run(options, command_line("cdt-split", argc, argv));
  }
  return kExitDone;
}

}  // namespace cdt
