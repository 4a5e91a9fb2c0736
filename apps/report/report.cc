#include <cmath>
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
#include "apps/report/data_section.h"
#include "apps/report/evaluated.h"
#include "apps/report/figures.h"
#include "apps/report/overview.h"
#include "apps/report/page.h"
#include "apps/report/study_page.h"
#include "engine/error.h"
#include "io/dataset/folds.h"
#include "io/format/output.h"
#include "io/format/tensor_file.h"
#include "io/format/text.h"
#include "model/inputs.h"

namespace cdt {
namespace {

constexpr std::uint64_t kLeastBytes = std::uint64_t{64} << 10U;  // least size of a page

struct ReportOptions {
  CommonOptions common;
  ModelOverrides overrides;
  std::filesystem::path run, attribution, prediction, study, genes;
  std::vector<std::string> annotations;
  std::string split;  // "": val, or that of the prediction
  std::string pair;
  std::string command;  // as given by the user
};

bool parse_options(int argc, char** argv, ReportOptions* options) {
  Cli cli("cdt-report",
          "Writes one self-contained HTML page about a run, or about a study: its numbers, its "
          "figures, and how to read them. Figures are drawn with gnuplot. --data and --run are "
          "required except with --study.");
  cli.common(&options->common,
             {"data", "out-file", "device", "precision", "threads", "seed", "quiet"});
  cli.option("run", &options->run, "run directory of cdt-train");
  cli.option("attribution", &options->attribution, "output of cdt-attribute");
  cli.option("prediction", &options->prediction,
             "output of cdt-predict; without it, the run's model predicts the split");
  cli.option("study", &options->study,
             "output of cdt-predict --combine: a page about all of its runs instead");
  cli.choice("split", &options->split, {"train", "val", "test"},
             "split to predict (default: val), or the split that --prediction must have");
  cli.paths("annotations", &options->annotations,
            "BED file (plain or gzip) of elements to draw under the windows; may be repeated");
  cli.option("pair", &options->pair,
             "ENHANCER:GENE, with samples ENHANCER:GENE:SAMPLE, to show in detail; without it, the "
             "explained pair with the strongest effect");
  add_gene_starts_option(&cli, &options->genes);
  cli.require({"out"});
  add_model_options(&cli, &options->overrides);
  if (!cli.parse(argc, argv)) return false;
  options->command = command_line("cdt-report", argc, argv);
  for (const char* option : {"data", "run"}) {
    if (options->study.empty() && !cli.was_set(option)) {
      throw InputError("command line", "--" + std::string(option), "required, but not given");
    }
  }
  for (const char* option : {"data", "run", "attribution", "prediction", "split", "annotations",
                             "pair", "genes", "fold"}) {
    if (!options->study.empty() && cli.was_set(option)) {
      throw InputError("command line", "--" + std::string(option),
                       "has no meaning with --study, which has all of its numbers");
    }
  }
  return true;
}

/// Reads everything. The pairs of `data` become those that trained, validate and test the run's
/// model.
Material read_material(const ReportOptions& options, Dataset* changed) {
  const Dataset& data = *changed;
  Material material{data, options.command, options.pair, read_run(options.run), {}, {}, {}, {}, {}};
  const PageSource source(material.run, data, options.overrides);
  material.data_digest = source.fingerprint.data;
  if (material.run.has_model) {
    const auto model = open_tensor_file(material.run.directory / "model.safetensors");
    use_pairs(pair_use(*model, options.overrides, data), changed);
  }
  material.truth = truth_of(data);
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

/// Reasons to doubt that the annotations are in the data set's assembly, one line each.
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

/// Caution about the windows if no test shows that DNA matters.
Html windows_lead(const Material& material) {
  Html out =
      "Attention shows where a gene looks in the DNA; the gradient shows what changes its "
      "prediction. Neither is a mechanism, and the two need not agree.";
  if (!material.evaluated) return out;
  for (const NamedClaim& c : claims_of(material.evaluated->evaluation)) {
    if (c.name != "dna" || c.claim.said) continue;
    out +=
        " No test on this page shows that the model\u2019s r depends on DNA; until one does, these "
        "windows describe the network, not the genome.";
  }
  return out;
}

/// Names what the page compares r of the model with.
std::string score_title(const Material& material) {
  std::vector<std::string> others{"controls", "baselines", "noise ceiling"};
  if (material.evaluated) {
    const Evaluation& e = material.evaluated->evaluation;
    others.clear();
    if (e.controls) others.emplace_back("controls");
    if (!e.baselines.empty()) others.emplace_back("baselines");
    if (std::isfinite(e.noise_ceiling)) others.emplace_back("noise ceiling");
  }
  if (others.empty()) return "How well the model\u2019s predictions correlate";
  std::string list = others.front();
  for (std::size_t i = 1; i < others.size(); ++i) {
    list += (i + 1 == others.size() ? " and " : ", ") + others[i];
  }
  return "The model against its " + list;
}

/// Draws figures, and finds the commands that made or would add them.
class Drawing {
 public:
  Drawing(const Gnuplot& gnuplot, const Material& material)
      : gnuplot_(gnuplot), material_(material) {}

  using Draw = Item (*)(const Gnuplot&, const Material&);
  PageItem of_run(const char* title, Draw draw) const {
    const std::string& train = material_.run.command;
    return item(title, draw(gnuplot_, material_), train + " --resume", train);
  }
  PageItem of_evaluation(const std::string& title, Draw draw) const {
    if (!material_.evaluated) {
      return {title, Omission{"The run has no model.safetensors yet."}, material_.run.command};
    }
    return item(title, draw(gnuplot_, material_), "", material_.evaluated->command);
  }
  /// A figure of the attribution. needs: the options with which cdt-attribute writes its data.
  PageItem of_attribution(const char* title, Draw draw,
                          const std::vector<AttributeOption>& needs = {}) const {
    const std::string adding = attribute_command(material_, needs);
    if (!material_.attribution) return {title, Omission{"No attribution was given."}, adding};
    if (material_.attribution->pairs.empty()) {
      return {title, Omission{"No explained pair has DNA: all their windows are zeros."}, ""};
    }
    Item drawn = draw(gnuplot_, material_);
    auto* figure = std::get_if<Figure>(&drawn);
    if (figure != nullptr && material_.run.config.bin_position.value_or(false)) {
      figure->of_positions = false;  // the model knows them
    }
    return item(title, std::move(drawn), adding, attribute_command(material_));
  }
  PageItem of_shown_pair() const {
    const ShownPair shown = shown_pair(material_);
    const std::string& enhancer = enhancer_of(material_.data, shown.pair->enhancer).name;
    const std::string& gene = material_.data.genes[static_cast<std::size_t>(shown.pair->gene)];
    std::string page = material_.command;
    if (material_.pair.empty()) {
      page += " --pair " + shell_word(pair_name(material_.data, *shown.pair));
    }
    Html title = Html(shown.what) + ": " + enhancer + " to " + element("i", gene);
    if (!material_.data.samples.empty()) {
      const auto sample = static_cast<std::size_t>(shown.pair->sample);
      title = title + " in sample " + material_.data.samples[sample];
    }
    return {std::move(title), window_figure(gnuplot_, material_, *shown.pair),
            attribute_command(material_) + "\n" + page};
  }

 private:
  static PageItem item(const std::string& title, Item content, const std::string& adding,
                       const std::string& made_by) {
    const auto* omission = std::get_if<Omission>(&content);
    std::string command = omission == nullptr ? made_by : omission->can_be_added ? adding : "";
    return {title, std::move(content), std::move(command)};
  }

  const Gnuplot& gnuplot_;
  const Material& material_;
};

/// The figures that compare with what was planted.
PageSection truth_section(const Truth& truth, const Drawing& draw) {
  PageSection out{
      "truth",
      "Comparison with the planted truth",
      "The data set is synthetic: each DNA window has one causal site and one decoy, which looks "
      "similar and has no effect.",
      {},
      {draw.of_attribution("Do the methods find the planted sites?", truth_figure)}};
  if (truth.has_classes()) {
    out.introduction =
        "The data set is synthetic: genes have two classes, and each DNA window has one site for "
        "each. For a gene, the site of its class is causal and the other one a decoy.";
    out.items.push_back(
        draw.of_attribution("Are the scores specific to the gene?", classes_figure));
  }
  return out;
}

std::vector<PageSection> make_sections(const Gnuplot& gnuplot, const Material& material,
                                       const std::vector<std::string>& doubts) {
  const Drawing draw(gnuplot, material);
  std::vector<PageSection> sections;
  sections.push_back(
      {"prediction",
       "How well it predicts",
       {},
       {},
       {draw.of_evaluation(score_title(material), score_figure),
        draw.of_evaluation("What is behind r", numbers_table),
        draw.of_evaluation("Predicted against observed effects", prediction_figure)}});
  sections.push_back({"training",
                      "How it was trained",
                      {},
                      {},
                      {draw.of_run("Loss and correlation by epoch", training_figure)}});
  PageSection windows{
      "windows",
      "Two windows into the model",
      windows_lead(material),
      doubts,
      {draw.of_attribution("Where the peaks are", distance_figure),
       draw.of_attribution("Do attention and gradient point to the same bins?", overlap_figure),
       draw.of_attribution("Which elements the top bins overlap", enrichment_figure,
                           {{"annotations", "elements.bed"}})}};
  if (material.attribution && (!material.pair.empty() || !material.attribution->pairs.empty())) {
    windows.items.push_back(draw.of_shown_pair());
  }
  sections.push_back(std::move(windows));
  sections.push_back(
      {"inside",
       "Inside the model",
       {},
       {},
       {draw.of_attribution("Heads of the first DNA self-attention layer", heads_figure,
                            {{"maps", kHeadsMap}, {"maps-per-head", ""}}),
        draw.of_attribution("How close to uniform the attention maps are", maps_figure,
                            {{"maps", kGeneMap}}),
        draw.of_attribution("Which paths lead from the DNA to the prediction", paths_figure,
                            {{"paths", ""}}),
        draw.of_attribution("Does the gradient predict the effect of occluding bins?",
                            occlusion_figure, {{"methods", "occlusion"}})}});
  if (material.truth) sections.push_back(truth_section(*material.truth, draw));
  return sections;
}

Inputs inputs_of(const ReportOptions& options) {
  Inputs inputs(options.common);
  inputs.add_output("--run", options.run, kRunOutput);
  inputs.add_output("--attribution", options.attribution, kAttributionOutput);
  inputs.add_output("--prediction", options.prediction, kPredictionOutput);
  inputs.add_file("--genes", options.genes);
  inputs.add_output("--study", options.study, kStudyOutput);
  for (const std::string& file : options.annotations) inputs.add_file("--annotations", file);
  return inputs;
}

Page run_page(const Gnuplot& gnuplot, const ReportOptions& options) {
  Dataset data(options.common.data);
  const Material material = read_material(options, &data);
  const std::vector<std::string> doubts = annotation_doubts(material);
  for (const std::string& doubt : doubts) warn(doubt);
  Page page;
  page.title = report_title(material);
  page.subtitle = report_subtitle(material);
  page.opening = report_opening(material);
  page.sections = make_sections(gnuplot, material, doubts);
  page.sections.insert(page.sections.begin(), data_section(data, options.genes));
  page.footer =
      element("p", "Made by cdt-report " + version() +
                       ". The page is self-contained and makes no network requests.") +
      element("div", {{"class", "command"}, {"tabindex", "0"}}, element("code", material.command));
  return page;
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
  const Page page = options.study.empty()
                        ? run_page(gnuplot, options)
                        : study_page(gnuplot, read_study(options.study), options.command);
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
