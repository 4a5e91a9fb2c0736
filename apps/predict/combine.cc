#include "apps/predict/combine.h"

#include <cmath>
#include <deque>
#include <iostream>
#include <map>
#include <set>
#include <utility>

#include "apps/common/output_folder.h"
#include "apps/common/program.h"
#include "apps/common/provenance.h"
#include "apps/common/tables.h"
#include "apps/evaluation/pair_table.h"
#include "apps/evaluation/study.h"
#include "apps/predict/recorded.h"
#include "apps/predict/study_arm.h"
#include "engine/error.h"
#include "io/dataset/loci.h"
#include "io/format/digest.h"
#include "io/format/output.h"
#include "io/format/text.h"
#include "io/format/text_file.h"
#include "model/checkpoint.h"
#include "model/fingerprint.h"
#include "model/stats/fold_scores.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

/// Text of predictions.tsv: the ensemble of each fold's runs.
std::string table_text(const ArmRuns& runs, const Dataset& data) {
  const std::vector<Pair> pairs = pairs_of(runs);
  const std::vector<float> ensemble = ensemble_of(runs);
  std::string out = tab_separated({pair_header(data), "beta", "prediction", "fold"});
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    out += tab_separated({pair_cells(data, pairs[i]), format_number(pairs[i].beta),
                          format_number(ensemble[i]), std::to_string(pairs[i].fold)});
  }
  return out;
}

std::string positives_text(const std::optional<Positives>& positives) {
  if (!positives) return "";
  if (positives->below) return "beta below " + format_number(*positives->below);
  return "label 1";
}

/// Reads the ensemble of each other study. Throws InputError naming its file unless it is a study
/// of the same data set.
std::vector<OtherStudy> read_others(const std::vector<std::string>& folders, const Dataset& data,
                                    const std::string& digest, const std::vector<Pair>& pairs) {
  std::vector<OtherStudy> out;
  std::set<std::string> names;
  for (const std::string& text : folders) {
    const fs::path folder = fs::weakly_canonical(text);
    const Study other = read_study(folder);
    const std::string& found = other.data_digest;
    const std::string file = (folder / "study.json").string();
    if (found != digest) {
      throw InputError(
          file, "fingerprint.data",
          expected_got("is of another data set than " + data.directory.string(), digest, found));
    }
    // `make study` puts it in a folder `study` of the one that is named for people.
    const fs::path named = folder.filename() == "study" ? folder.parent_path() : folder;
    const std::string name = named.filename().string();
    if (!names.insert(name).second) throw InputError(file, "--against", "is named as another one");
    const fs::path table = folder / "predictions.tsv";
    expect_recorded_table(table, other.table_digest, "study.json");
    out.push_back({name, std::move(read_pair_columns(table, data, pairs, {"prediction"}).front())});
  }
  return out;
}

/// Throws InputError naming the metrics.json unless the runs are all of models of one kind, whose
/// predictions can be averaged.
void expect_same_kind(const std::vector<RecordedPrediction>& runs) {
  const RecordedPrediction& first = runs.front();
  const auto expect = [&](const RecordedPrediction& run, const char* field,
                          const std::string& wanted, const std::string& got) {
    if (wanted == got) return;
    throw InputError(
        (run.folder / "metrics.json").string(), field,
        expected_got("is of another kind of model than " + first.folder.string(), wanted, got));
  };
  const auto outputs = [](bool ranks) { return ranks ? kNormalScores : "effects"; };
  for (const RecordedPrediction& run : runs) {
    expect(run, "fingerprint.extensions", first.extensions.value_or("none"),
           run.extensions.value_or("none"));
    expect(run, "outputs", outputs(first.ranks), outputs(run.ranks));
  }
}

/// The --positive-below with which all runs were evaluated. Throws InputError if they differ.
std::optional<double> common_threshold(const std::vector<RecordedPrediction>& runs) {
  const std::optional<double> first = runs.front().positive_below;
  const auto named = [](const std::optional<double>& x) { return x ? format_number(*x) : "none"; };
  for (const RecordedPrediction& run : runs) {
    if (run.positive_below == first) continue;
    throw InputError((run.folder / "metrics.json").string(), "classification.beta_below",
                     expected_got("is another than the first prediction's; give --positive-below",
                                  named(first), named(run.positive_below)));
  }
  return first;
}

/// Warns of folds without an r: their effects are all equal, as those of a fold of one pair.
void warn_of_equal_effects(const StudyArm& arm) {
  for (std::size_t i = 0; i < arm.folds.size(); ++i) {
    if (!std::isnan(arm.ensemble.pearson_by_fold[i])) continue;
    const StudyFold& fold = arm.folds[i];
    const std::string name = fold.fold > 0 ? "fold " + std::to_string(fold.fold) : "the split";
    warn("all effects of " + name + " are equal (" + number_of(fold.pairs, "pair") +
         "), so it has no r, and there is no mean r over the folds");
  }
}

/// Writes the files, study.json last, so that it is there only with the others.
void write_study(const fs::path& folder, const Study& study, const std::string& table,
                 const std::string& provenance) {
  std::deque<AtomicFile> files;
  for (const auto& [name, content] : {std::pair{"predictions.tsv", table},
                                      {"study.tsv", study_tsv(study)},
                                      {kProvenanceFile, provenance},
                                      {"study.json", study_json(study)}}) {
    files.emplace_back(folder / name).write(content);
    files.back().flush_to_disk();
  }
  remove_for_good(files.back().target());
  for (AtomicFile& file : files) file.commit();
}

}  // namespace

void combine(const CombineOptions& options) {
  catch_interrupts("cdt-predict");
  Inputs inputs(options.common);
  for (const std::string& folder : options.folders) {
    inputs.add_output("--combine", folder, kPredictionOutput);
  }
  for (const std::string& folder : options.against) {
    inputs.add_output("--against", folder, kStudyOutput);
  }
  const OutputFolder out(kStudyOutput, options.common, inputs);
  const Dataset data(options.common.data);
  const std::string digest = digest_of_data(data);
  const std::string split = recorded_split(options.folders.front());
  std::vector<RecordedPrediction> read;
  for (const std::string& folder : options.folders) {
    stop_if_interrupted();
    read.push_back(read_prediction(folder, data, digest, split));
  }
  expect_same_kind(read);
  const std::optional<double> below =
      options.positive_below ? options.positive_below : common_threshold(read);
  Study study;
  study.bootstrap = {.replicates = options.bootstrap.value_or(read.front().bootstrap),
                     .seed = static_cast<std::uint64_t>(options.common.seed)};
  study.extensions = read.front().extensions;
  if (read.front().ranks) study.outputs = kNormalScores;
  const std::vector<ArmRuns> arms = arms_of(std::move(read), data);
  const std::vector<OtherStudy> others =
      read_others(options.against, data, digest, pairs_of(arms.front()));
  const std::vector<std::int32_t> locus_of = loci_of(data);
  study.data = path_text(options.common.data);
  study.data_digest = digest;
  for (const ArmRuns& runs : arms) {
    const std::optional<Positives> positives = positives_of(pairs_of(runs), below);
    study.positives = positives_text(positives);
    study.arms.push_back(
        score_arm(runs, others, data, split, positives, locus_of, study.bootstrap));
  }
  warn_of_equal_effects(study.arms.front());
  const std::vector<Pair> pairs = pairs_of(arms.front());
  std::set<std::int32_t> enhancers, genes;
  std::vector<std::int32_t> loci;
  for (const Pair& pair : pairs) {
    enhancers.insert(pair.enhancer);
    genes.insert(pair.gene);
    loci.push_back(locus_of[static_cast<std::size_t>(pair.enhancer)]);
  }
  study.pairs = std::ssize(pairs);
  study.enhancers = std::ssize(enhancers);
  study.genes = std::ssize(genes);
  study.loci = count_loci(loci);
  const std::string table = table_text(arms.front(), data);
  study.table_digest = digest_of(table);
  write_study(out.path(), study, table,
              provenance_text(options.common, {"", digest, study.extensions}));
  std::cout << study_text(study);
}

}  // namespace cdt
