#include "model/explain/attention_maps.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/error.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

/// Runs one pass for the wanted maps that depend on the enhancer, or for those that do not.
template <class Run>
void run_for_maps(Explainer& explainer, const std::vector<AttentionMap>& wanted, bool of_enhancer,
                  const MapReceiver& receive, const Run& run) {
  std::vector<AttentionMap> maps;
  Recorder recorder;
  for (const AttentionMap& map : wanted) {
    if (map.of_enhancer != of_enhancer) continue;
    maps.push_back(map);
    recorder.attention_of.insert(map.name);
  }
  if (maps.empty()) return;
  const EvalTape tape(explainer);
  run(tape, &recorder);
  for (const AttentionMap& map : maps) {
    const Tensor values = recorder.attention.at(map.name + ".attention");
    CDT_CHECK(values.count() == map.heads * map.queries * map.keys, "size of map " + map.name);
    receive(map, to_host(explainer.backend(), values));
  }
}

/// Returns the defined rows (model/stats/profile.h), centred and divided by their norm, as columns:
/// (width, kept rows).
std::vector<float> standard_columns(std::span<const float> matrix, std::size_t rows) {
  const std::size_t width = matrix.size() / rows;
  std::vector<std::vector<double>> standard;
  for (std::size_t i = 0; i < rows; ++i) {
    const std::span<const float> scores = matrix.subspan(i * width, width);
    if (window_state(scores) != WindowState::kDefined) continue;
    std::vector<double> row(scores.begin(), scores.end());
    const double centre = mean(row);
    for (double& v : row) v -= centre;
    const double length = std::sqrt(std::inner_product(row.begin(), row.end(), row.begin(), 0.0));
    for (double& v : row) v /= length;
    standard.push_back(std::move(row));
  }
  std::vector<float> columns(width * standard.size());
  for (std::size_t i = 0; i < standard.size(); ++i) {
    for (std::size_t j = 0; j < width; ++j) {
      columns[j * standard.size() + i] = static_cast<float>(standard[i][j]);
    }
  }
  return columns;
}

}  // namespace

std::vector<AttentionMap> attention_maps(const CdtConfig& c, std::int64_t bins) {
  std::vector<AttentionMap> maps;
  const auto add = [&](const std::string& name, std::int64_t heads, const char* query_axis,
                       const char* key_axis, bool of_enhancer) {
    const auto length = [&](const std::string& axis) {
      return axis == "bin" ? bins : axis == "gene" ? c.genes : 1;
    };
    maps.push_back(
        {name, heads, length(query_axis), length(key_axis), query_axis, key_axis, of_enhancer});
  };
  const auto add_layers = [&](const std::string& modality, std::int64_t layers, const char* axis,
                              bool of_enhancer) {
    for (std::int64_t i = 0; i < layers; ++i) {
      add(modality + "_self_attn_layers." + std::to_string(i), c.heads, axis, axis, of_enhancer);
    }
  };
  add_layers("dna", c.dna_layers, "bin", true);
  add_layers("rna", c.rna_layers, "gene", false);
  add_layers("protein", c.protein_layers, "gene", false);
  add("dna_to_rna", c.heads, "gene", "bin", true);
  add("rna_to_protein", c.heads, "gene", "gene", true);
  add("vce.dna", c.pooling_heads(), "pooling", "bin", true);
  add("vce.rna", c.pooling_heads(), "pooling", "gene", true);
  add("vce.protein", c.pooling_heads(), "pooling", "gene", true);
  return maps;
}

void enhancer_maps(Explainer& explainer, std::span<const float> z,
                   const std::vector<AttentionMap>& wanted, const MapReceiver& receive) {
  run_for_maps(explainer, wanted, true, receive, [&](const EvalTape& tape, Recorder* recorder) {
    explainer.model().forward({.tape = *tape,
                               .dna_linear = tape->constant(tape.upload(z)),
                               .trunks = &explainer.trunks(),
                               .recorder = recorder});
  });
}

void trunk_maps(Explainer& explainer, const std::vector<AttentionMap>& wanted,
                const MapReceiver& receive) {
  run_for_maps(explainer, wanted, false, receive, [&](const EvalTape& tape, Recorder* recorder) {
    explainer.model().run_trunks({.tape = *tape,
                                  .rna = tape->constant(explainer.rna()),
                                  .protein = tape->constant(explainer.protein()),
                                  .recorder = recorder});
  });
}

std::vector<Concentration> head_concentration(const AttentionMap& map,
                                              std::span<const float> values) {
  const auto keys = static_cast<std::size_t>(map.keys);
  const auto queries = static_cast<double>(map.queries);
  std::vector<Concentration> out(static_cast<std::size_t>(map.heads), Concentration{0, 0, 0});
  for (std::size_t row = 0; row * keys < values.size(); ++row) {
    const Concentration c = concentration(values.subspan(row * keys, keys));
    Concentration& head = out[row / static_cast<std::size_t>(map.queries)];
    head.entropy += c.entropy / queries;
    head.effective_bins += c.effective_bins / queries;
    head.peak_over_uniform += c.peak_over_uniform / queries;
  }
  return out;
}

RowCorrelation row_correlation(std::span<const float> matrix, std::int64_t rows) {
  const auto all = static_cast<std::size_t>(rows);
  const std::vector<float> columns = standard_columns(matrix, all);
  const std::size_t kept = columns.size() / (matrix.size() / all);
  RowCorrelation out;
  out.constant_rows = rows - static_cast<std::int64_t>(kept);
  std::vector<double> correlations;
  for (std::size_t i = 0; i + 1 < kept; ++i) {
    // Row i against all later ones at once, so that the inner loop runs over contiguous memory.
    std::vector<double> r(kept, 0.0);
    for (std::size_t at = 0; at < columns.size(); at += kept) {
      const double own = columns[at + i];
      for (std::size_t j = i + 1; j < kept; ++j) r[j] += own * columns[at + j];
    }
    correlations.insert(correlations.end(), r.begin() + static_cast<std::ptrdiff_t>(i + 1),
                        r.end());
  }
  out.pairs = std::ssize(correlations);
  out.mean = mean(correlations);
  out.median = median(correlations);
  if (correlations.empty()) {
    out.min = out.share_above = kNaN;
    return out;
  }
  out.min = *std::min_element(correlations.begin(), correlations.end());
  const auto alike =
      std::count_if(correlations.begin(), correlations.end(), [](double r) { return r > kAlike; });
  out.share_above = static_cast<double>(alike) / static_cast<double>(correlations.size());
  return out;
}

}  // namespace cdt
