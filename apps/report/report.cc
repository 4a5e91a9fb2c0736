#include <iostream>
#include <string>
#include <utility>

#include "apps/common/annotation_files.h"
#include "apps/common/cli.h"
#include "apps/common/output_folder.h"
#include "apps/common/program.h"
#include "apps/common/session.h"
#include "apps/evaluation/claims.h"
#include "apps/evaluation/position_baselines.h"
#include "apps/programs.h"
#include "apps/report/evaluated.h"
#include "apps/report/figures.h"
#include "apps/report/overview.h"
#include "apps/report/page.h"
#include "apps/report/sources.h"
#include "engine/error.h"
#include "io/format/output.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::uint64_t kLeastBytes = std::uint64_t{64} << 10U;  // of a page

struct ReportOptions {
  CommonOptions common;
  ModelOverrides overrides;
  std::filesystem::path run, attribution, prediction, genes;
  std::vector<std::string> annotations;
  std::string split;  // "": val, or that of the prediction
  std::string pair;
  std::string command;  // the whole command line
};

bool parse_options(int argc, char** argv, ReportOptions* options) {
  Cli cli("cdt-report",
          "One self-contained HTML page about a run: its numbers, its figures, and how to read "
          "them. gnuplot draws the figures.");
  cli.common(&options->common, {"data", "out", "device", "precision", "threads", "seed", "quiet"});
  cli.option("run", &options->run, "run directory of cdt-train");
  cli.option("attribution", &options->attribution, "output of cdt-attribute");
  cli.option("prediction", &options->prediction,
             "output of cdt-predict; without it the run's model predicts the split here");
  cli.option("split", &options->split,
             "pairs to predict (val), or those that --prediction must be of");
  cli.choice("split", {"train", "val", "test"});
  cli.option("annotations", &options->annotations,
             "BED file (plain or gzip) of elements to draw under the windows; may be repeated");
  cli.option("pair", &options->pair,
             "ENHANCER:GENE to show; without it the strongest effect among those explained");
  add_gene_starts_option(&cli, &options->genes);
  cli.require({"data", "run", "out"});
  add_model_options(&cli, &options->overrides);
  const bool go = cli.parse(argc, argv);
  options->command = command_line("cdt-report", argc, argv);
  return go;
}

Material read_material(const ReportOptions& options, const Dataset& data) {
  Material material{data, options.command, options.pair, read_run(options.run), {}, {}, {}, {}, {}};
  const PageSource source(material.run, data, options.overrides);
  material.data_digest = source.fingerprint.data;
  material.truth = read_truth(data.directory, data.bins);
  if (!options.attribution.empty()) {
    material.attribution = read_attribution(options.attribution, source);
  }
  material.annotations = read_annotation_files(options.annotations, data);
  if (!options.prediction.empty()) {
    material.evaluated =
        read_evaluated(options.prediction, options.split, source,
                       static_cast<std::uint64_t>(options.common.seed), material.truth);
  } else if (material.run.has_model) {
    material.evaluated =
        evaluate_run(options.common, options.overrides, material.run, data,
                     options.split.empty() ? "val" : options.split, options.genes, material.truth);
  }
  return material;
}

/// What speaks against the annotations being in the assembly of the data set, a line each.
std::vector<std::string> annotation_doubts(const Material& material) {
  std::vector<std::string> out;
  const ChromosomeSizes sizes(material.data.assembly);
  for (const Annotations& annotations : material.annotations) {
    for (std::string& doubt : assembly_doubts(annotations, material.data, sizes)) {
      out.push_back(std::move(doubt));
    }
  }
  return out;
}

/// What the windows are of, where no test says that DNA matters.
Html windows_lead(const Material& material) {
  Html out =
      "Attention says where a gene looks in the DNA; the gradient says what moves its prediction. "
      "Neither is a mechanism, and the two need not agree.";
  if (!material.evaluated) return out;
  for (const NamedClaim& c : claims_of(material.evaluated->evaluation)) {
    if (c.name != "dna" || c.claim.said) continue;
    out +=
        " No test on this page shows that the model\u2019s r depends on DNA: as long as none does, "
        "these windows describe the network, not the genome.";
  }
  return out;
}

std::vector<PageSection> make_sections(const Gnuplot& gnuplot, const Material& material,
                                       const std::vector<std::string>& doubts) {
  std::vector<PageSection> sections;
  sections.push_back({"prediction",
                      "How well it predicts",
                      {},
                      {},
                      {score_figure(gnuplot, material), prediction_figure(gnuplot, material)}});
  sections.push_back(
      {"training", "How it was trained", {}, {}, {training_figure(gnuplot, material)}});
  PageSection windows{"windows",
                      "Two windows into the model",
                      windows_lead(material),
                      doubts,
                      {distance_figure(gnuplot, material), overlap_figure(gnuplot, material),
                       enrichment_figure(gnuplot, material)}};
  if (material.attribution && (!material.pair.empty() || !material.attribution->pairs.empty())) {
    windows.items.push_back(window_figure(gnuplot, material, shown_pair(material)));
  }
  sections.push_back(std::move(windows));
  sections.push_back({"inside",
                      "Inside the model",
                      {},
                      {},
                      {heads_figure(gnuplot, material), maps_figure(gnuplot, material),
                       paths_figure(gnuplot, material), occlusion_figure(gnuplot, material)}});
  if (material.truth) {
    sections.push_back({"truth",
                        "Against the planted truth",
                        "The data set was made: in each DNA window one site acts and one looks "
                        "alike and does not.",
                        {},
                        {truth_figure(gnuplot, material)}});
  }
  return sections;
}

Inputs inputs_of(const ReportOptions& options) {
  Inputs inputs(options.common);
  inputs.add_output("--run", options.run, kRunOutput);
  inputs.add_output("--attribution", options.attribution, kAttributionOutput);
  inputs.add_output("--prediction", options.prediction, kPredictionOutput);
  inputs.add_file("--genes", options.genes);
  for (const std::string& file : options.annotations) inputs.add_file("--annotations", file);
  return inputs;
}

void run(const ReportOptions& options) {
  catch_interrupts("cdt-report");
  if (!options.pair.empty() && options.attribution.empty()) {
    throw InputError("command line", "--pair", "needs --attribution, whose pairs it chooses from");
  }
  if (!options.genes.empty() && !options.prediction.empty()) {
    throw InputError("command line", "--genes",
                     "changes nothing beside --prediction; give it to cdt-predict");
  }
  const OutputFile out("a report", "Made by cdt-report ", options.common, inputs_of(options));
  require_free_space(out.folder(), kLeastBytes);
  const Gnuplot gnuplot;
  const Dataset data(options.common.data);
  const Material material = read_material(options, data);
  const std::vector<std::string> doubts = annotation_doubts(material);
  for (const std::string& doubt : doubts) warn(doubt);
  Page page;
  page.title = report_title(material);
  page.subtitle = report_subtitle(material);
  page.opening = report_opening(material);
  page.sections = make_sections(gnuplot, material, doubts);
  page.footer =
      element("p", "Made by cdt-report " + version() +
                       ". The page holds everything it shows and asks nothing of the network.") +
      element("div", {{"class", "command"}, {"tabindex", "0"}}, element("code", material.command));
  write_file(out.path(), page_html(page));
  std::cout << path_text(out.path()) << '\n';
}

}  // namespace

int report_main(int argc, char** argv) {
  ReportOptions options;
  if (parse_options(argc, argv, &options)) run(options);
  return kExitDone;
}

}  // namespace cdt
