#include "apps/attribute/path_heads_report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/attribute/place.h"
#include "apps/attribute/wanted_file.h"
#include "apps/common/interrupt.h"
#include "io/format/text.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFile = "path_heads.tsv";
constexpr const char* kHeader = "enhancer\tgene\tpath\tpart\thead\tshare\tproduct\tzero_dna\n";
constexpr std::array kHalfNames{"pattern", "value"};  // as GradientPass::Half

const char* name_of(std::size_t way) { return PathSplit::kNames[GradientPass::kRna + way]; }

}  // namespace

PathHeadsReport::PathHeadsReport(const std::filesystem::path& folder, const Inference& inference,
                                 bool wanted, std::uint64_t seed)
    : path_(folder / kFile), data_(inference.data), bootstrap_{.seed = seed} {
  for (auto& way : shares_) {
    for (Shares& half : way) half.resize(static_cast<std::size_t>(inference.config.heads));
  }
  if (!wanted) return;
  file_.emplace(path_);
  file_->write(kHeader);
}

void PathHeadsReport::add(Inference& inference, Attributor& attributor,
                          const EnhancerGenes& wanted) {
  if (!file_) return;
  GradientPass& pass = attributor.pass();
  const std::vector<float> z = pass.project(wanted.dna);
  const std::vector<float> zero = pass.zero_projection(data_.bins);
  Recorder recorder;
  recorder.want_cores = true;
  pass.forward(z, &recorder);
  for (const std::int32_t gene : wanted.genes) {
    add_pair(wanted, gene, head_split(pass, attributor.norm(), inference.tape, z, zero, gene));
    stop_if_interrupted();
  }
  inference.tape.clear();
}

void PathHeadsReport::add_pair(const EnhancerGenes& wanted, std::int32_t gene,
                               const std::array<HeadSplit, kWays>& ways) {
  const Pair pair{.enhancer = wanted.enhancer, .gene = gene};
  const bool counts = !wanted.zero_dna && std::isfinite(ways[0].share[0][0]);
  if (counts) enhancers_.push_back(wanted.enhancer);
  for (std::size_t way = 0; way < kWays; ++way) {
    if (counts) additivity_error_ = std::max(additivity_error_, ways[way].additivity_error);
    for (std::size_t half = 0; half < kHalfNames.size(); ++half) {
      Shares& by_head = shares_[way][half];
      for (std::size_t head = 0; head < by_head.size(); ++head) {
        const double share = ways[way].share[half][head];
        file_->write(tab_separated(
            {enhancer_of(data_, pair).name, gene_of(data_, pair), name_of(way), kHalfNames[half],
             std::to_string(head), format_number(share),
             format_number(ways[way].product[half][head]), wanted.zero_dna ? "1" : "0"}));
        if (counts) by_head[head].push_back(share);
      }
    }
  }
}

Json PathHeadsReport::half_json(const Shares& shares) const {
  std::vector<double> total(enhancers_.size(), 0.0);
  Json heads = Json::array();
  for (const std::vector<double>& of_head : shares) {
    heads.push_back(mean(of_head));
    for (std::size_t pair = 0; pair < total.size(); ++pair) total[pair] += of_head[pair];
  }
  const Interval interval = bootstrap_mean(total, enhancers_, bootstrap_);
  return {{"mean", mean(total)},
          {"interval_95", {interval.low, interval.high}},
          {"mean_by_head", std::move(heads)}};
}

void PathHeadsReport::finish(Json* summary) {
  if (!commit_or_remove(file_, path_)) return;
  Json shares = Json::object();
  for (std::size_t way = 0; way < kWays; ++way) {
    for (std::size_t half = 0; half < kHalfNames.size(); ++half) {
      shares[name_of(way)][kHalfNames[half]] = half_json(shares_[way][half]);
    }
  }
  (*summary)["paths"]["heads"] = {{"file", kFile},
                                  {"pairs", enhancers_.size()},
                                  {"share", std::move(shares)},
                                  {"additivity_error", additivity_error_}};
}

}  // namespace cdt
