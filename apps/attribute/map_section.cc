// --maps: whole attention maps of the first enhancers, and their statistics.
#include <algorithm>
#include <map>
#include <span>

#include "apps/attribute/sections.h"
#include "apps/common/cli_words.h"
#include "io/format/json.h"
#include "io/format/json_fields.h"
#include "io/format/npy.h"
#include "io/format/output.h"

namespace cdt {
namespace {

std::vector<AttentionMap> choose_maps(const std::string& list, std::vector<AttentionMap> all) {
  std::vector<std::string> known;
  for (const AttentionMap& map : all) known.push_back(map.name);
  const std::vector<std::string> names = names_of_list("maps", list, known);
  std::erase_if(all, [&](const AttentionMap& map) {
    return std::find(names.begin(), names.end(), map.name) == names.end();
  });
  return all;
}

/// Enhancers of the first `count` pairs, in order; pairs of one enhancer are adjacent.
std::vector<std::int32_t> first_enhancers(const std::vector<Pair>& pairs, std::int64_t count) {
  std::vector<std::int32_t> out;
  for (const Pair& pair :
       std::span(pairs).first(std::min(pairs.size(), static_cast<std::size_t>(count)))) {
    if (out.empty() || out.back() != pair.enhancer) out.push_back(pair.enhancer);
  }
  return out;
}

MapFile file_of(const AttentionMap& map, bool per_head, std::size_t enhancers) {
  MapFile out{map.name, map.name + ".npy", {}, {}, map.heads, map.of_enhancer};
  const auto add_axis = [&](const std::string& name, std::int64_t size) {
    out.axes.push_back(name);
    out.shape.push_back(size);
  };
  const std::string query = map.query_axis;
  if (map.of_enhancer) add_axis("enhancer", static_cast<std::int64_t>(enhancers));
  if (per_head) add_axis("head", map.heads);
  if (query != "pooling") add_axis("query " + query, map.queries);
  add_axis(std::string("key ") + map.key_axis, map.keys);
  return out;
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
      : Section(context),
        folder_(context.folder / "maps"),
        list_(folder_.path() / "maps.json"),
        maps_(choose_maps(context.options.maps.list, attention_maps(context.config, data_.bins))),
        enhancers_(first_enhancers(context.pairs, context.options.maps.pairs)) {
    files_.per_head = context.options.maps.per_head;
    for (const std::int32_t e : enhancers_) {
      files_.enhancers.push_back(enhancer_of(data_, e).name);
    }
    for (const AttentionMap& map : maps_) {
      const MapFile& file =
          files_.maps.emplace_back(file_of(map, files_.per_head, enhancers_.size()));
      Written& w = written_[map.name];
      w.file = std::make_unique<NpyWriter>(folder_.path() / file.file, file.shape);
      w.heads.assign(static_cast<std::size_t>(map.heads), Concentration{0, 0, 0});
    }
  }

  std::uint64_t bytes() const override {
    std::uint64_t out = 0;
    for (const MapFile& file : files_.maps) {
      std::uint64_t values = 1;
      for (const std::int64_t size : file.shape) values *= static_cast<std::uint64_t>(size);
      out += values * sizeof(float);
    }
    return out;
  }

  void add(const EnhancerResult& result) override {
    if (added_ == enhancers_.size() || enhancers_[added_] != result.enhancer) return;
    ++added_;
    out_.zero_dna_left_out += result.zero_dna ? 1 : 0;
    result.for_maps(maps_, [&](const AttentionMap& map, std::span<const float> values) {
      Written& written = written_.at(map.name);
      const std::vector<float> mean = mean_over_heads(values, map.heads);
      const std::span<const float> content = files_.per_head ? values : mean;
      written.file->append(content.data(), std::ssize(content));
      if (map.of_enhancer && result.zero_dna) return;
      count(head_concentration(map, values), &written.heads);
      if (map.name != "dna_to_rna") return;
      const RowCorrelation r = row_correlation(mean, map.queries);
      if (!out_.gene_rows) out_.gene_rows.emplace();
      out_.gene_rows->push_back({enhancer_of(data_, result.enhancer).name, r.pairs, r.constant_rows,
                                 r.mean, r.median, r.min, r.share_above});
    });
  }

  void finish(AttributionSummary* summary) override {
    const auto with_dna = static_cast<double>(std::ssize(enhancers_) - out_.zero_dna_left_out);
    for (const AttentionMap& map : maps_) {
      const Written& w = written_.at(map.name);
      out_.heads.emplace_back(map.name, means_of(w.heads, map.of_enhancer ? with_dna : 1.0));
      w.file->flush_to_disk();
    }
    summary->maps = out_;
    list_.write(json_text(fields_json(files_)));
    list_.flush_to_disk();
  }

  void publish() override {
    for (const auto& [name, written] : written_) written.file->commit();
    list_.commit();
  }

 private:
  struct Written {
    std::unique_ptr<NpyWriter> file;
    std::vector<Concentration> heads;  // sums over enhancers with DNA
  };

  static void count(const std::vector<Concentration>& heads, std::vector<Concentration>* sums) {
    for (std::size_t head = 0; head < heads.size(); ++head) {
      (*sums)[head].entropy += heads[head].entropy;
      (*sums)[head].effective_bins += heads[head].effective_bins;
      (*sums)[head].peak_over_uniform += heads[head].peak_over_uniform;
    }
  }

  MadeFolder folder_;
  AtomicFile list_;
  std::vector<AttentionMap> maps_;
  std::vector<std::int32_t> enhancers_;
  std::size_t added_ = 0;
  std::map<std::string, Written> written_;  // by map
  MapFiles files_;                          // content of maps.json
  MapSummary out_;
};

}  // namespace

std::unique_ptr<Section> make_maps(const SectionContext& context) {
  return std::make_unique<MapSection>(context);
}

}  // namespace cdt
