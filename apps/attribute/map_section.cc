// --maps: whole attention maps of the first enhancers, and what they say.
#include <algorithm>
#include <set>

#include "apps/attribute/sections.h"
#include "apps/common/cli_words.h"
#include "io/format/json.h"
#include "io/format/npy.h"
#include "io/format/output.h"

namespace cdt {
namespace {

std::vector<AttentionMap> choose_maps(const std::string& list,
                                      const std::vector<AttentionMap>& all) {
  std::vector<std::string> known;
  for (const AttentionMap& map : all) known.push_back(map.name);
  const std::vector<std::string> names = names_of_list("maps", list, known);
  std::vector<AttentionMap> out;
  for (const AttentionMap& map : all) {
    if (std::find(names.begin(), names.end(), map.name) != names.end()) out.push_back(map);
  }
  return out;
}

/// Enhancers of the first `pairs` pairs, in order.
std::vector<std::int32_t> first_enhancers(const std::vector<Pair>& all, std::int64_t pairs) {
  std::vector<std::int32_t> out;
  std::set<std::int32_t> seen;
  for (std::int64_t i = 0; i < std::min(pairs, static_cast<std::int64_t>(all.size())); ++i) {
    const std::int32_t enhancer = all[static_cast<std::size_t>(i)].enhancer;
    if (seen.insert(enhancer).second) out.push_back(enhancer);
  }
  return out;
}

std::vector<std::int64_t> shape_of(const AttentionMap& map, bool per_head, std::size_t enhancers) {
  std::vector<std::int64_t> shape;
  if (map.of_enhancer) shape.push_back(static_cast<std::int64_t>(enhancers));
  if (per_head) shape.push_back(map.heads);
  if (map.queries > 1 || map.query_axis != std::string("pooling")) shape.push_back(map.queries);
  shape.push_back(map.keys);
  return shape;
}

std::vector<std::string> axes_of(const AttentionMap& map, bool per_head) {
  std::vector<std::string> axes;
  if (map.of_enhancer) axes.emplace_back("enhancer");
  if (per_head) axes.emplace_back("head");
  if (map.query_axis != std::string("pooling")) {
    axes.push_back(std::string("query ") + map.query_axis);
  }
  axes.push_back(std::string("key ") + map.key_axis);
  return axes;
}

std::vector<HeadConcentration> means_of(const std::vector<Concentration>& sums, double n) {
  std::vector<HeadConcentration> out;
  for (const Concentration& sum : sums) {
    out.push_back({sum.entropy / n, sum.effective_bins / n, sum.peak_over_uniform / n});
  }
  return out;
}

class MapSection : public Section {
 public:
  explicit MapSection(const SectionContext& context)
      : choice_(context.options.maps),
        data_(context.data),
        folder_(context.folder / "maps"),
        maps_(choose_maps(choice_.list, attention_maps(context.config, data_.bins))),
        enhancers_(first_enhancers(context.pairs, choice_.pairs)) {
    for (const AttentionMap& map : maps_) {
      Written& w = written_.emplace_back();
      w.map = map;
      w.shape = shape_of(map, choice_.per_head, enhancers_.size());
      w.file = std::make_unique<NpyWriter>(folder_.path() / (map.name + ".npy"), w.shape);
      w.heads.assign(static_cast<std::size_t>(map.heads), Concentration{0, 0, 0});
    }
  }

  std::uint64_t bytes() const override {
    std::uint64_t out = 0;
    for (const Written& w : written_) {
      std::uint64_t values = 1;
      for (const std::int64_t size : w.shape) values *= static_cast<std::uint64_t>(size);
      out += values * sizeof(float);
    }
    return out;
  }

  void add(const EnhancerResult& result) override {
    if (added_ == enhancers_.size() || enhancers_[added_] != result.enhancer) return;
    ++added_;
    zero_dna_ += result.zero_dna ? 1 : 0;
    result.for_maps(maps_, [&](const AttentionMap& map, std::span<const float> values) {
      Written& written = write(map, values);
      if (map.of_enhancer && result.zero_dna) return;
      count(&written, values);
      if (map.name != "dna_to_rna") return;
      const RowCorrelation r = row_correlation(mean_over_heads(values, map.heads), map.queries);
      gene_rows_.push_back({enhancer_of(data_, result.enhancer).name, r.pairs, r.constant_rows,
                            r.mean, r.median, r.min, r.share_above});
    });
  }

  void finish(AttributionSummary* summary) override {
    MapSummary& out = summary->maps.emplace();
    out.zero_dna_left_out = zero_dna_;
    const auto with_dna =
        static_cast<double>(static_cast<std::int64_t>(enhancers_.size()) - zero_dna_);
    for (const Written& w : written_) {
      out.heads.emplace_back(w.map.name, means_of(w.heads, w.map.of_enhancer ? with_dna : 1.0));
    }
    if (!gene_rows_.empty()) out.gene_rows = gene_rows_;
    for (const Written& w : written_) w.file->commit();
    write_file(folder_.path() / "maps.json", json_text(fields_json(description())));
  }

 private:
  struct Written {
    AttentionMap map;
    std::vector<std::int64_t> shape;
    std::unique_ptr<NpyWriter> file;
    std::vector<Concentration> heads;  // sums over enhancers with DNA
  };

  Written& write(const AttentionMap& map, std::span<const float> values) {
    Written& to = *std::find_if(written_.begin(), written_.end(),
                                [&](const Written& w) { return w.map.name == map.name; });
    const std::vector<float> mean =
        choice_.per_head ? std::vector<float>{} : mean_over_heads(values, map.heads);
    const std::span<const float> content = choice_.per_head ? values : mean;
    to.file->append(content.data(), static_cast<std::int64_t>(content.size()));
    return to;
  }

  static void count(Written* to, std::span<const float> values) {
    const std::vector<Concentration> heads = head_concentration(to->map, values);
    for (std::size_t head = 0; head < heads.size(); ++head) {
      to->heads[head].entropy += heads[head].entropy;
      to->heads[head].effective_bins += heads[head].effective_bins;
      to->heads[head].peak_over_uniform += heads[head].peak_over_uniform;
    }
  }

  /// The content of maps.json.
  MapFiles description() const {
    MapFiles out{choice_.per_head, {}, {}};
    for (const std::int32_t e : enhancers_) out.enhancers.push_back(enhancer_of(data_, e).name);
    for (const Written& w : written_) {
      out.maps.push_back({w.map.name, w.map.name + ".npy", w.shape,
                          axes_of(w.map, choice_.per_head), w.map.heads, w.map.of_enhancer});
    }
    return out;
  }

  const MapChoice& choice_;
  const Dataset& data_;
  MadeFolder folder_;
  std::vector<AttentionMap> maps_;
  std::vector<std::int32_t> enhancers_;
  std::size_t added_ = 0;
  std::int64_t zero_dna_ = 0;  // of those added
  std::vector<Written> written_;
  std::vector<GeneRowCorrelation> gene_rows_;  // enhancers with DNA
};

}  // namespace

std::unique_ptr<Section> make_maps(const SectionContext& context) {
  return std::make_unique<MapSection>(context);
}

}  // namespace cdt
