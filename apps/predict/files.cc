#include "apps/predict/files.h"

#include <optional>
#include <system_error>

#include "apps/common/provenance.h"
#include "apps/evaluation/position_baselines.h"
#include "io/format/digest.h"
#include "io/format/output.h"
#include "io/format/text.h"

namespace cdt {
std::string predictions_tsv(const Dataset& data, const std::vector<Pair>& pairs,
                            const std::vector<float>& predictions,
                            const std::vector<BaselinePrediction>& baselines) {
  std::string out = pair_header(data) + "\tbeta\tprediction";
  for (const BaselinePrediction& b : baselines) out += "\t" + baseline_column(b.name);
  out += '\n';
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    out += pair_cells(data, pairs[i]) + '\t' + format_number(pairs[i].beta) + '\t' +
           format_number(predictions[i]);
    for (const BaselinePrediction& b : baselines) out += '\t' + format_number(b.predictions[i]);
    out += '\n';
  }
  return out;
}

std::string controls_tsv(const Dataset& data, const std::vector<Pair>& pairs,
                         const ControlPredictions& controls) {
  std::string out = pair_header(data) + "\tshuffled_genes\tmean_dna";
  for (std::size_t draw = 1; draw <= controls.shuffled_dna.size(); ++draw) {
    out += "\tshuffled_dna_" + std::to_string(draw);
  }
  out += '\n';
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    out += pair_cells(data, pairs[i]) + '\t' + format_number(controls.shuffled_genes[i]) + '\t' +
           format_number(controls.mean_dna[i]);
    for (const std::vector<float>& draw : controls.shuffled_dna) {
      out += '\t' + format_number(draw[i]);
    }
    out += '\n';
  }
  return out;
}

void write_prediction(const std::filesystem::path& folder, const std::string& predictions,
                      const std::string& controls, const std::string& provenance,
                      Evaluation* evaluation) {
  const auto stage = [](AtomicFile* file, const std::string& content) {
    file->write(content);
    file->flush_to_disk();
    return digest_of(content);
  };
  AtomicFile table(folder / "predictions.tsv");
  evaluation->predictions_digest = stage(&table, predictions);
  const std::filesystem::path controls_file = folder / "controls.tsv";
  std::optional<AtomicFile> controls_table;
  if (!controls.empty()) {
    evaluation->controls_digest = stage(&controls_table.emplace(controls_file), controls);
  }
  AtomicFile made_by(folder / kProvenanceFile);
  stage(&made_by, provenance);
  AtomicFile numbers(folder / "metrics.json");
  stage(&numbers, metrics_json(*evaluation));
  remove_for_good(numbers.target());
  table.commit();
  if (controls_table) {
    controls_table->commit();
  } else {
    remove_file(controls_file);
  }
  made_by.commit();
  numbers.commit();
}

}  // namespace cdt
