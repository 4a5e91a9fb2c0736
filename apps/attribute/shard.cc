#include "apps/attribute/shard.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "apps/attribute/explain.h"
#include "apps/attribute/output.h"
#include "apps/attribute/result_record.h"
#include "apps/common/program.h"
#include "apps/common/progress.h"
#include "engine/error.h"
#include "io/format/output.h"
#include "io/format/text.h"

namespace cdt {
namespace {

/// Cuts pairs where `differ(pair, next)`: ranges [begin, end).
template <class Differ>
std::vector<Share> cut_pairs(const std::vector<Pair>& pairs, const Differ& differ) {
  std::vector<Share> out;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (i == 0 || differ(pairs[i - 1], pairs[i])) out.push_back({i, i});
    out.back().end = i + 1;
  }
  return out;
}

/// Pairs of each enhancer: shards never divide one.
std::vector<Share> enhancers_of(const std::vector<Pair>& pairs) {
  return cut_pairs(pairs, [](const Pair& a, const Pair& b) { return a.enhancer != b.enhancer; });
}

/// Pairs of each record: those of an enhancer and sample.
std::vector<Share> records_of(const std::vector<Pair>& pairs) {
  return cut_pairs(pairs, [](const Pair& a, const Pair& b) {
    return a.enhancer != b.enhancer || a.sample != b.sample;
  });
}

/// The pairs that `enhancers` [share) have.
std::vector<Pair> pairs_of_share(const std::vector<Pair>& pairs,
                                 const std::vector<Share>& enhancers, const Share& share) {
  if (share.size() == 0) return {};
  return {pairs.begin() + static_cast<std::ptrdiff_t>(enhancers[share.begin].begin),
          pairs.begin() + static_cast<std::ptrdiff_t>(enhancers[share.end - 1].end)};
}

std::vector<OptionFile> files_of(const AttributeOptions& options) {
  std::vector<OptionFile> out{{"--pairs", options.choice.file},
                              {"--chrom-sizes", options.chrom_sizes}};
  for (const std::string& file : options.annotations) out.emplace_back("--annotations", file);
  return out;
}

}  // namespace

void attribute_shard(const AttributeOptions& options) {
  catch_interrupts("cdt-attribute");
  const Inputs inputs = inputs_of(options);
  check_shard_folder(options.common, options.shard, inputs);
  Inference inference(options.common, options.overrides);
  const AttributionPlan plan(options, inference.data);
  const std::vector<Share> enhancers = enhancers_of(plan.pairs);
  const Share share = share_of(options.shard, enhancers.size());
  const std::vector<Pair> pairs = pairs_of_share(plan.pairs, enhancers, share);
  const std::vector<Share> records = records_of(pairs);
  const std::string content = std::to_string(share.size()) + " of " +
                              number_of(std::ssize(enhancers), "enhancer") + ", " +
                              number_of(std::ssize(pairs), "pair");
  make_shard(
      {options.common, options.shard, inference.fingerprint, inference.tables, files_of(options)},
      *inference.backend, inputs, content, [&](std::uint64_t done, const RecordSink& append) {
        if (done > records.size()) throw Error("more records than the shard has enhancers");
        if (done == records.size()) return;
        const std::vector<Pair> left(
            pairs.begin() + static_cast<std::ptrdiff_t>(records[done].begin), pairs.end());
        require_free_space(options.common.out, left.size() * plan.methods.size() * sizeof(float) *
                                                   static_cast<std::uint64_t>(inference.data.bins));
        expect_memory(inference, left);
        EnhancerPasses passes(inference, options, plan.methods, plan.regions, plan.pairs);
        explain(inference, options, left, &passes, [&](const std::vector<EnhancerResult>& results) {
          std::int64_t count = 0;
          for (const EnhancerResult& result : results) {
            append(encode_result(result));
            count += std::ssize(result.pairs);
          }
          return count;
        });
      });
}

int merge_attributions(const ShardSet& shards, const CommonOptions& merge) {
  AttributeOptions options = recorded_attribution_options(shards.options(), shards.source());
  options.common = merged_options(options.common, merge);
  Inputs inputs = inputs_of(options);
  shards.add_inputs(merge.out, &inputs);
  const OutputFolder out(kAttributionOutput, options.common, inputs);
  const ModelAndData opened(options.common, options.overrides);
  shards.expect_same_inputs(opened);
  const AttributionPlan plan(options, opened.data);
  shards.expect_same_truth(opened.data.directory);
  const Fingerprint fingerprint = shards.fingerprint();
  AttributionOutput output(out.path(), options, plan, opened.config, fingerprint, opened.data);
  const std::vector<Share> enhancers = enhancers_of(plan.pairs);
  Progress progress("merge", std::ssize(plan.pairs), options.common.quiet);
  std::int64_t done = 0;
  for (std::int64_t shard = 1; shard <= shards.count(); ++shard) {
    const Share share = share_of({.index = shard, .count = shards.count()}, enhancers.size());
    const std::vector<Pair> pairs = pairs_of_share(plan.pairs, enhancers, share);
    const std::vector<Share> records = records_of(pairs);
    std::size_t next = 0;
    shards.read(shard, records.size(), [&](std::string_view record, const std::string& source) {
      stop_if_interrupted();
      const Share& of = records[next++];
      output.add(decode_result(record, source, std::span(pairs).subspan(of.begin, of.size()),
                               plan.methods.size(), opened.data.bins));
      progress.update(done += static_cast<std::int64_t>(of.size()));
    });
  }
  progress.finish();
  output.finish(shards.provenance_text(options.common));
  return output.report_failures();
}

}  // namespace cdt
