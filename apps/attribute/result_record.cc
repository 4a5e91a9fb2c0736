#include "apps/attribute/result_record.h"

#include <algorithm>
#include <vector>

#include "engine/error.h"
#include "io/format/record.h"

namespace cdt {

// What the types of a result consist of (io/format/record.h).
template <class Archive, Either<PairScores> T>
void list_parts(Archive& archive, T& scores) {
  archive(scores.prediction, scores.windows);
}
template <class Archive, Either<Completeness> T>
void list_parts(Archive& archive, T& c) {
  archive(c.steps, c.change, c.completeness_error, c.resolution, c.complete);
}
template <class Archive, Either<PathSplit> T>
void list_parts(Archive& archive, T& split) {
  archive(split.norm, split.product, split.share, split.additivity_error);
}
template <class Archive, Either<HeadSplit> T>
void list_parts(Archive& archive, T& split) {
  archive(split.share, split.product, split.additivity_error);
}
template <class Archive, Either<GeneGradients> T>
void list_parts(Archive& archive, T& gradients) {
  archive(gradients.rna, gradients.protein);
}
template <class Archive, Either<GradientClaim> T>
void list_parts(Archive& archive, T& claim) {
  archive(claim.prediction, claim.by_bin);
}
template <class Archive, Either<RegionEffect> T>
void list_parts(Archive& archive, T& effect) {
  archive(effect.prediction, effect.replaced, effect.claimed);
}
template <class Archive, Either<EnhancerResult::OfRegion> T>
void list_parts(Archive& archive, T& of) {
  archive(of.region, of.bins.begin, of.bins.end, of.effects);
}

namespace {

/// The pair's columns that name it.
struct NamedPair {
  std::int32_t enhancer = 0, gene = 0, sample = 0;
};
template <class Archive, Either<NamedPair> T>
void list_parts(Archive& archive, T& pair) {
  archive(pair.enhancer, pair.gene, pair.sample);
}

template <class Archive, Either<EnhancerResult> T>
void list_result(Archive& archive, std::vector<NamedPair>& pairs, T& result) {
  archive(pairs, result.zero_dna, result.scores, result.completeness, result.remarks, result.paths,
          result.path_heads, result.gene_gradients, result.claims, result.regions);
}

/// Whether the vectors of a result have the lengths that sections rely on.
bool is_of_shape(const EnhancerResult& result, std::size_t pairs, std::size_t methods,
                 std::int64_t bins) {
  const auto by_pair = [&](const auto& values) { return values.empty() || values.size() == pairs; };
  const auto is_window = [&](const std::vector<float>& w) { return std::ssize(w) == bins; };
  return result.scores.size() == pairs &&
         std::all_of(result.scores.begin(), result.scores.end(),
                     [&](const PairScores& s) {
                       return s.windows.size() == methods &&
                              std::all_of(s.windows.begin(), s.windows.end(), is_window);
                     }) &&
         result.remarks.size() == methods &&
         std::all_of(result.remarks.begin(), result.remarks.end(), by_pair) &&
         by_pair(result.completeness) && by_pair(result.paths) && by_pair(result.path_heads) &&
         by_pair(result.gene_gradients) && by_pair(result.claims) &&
         std::all_of(
             result.regions.begin(), result.regions.end(),
             [&](const EnhancerResult::OfRegion& of) { return of.effects.size() == pairs; });
}

}  // namespace

std::string encode_result(const EnhancerResult& result) {
  std::vector<NamedPair> pairs;
  for (const Pair& pair : result.pairs) pairs.push_back({pair.enhancer, pair.gene, pair.sample});
  RecordWriter writer;
  list_result(writer, pairs, result);
  return writer.take();
}

EnhancerResult decode_result(std::string_view record, const std::string& source,
                             std::span<const Pair> pairs, std::size_t methods, std::int64_t bins) {
  EnhancerResult out;
  std::vector<NamedPair> named;
  RecordReader reader(record, source);
  list_result(reader, named, out);
  reader.expect_end();
  const bool same =
      std::equal(named.begin(), named.end(), pairs.begin(), pairs.end(),
                 [](const NamedPair& a, const Pair& b) {
                   return a.enhancer == b.enhancer && a.gene == b.gene && a.sample == b.sample;
                 });
  if (!same) throw InputError(source, "record", "is not of the enhancer that follows");
  if (!is_of_shape(out, pairs.size(), methods, bins)) {
    throw InputError(source, "record", "has not the numbers of an enhancer of this run");
  }
  out.enhancer = pairs.front().enhancer;
  out.pairs.assign(pairs.begin(), pairs.end());
  return out;
}

}  // namespace cdt
