// All inputs of a report, with arbitrary numbers and shapes: what files may hold after a degenerate
// run, including what their readers would refuse.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
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

/// The value of the number at index i, whatever the number is.
using ReportValues = std::function<double(std::size_t)>;

class ReportWorld {
 public:
  /// All pairs are in the split val, and all are explained.
  ReportWorld(const ReportShape& shape, const ReportValues& value)
      : shape_(shape), value_(value), data_(dataset()), material_{*data_, "cdt-report", "", {}, "",
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

  /// Replaces the scores of a method, by row of pairs.tsv and bin.
  void set_scores(const std::string& method, const std::vector<float>& scores) {
    NpyWriter writer(dir_.path / (method + "-set.npy"), {pairs(), shape_.bins});
    writer.append(scores.data(), std::ssize(scores));
    writer.commit();
    for (MethodWindows& windows : material_.attribution->methods) {
      if (windows.name == method) windows.file = NpyFile(dir_.path / (method + "-set.npy"));
    }
  }

 private:
  std::int64_t pairs() const { return shape_.enhancers * shape_.genes; }
  Interval both(std::size_t i) const { return {value_(i), value_(i + 1)}; }
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
      a.methods.push_back({method, false, array(method, {pairs(), shape_.bins})});
    }
    array("paths", {pairs(), 3, shape_.bins});
    create_output_directory(dir_.path / "maps");
    const std::string map = "dna_self_attn_layers.0";
    array("maps/" + map, {1, shape_.heads, shape_.bins, shape_.bins});
    a.maps = MapFiles{true,
                      {"E0"},
                      {{map, map + ".npy", {1, shape_.heads, shape_.bins}, {}, shape_.heads, true},
                       {"dna_to_rna", "dna_to_rna.npy", {1, 1, shape_.bins}, {}, 1, true}}};
    summarise_methods(&a.summary);
    summarise_rest(&a.summary, map);
    Truth& truth = material_.truth.emplace();
    truth.sites["E0"] = {{0}, {shape_.bins - 1}};
  }

  void summarise_methods(AttributionSummary* out) const {
    const Estimate estimate{value_(0), {value_(1), value_(2)}};
    out->annotations.emplace().files = {{"f", "f.bed", 1, 0, 0, {"one", "two"}, {}, {}}};
    out->truth_scores.emplace().pairs = 1;
    out->truth_scores->chance_auroc = value_(0);
    out->truth_scores->chance_causal_precision = value_(1);
    for (const char* name : {"attention", "gradient", "occlusion"}) {
      MethodSummary& method = out->methods.emplace_back(name, MethodSummary{}).second;
      method.distance_mean_bp.value = value_(0);
      method.effective_bins = {value_(1), both(0)};
      method.bins_at_a_time = 1;
      out->truth_scores->methods.push_back(
          {name, {1, 0, {estimate, estimate}, {estimate, estimate}, estimate}});
      for (const char* class_name : {"one", "two"}) {
        ClassEnrichment c;
        c.method = name;
        c.file = "f";
        c.class_name = class_name;
        c.bins = 3;
        c.bins_on_class = 1;
        c.fold = {value_(0), both(0)};
        c.p.p = value_(1);
        c.q = value_(2);
        out->annotations->enrichment.push_back(c);
      }
    }
    out->truth_scores->without_effect.methods = out->truth_scores->methods;
    Agreement& both_methods = out->agreement.emplace_back();
    both_methods.first = "attention";
    both_methods.second = "gradient";
    both_methods.overlap = {value_(0), both(0)};
  }

  void summarise_rest(AttributionSummary* out, const std::string& map) const {
    std::vector<HeadConcentration> heads;
    for (std::int64_t head = 0; head < shape_.heads; ++head) {
      heads.push_back({0.0, value_(static_cast<std::size_t>(head)), value_(0)});
    }
    out->maps = MapSummary{
        0, {{map, heads}, {"dna_to_rna", heads}}, {{{"E0", 1, 0, value_(0), 0, value_(1), 0.5}}}};
    PathSummary& paths = out->paths.emplace();
    for (const char* path : {"direct", "via_rna", "via_protein"}) {
      paths.share.push_back({path, {{value_(0), both(1)}, 0.0}});
    }
    paths.product = paths.share;
    paths.pairs = pairs();
    paths.additivity_error = value_(0);
    out->effects.emplace().bins_at_a_time = 1;
    out->effects->methods.push_back({"gradient", {}});
    out->chromosome_sizes = {{"chrM", 16571}};
  }

  TempDir dir_;
  ReportShape shape_;
  ReportValues value_;
  std::unique_ptr<Dataset> data_;
  Material material_;
};

}  // namespace cdt::test
