#include "apps/attribute/path_report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "apps/attribute/pair_names.h"
#include "apps/attribute/wanted_file.h"
#include "apps/common/format.h"
#include "apps/common/interrupt.h"
#include "io/format/text.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kNormsFile = "paths.npy";
constexpr const char* kProductsFile = "paths_product.npy";

Json by_path(const std::array<std::vector<double>, PathSplit::kPaths>& values,
             const std::vector<std::int32_t>& enhancers, const BootstrapOptions& bootstrap) {
  Json out = Json::object();
  for (std::size_t path = 0; path < PathSplit::kPaths; ++path) {
    const Interval interval = bootstrap_mean(values[path], enhancers, bootstrap);
    out[PathSplit::kNames[path]] = {{"mean", mean(values[path])},
                                    {"median", median(values[path])},
                                    {"interval_95", {interval.low, interval.high}}};
  }
  return out;
}

}  // namespace

// The whole and the parts are backward passes of their own. In float32 they are equal to some 1e-6;
// 1e-4 is far past that and below any share one would read. Narrower numbers: 16 of their
// roundings.
double additivity_gate(const std::string& precision) {
  if (precision == "bf16") return 16.0 * 0x1.0p-8;
  return precision == "tf32" ? 16.0 * 0x1.0p-11 : 1e-4;
}

PathReport::PathReport(const std::filesystem::path& folder, const Dataset& data, std::int64_t pairs,
                       bool wanted, const CommonOptions& common)
    : data_(data),
      norms_path_(folder / kNormsFile),
      products_path_(folder / kProductsFile),
      norms_(wanted_file(wanted, norms_path_, {pairs, PathSplit::kPaths, data.bins})),
      products_(wanted_file(wanted, products_path_, {pairs, PathSplit::kPaths, data.bins})),
      bootstrap_{.seed = static_cast<std::uint64_t>(common.seed)},
      gate_(additivity_gate(common.precision)) {}

void PathReport::add(Inference& inference, Attributor& attributor, const EnhancerGenes& wanted) {
  if (norms_ == nullptr) return;
  GradientPass& pass = attributor.pass();
  const std::vector<float> z = pass.project(wanted.dna);
  const std::vector<float> zero = pass.zero_projection(data_.bins);
  pass.forward(z);
  for (std::size_t gene = 0; gene < wanted.genes.size(); ++gene) {
    add(wanted, gene,
        path_split(pass, attributor.norm(), inference.tape, z, zero, {wanted.genes[gene]}).front());
    stop_if_interrupted();
  }
  inference.tape.clear();
}

void PathReport::add(const EnhancerGenes& wanted, std::size_t gene, const PathSplit& split) {
  for (std::size_t path = 0; path < PathSplit::kPaths; ++path) {
    norms_->append(split.norm[path].data(), data_.bins);
    products_->append(split.product[path].data(), data_.bins);
  }
  const bool beyond = split.additivity_error > gate_;
  if (beyond) {
    beyond_gate_.push_back(
        pair_name(data_, {.enhancer = wanted.enhancer, .gene = wanted.genes[gene]}));
  }
  if (wanted.zero_dna) {
    ++zero_dna_;
    return;
  }
  counted_beyond_gate_ += beyond ? 1 : 0;
  additivity_error_ = std::max(additivity_error_, split.additivity_error);
  if (!std::isfinite(split.share[0])) {
    ++zero_gradient_;
    return;
  }
  enhancers_.push_back(wanted.enhancer);
  for (std::size_t path = 0; path < PathSplit::kPaths; ++path) {
    shares_[path].push_back(split.share[path]);
    const std::vector<float>& product = split.product[path];
    sums_[path].push_back(std::accumulate(product.begin(), product.end(), 0.0));
  }
}

void PathReport::finish(Json* summary) {
  commit_or_remove(norms_, norms_path_);
  commit_or_remove(products_, products_path_);
  if (norms_ == nullptr) return;
  (*summary)["paths"] = {{"parts", PathSplit::kNames},
                         {"pairs", enhancers_.size()},
                         {"zero_dna_left_out", zero_dna_},
                         {"zero_gradient_left_out", zero_gradient_},
                         {"share", by_path(shares_, enhancers_, bootstrap_)},
                         {"norms", {{"file", kNormsFile}, {"additive", false}}},
                         {"products",
                          {{"file", kProductsFile},
                           {"additive", true},
                           {"sum_over_window", by_path(sums_, enhancers_, bootstrap_)}}},
                         {"additivity_error", additivity_error_},
                         {"additivity_gate", gate_},
                         {"beyond_gate_pairs", counted_beyond_gate_}};
}

std::string PathReport::table() const {
  if (norms_ == nullptr) return "";
  if (enhancers_.empty()) return "paths: no pair with DNA and a gradient\n";
  return text(
      "paths: of the gradient, mean of %s, %.2f %% go direct, %.2f %% via RNA, "
      "%.2f %% via protein; they add up but for %.2g of it at most\n",
      number_of(static_cast<std::int64_t>(enhancers_.size()), "pair").c_str(),
      100.0 * mean(shares_[0]), 100.0 * mean(shares_[1]), 100.0 * mean(shares_[2]),
      additivity_error_);
}

std::string PathReport::warning() const {
  if (beyond_gate_.empty()) return "";
  return "paths: the parts of " + named(beyond_gate_, "pair") +
         text(" miss the gradient by more than %.2g of it", gate_);
}

}  // namespace cdt
