// Everything a report is made of, with numbers and shapes of one's choice: what files may hold
// after a degenerate run, and what their readers would refuse too.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/report/material.h"
#include "io/dataset/dataset_writer.h"
#include "io/format/npy.h"
#include "io/format/output.h"
#include "tests/support/evaluated.h"
#include "tests/support/temp_dir.h"

namespace cdt::test {

struct ReportShape {
  std::int64_t bins = 3, enhancers = 2, genes = 2, heads = 2, epochs = 3;
};

/// The number at place i of whatever there is.
using ReportValues = std::function<double(std::size_t)>;

class ReportWorld {
 public:
  /// All pairs are of the split val, and all are explained.
  ReportWorld(const ReportShape& shape, const ReportValues& value)
      : shape_(shape), value_(value), data_(dataset()), material_{*data_, "cdt-report", "", {},
                                                                  {},     {},           {}, {}} {
    for (std::int64_t epoch = 1; epoch <= shape.epochs; ++epoch) {
      const auto at = static_cast<std::size_t>(epoch);
      material_.run.epochs.push_back(
          {epoch, 1e-4, value(at), value(at + 1), value(at + 2), value(at + 3), epoch == 1});
    }
    evaluate_pairs();
    explain_pairs();
  }

  Material& material() { return material_; }
  const Dataset& data() const { return *data_; }

 private:
  std::int64_t pairs() const { return shape_.enhancers * shape_.genes; }
  /// null where it is not finite, as our JSON has it.
  nlohmann::json json(std::size_t i) const {
    return std::isfinite(value_(i)) ? nlohmann::json(value_(i)) : nlohmann::json();
  }
  nlohmann::json both(std::size_t i) const { return {json(i), json(i + 1)}; }
  /// Arrays hold finite numbers only.
  float score(std::size_t i) const {
    const double size = std::fabs(value_(i));
    return std::isfinite(size) ? static_cast<float>(size) : 0.0F;
  }

  std::unique_ptr<Dataset> dataset() {
    DatasetWriter::Sizes sizes;
    sizes.enhancers = shape_.enhancers;
    sizes.bins = shape_.bins;
    sizes.genes = shape_.genes;
    sizes.dna_dim = sizes.rna_dim = sizes.protein_dim = 1;
    DatasetWriter writer(dir_.path / "data", sizes);
    std::vector<Enhancer> enhancers;
    std::vector<std::string> genes;
    std::vector<Pair> all;
    for (std::int64_t g = 0; g < shape_.genes; ++g) genes.push_back("G" + std::to_string(g));
    for (std::int64_t e = 0; e < shape_.enhancers; ++e) {
      const std::vector<float> dna(static_cast<std::size_t>(shape_.bins), 1.0F);
      writer.append_dna(dna.data(), shape_.bins);
      enhancers.push_back({"chrM", 16000 + e, 16001 + e, "E" + std::to_string(e)});
      for (std::int64_t g = 0; g < shape_.genes; ++g) {
        all.push_back({Split::kVal, static_cast<std::int32_t>(e), static_cast<std::int32_t>(g)});
      }
    }
    const std::vector<float> ones(genes.size(), 1.0F);
    writer.write_rna(ones, genes);
    writer.write_protein(ones, genes);
    writer.write_enhancers(enhancers);
    writer.write_pairs(all);
    writer.finish("{}");
    return std::make_unique<Dataset>(dir_.path / "data");
  }

  void evaluate_pairs() {
    Evaluated& e = material_.evaluated.emplace();
    e.pairs = data_->pairs;
    for (std::size_t i = 0; i < e.pairs.size(); ++i) {
      e.pairs[i].beta = static_cast<float>(value_(i));
      e.predictions.push_back(static_cast<float>(value_(i + 1)));
    }
    e.evaluation = test::evaluated(e.pairs, e.predictions, e.pairs, value_(0), 20);
    e.evaluation.split = "val";
  }

  NpyFile array(const std::string& name, const std::vector<std::int64_t>& shape) const {
    NpyWriter writer(dir_.path / (name + ".npy"), shape);
    std::int64_t count = 1;
    for (const std::int64_t size : shape) count *= size;
    std::vector<float> values;
    for (std::int64_t i = 0; i < count; ++i) values.push_back(score(static_cast<std::size_t>(i)));
    writer.append(values.data(), count);
    writer.commit();
    return NpyFile(dir_.path / (name + ".npy"));
  }

  void explain_pairs() {
    Attribution& a = material_.attribution.emplace();
    a.directory = dir_.path;
    for (std::int64_t row = 0; row < pairs(); ++row) {
      const Pair& pair = data_->pairs[static_cast<std::size_t>(row)];
      const auto at = static_cast<std::size_t>(row);
      a.pairs.push_back({row, pair.enhancer, pair.gene, value_(at), value_(at + 1)});
    }
    for (const char* method : {"attention", "gradient", "occlusion"}) {
      a.methods.push_back({method, "", false, array(method, {pairs(), shape_.bins})});
    }
    array("paths", {pairs(), 3, shape_.bins});
    create_output_directory(dir_.path / "maps");
    const std::string map = "dna_self_attn_layers.0";
    array("maps/" + map, {1, shape_.heads, shape_.bins, shape_.bins});
    write_file(dir_.path / "maps" / "maps.json",
               nlohmann::json{{"per_head", true},
                              {"enhancers", {"E0"}},
                              {"maps",
                               {{{"name", map}, {"shape", {1, shape_.heads, shape_.bins}}},
                                {{"name", "dna_to_rna"}, {"shape", {1, 1, shape_.bins}}}}}}
                   .dump());
    summarise_methods(&a.summary);
    summarise_rest(&a.summary, map);
    Truth& truth = material_.truth.emplace();
    truth.sites["E0"] = {{0}, {shape_.bins - 1}};
  }

  void summarise_methods(nlohmann::json* out) const {
    const nlohmann::json estimate = {{"value", json(0)}, {"low", json(1)}, {"high", json(2)}};
    const nlohmann::json site = {{"auroc", estimate}, {"precision_at_k", estimate}};
    const nlohmann::json sites = {
        {"causal", site}, {"decoy", site}, {"causal_over_decoy", {{"auroc", estimate}}}};
    nlohmann::json scores;
    for (const char* method : {"attention", "gradient", "occlusion"}) {
      (*out)["methods"][method] = {{"peak_distance_bp", {{"mean", json(0)}}},
                                   {"effective_bins", json(1)},
                                   {"bins_at_a_time", 1},
                                   {"interval_95", {{"effective_bins", both(0)}}}};
      scores[method] = sites;
      for (const char* name : {"one", "two"}) {
        (*out)["annotations"]["enrichment"].push_back({{"method", method},
                                                       {"file", "f"},
                                                       {"class", name},
                                                       {"bins", json(0)},
                                                       {"bins_on_class", json(1)},
                                                       {"top_bins", json(2)},
                                                       {"top_bins_on_class", json(3)},
                                                       {"fold", json(0)},
                                                       {"fold_interval", both(0)},
                                                       {"p", json(1)},
                                                       {"q", json(2)}});
      }
    }
    (*out)["annotations"]["files"] = {{{"name", "f"}}};
    (*out)["truth_scores"] = {{"pairs", 1},
                              {"methods", scores},
                              {"chance", {{"auroc", json(0)}, {"causal_precision_at_k", json(1)}}},
                              {"pairs_without_effect", {{"pairs", json(0)}, {"methods", scores}}}};
    (*out)["agreement"] = {{{"first", "attention"},
                            {"second", "gradient"},
                            {"top_overlap", {{"mean", json(0)}, {"interval_95", both(0)}}}}};
  }

  void summarise_rest(nlohmann::json* out, const std::string& map) const {
    nlohmann::json heads;
    for (std::int64_t head = 0; head < shape_.heads; ++head) {
      heads.push_back({{"effective_positions", json(static_cast<std::size_t>(head))},
                       {"peak_over_uniform", json(0)}});
    }
    (*out)["attention_maps"] = {
        {"heads", {{map, heads}, {"dna_to_rna", heads}}},
        {"gene_row_correlation",
         {{{"enhancer", "E0"}, {"mean", json(0)}, {"min", json(1)}, {"share_above_0.99", 0.5}}}}};
    for (const char* path : {"direct", "via_rna", "via_protein"}) {
      const nlohmann::json mean = {{"mean", json(0)}, {"interval_95", both(1)}};
      (*out)["paths"]["share"][path] = mean;
      (*out)["paths"]["products"]["sum_over_window"][path] = mean;
    }
    (*out)["paths"]["pairs"] = pairs();
    (*out)["paths"]["additivity_error"] = json(0);
  }

  TempDir dir_;
  ReportShape shape_;
  ReportValues value_;
  std::unique_ptr<Dataset> data_;
  Material material_;
};

}  // namespace cdt::test
