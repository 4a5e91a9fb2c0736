// --paths and --path-heads: gradients split by their path to the DNA, and the paths via RNA and
// protein split by head of the RNA-to-DNA cross-attention; --gene-gradients: gradients at RNA and
// protein.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "apps/attribute/sections.h"
#include "apps/common/tables.h"
#include "io/format/npy.h"
#include "io/format/output.h"
#include "io/format/text.h"
#include "io/format/text_file.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr const char* kNormsFile = "paths.npy";
constexpr const char* kProductsFile = "paths_product.npy";
constexpr const char* kHeadsFile = "path_heads.tsv";
constexpr const char* kHeadsColumns = "\tpath\tpart\thead\tshare\tproduct\tzero_dna\n";
constexpr std::array kHalfNames{"pattern", "value"};  // indexed by GradientPass::Half

/// Name of entry `way` of a HeadSplits.
const char* way_name(std::size_t way) { return PathSplit::kNames[GradientPass::kRna + way]; }

std::string percent(double share) { return cdt::text("%.2f %%", 100.0 * share); }

/// Writes path_heads.tsv and the "heads" of the section.
class HeadTable {
 public:
  explicit HeadTable(const SectionContext& context)
      : data_(context.data),
        seed_(context.options.choice.seed),
        file_(context.folder / kHeadsFile),
        shares_(GradientPass::path_count(context.config) - 1) {
    for (auto& way : shares_) {
      for (Shares& half : way) half.resize(static_cast<std::size_t>(context.config.heads));
    }
    out_.file = kHeadsFile;
    file_.write(pair_header(data_) + kHeadsColumns);
  }

  void add(const Pair& pair, bool zero_dna, const HeadSplits& ways) {
    const bool counts = !zero_dna && std::isfinite(ways[0].share[0][0]);
    if (counts) enhancers_.push_back(pair.enhancer);
    for (std::size_t way = 0; way < shares_.size(); ++way) {
      if (counts) {
        out_.additivity_error = std::max(out_.additivity_error, ways[way].additivity_error);
      }
      for (std::size_t half = 0; half < kHalfNames.size(); ++half) {
        Shares& by_head = shares_[way][half];
        for (std::size_t head = 0; head < by_head.size(); ++head) {
          const double share = ways[way].share[half][head];
          file_.write(
              tab_separated({pair_cells(data_, pair), way_name(way), kHalfNames[half],
                             std::to_string(head), format_number(share),
                             format_number(ways[way].product[half][head]), zero_dna ? "1" : "0"}));
          if (counts) by_head[head].push_back(share);
        }
      }
    }
  }

  void publish() { file_.commit(); }

  PathHeadSummary finish() {
    file_.flush_to_disk();
    out_.pairs = std::ssize(enhancers_);
    for (std::size_t way = 0; way < shares_.size(); ++way) {
      ByName<HeadShare>& halves =
          out_.share.emplace_back(way_name(way), ByName<HeadShare>{}).second;
      for (std::size_t half = 0; half < kHalfNames.size(); ++half) {
        halves.emplace_back(kHalfNames[half], share_of(shares_[way][half]));
      }
    }
    return out_;
  }

 private:
  /// Shares by head, then by pair with a gradient.
  using Shares = std::vector<std::vector<double>>;

  HeadShare share_of(const Shares& shares) const {
    std::vector<double> total(enhancers_.size(), 0.0);
    HeadShare out;
    for (const std::vector<double>& of_head : shares) {
      out.by_head.push_back(mean(of_head));
      for (std::size_t pair = 0; pair < total.size(); ++pair) total[pair] += of_head[pair];
    }
    out.mean = mean_interval(total, enhancers_, seed_).mean;
    return out;
  }

  const Dataset& data_;
  std::uint64_t seed_;
  AtomicFile file_;
  std::vector<std::array<Shares, GradientPass::kHalves>> shares_;  // by way
  std::vector<std::int32_t> enhancers_;                            // of these pairs
  PathHeadSummary out_;
};

/// Splits gradients by path. Pairs whose DNA is all zeros are excluded from the numbers.
class PathSection : public Section {
 public:
  explicit PathSection(const SectionContext& context)
      : Section(context),
        paths_(GradientPass::path_count(context.config)),
        norms_(context.folder / kNormsFile,
               context.by_pair({static_cast<std::int64_t>(paths_), data_.bins})),
        products_(context.folder / kProductsFile,
                  context.by_pair({static_cast<std::int64_t>(paths_), data_.bins})),
        shares_(paths_),
        sums_(paths_),
        seed_(context.options.choice.seed) {
    for (std::size_t path = 0; path < paths_; ++path) {
      out_.parts.emplace_back(PathSplit::kNames[path]);
    }
    out_.norms_file = kNormsFile;
    out_.products_file = kProductsFile;
    out_.additivity_gate = additivity_gate(context.options.common.precision);
    if (context.options.gradient.path_heads) heads_.emplace(context);
  }

  std::uint64_t bytes() const override {
    return 2 * context_.array_bytes(static_cast<std::int64_t>(paths_) * data_.bins);
  }

  void publish() override {
    norms_.commit();
    products_.commit();
    if (heads_) heads_->publish();
  }

  void finish(AttributionSummary* summary) override {
    norms_.flush_to_disk();
    products_.flush_to_disk();
    out_.pairs = std::ssize(enhancers_);
    out_.zero_dna_left_out = zero_dna_;
    out_.share = by_path(shares_);
    out_.product = by_path(sums_);
    if (heads_) out_.heads = heads_->finish();
    summary->paths = out_;
  }

  std::string text() const override {
    if (enhancers_.empty()) return "paths: no pair with DNA and a gradient\n";
    std::string out = "paths: mean over " + number_of(std::ssize(enhancers_), "pair") + ", " +
                      percent(mean(shares_[0])) + " of the gradient is direct, " +
                      percent(mean(shares_[1])) + " via RNA, " + percent(mean(shares_[2])) +
                      " via protein";
    if (paths_ > GradientPass::kOwnProtein) {
      out += ", " + percent(mean(shares_[GradientPass::kOwnRna])) +
             " via the gene's own RNA token, " + percent(mean(shares_[GradientPass::kOwnProtein])) +
             " via its own protein token";
    }
    return out + cdt::text("; their sum is off by at most %.2g of it\n", out_.additivity_error);
  }

  std::string warning() const override {
    if (beyond_gate_.empty()) return "";
    return "paths: the parts of " + named(beyond_gate_, "pair") +
           cdt::text(" miss the gradient by more than %.2g of it", out_.additivity_gate);
  }

 private:
  /// Values by path, then by pair with a gradient.
  using ByPath = std::vector<std::vector<double>>;

  void add_pair(const EnhancerResult& result, std::size_t i) override {
    const PathSplit& split = result.paths[i];
    for (std::size_t path = 0; path < paths_; ++path) {
      norms_.append(split.norm[path].data(), data_.bins);
      products_.append(split.product[path].data(), data_.bins);
    }
    if (heads_) heads_->add(result.pairs[i], result.zero_dna, result.path_heads[i]);
    const bool beyond = split.additivity_error > out_.additivity_gate;
    if (beyond) beyond_gate_.push_back(pair_name(data_, result.pairs[i]));
    if (result.zero_dna) return;
    out_.beyond_gate_pairs += beyond ? 1 : 0;
    out_.additivity_error = std::max(out_.additivity_error, split.additivity_error);
    if (!std::isfinite(split.share[0])) {
      ++out_.zero_gradient_left_out;
      return;
    }
    enhancers_.push_back(result.enhancer);
    for (std::size_t path = 0; path < paths_; ++path) {
      shares_[path].push_back(split.share[path]);
      const std::vector<float>& product = split.product[path];
      sums_[path].push_back(std::accumulate(product.begin(), product.end(), 0.0));
    }
  }

  ByName<PathMean> by_path(const ByPath& values) const {
    ByName<PathMean> out;
    for (std::size_t path = 0; path < paths_; ++path) {
      const PairMean of = mean_interval(values[path], enhancers_, seed_);
      out.push_back({PathSplit::kNames[path], {of.mean, of.median}});
    }
    return out;
  }

  std::size_t paths_;  // of the model
  NpyWriter norms_, products_;
  ByPath shares_, sums_;
  std::vector<std::int32_t> enhancers_;  // of these pairs
  std::uint64_t seed_;
  std::vector<std::string> beyond_gate_;  // names of all of them
  PathSummary out_;
  std::optional<HeadTable> heads_;
};

class GeneGradientSection : public Section {
 public:
  explicit GeneGradientSection(const SectionContext& context)
      : Section(context),
        rna_(context.folder / "rna_gradient.npy", context.by_pair({context.config.genes})),
        protein_(context.folder / "protein_gradient.npy", context.by_pair({context.config.genes})) {
  }

  std::uint64_t bytes() const override { return 2 * context_.array_bytes(context_.config.genes); }

  void finish(AttributionSummary* /*summary*/) override {
    rna_.flush_to_disk();
    protein_.flush_to_disk();
  }

  void publish() override {
    rna_.commit();
    protein_.commit();
  }

 private:
  void add_pair(const EnhancerResult& result, std::size_t i) override {
    rna_.append(result.gene_gradients[i].rna.data(), context_.config.genes);
    protein_.append(result.gene_gradients[i].protein.data(), context_.config.genes);
  }

  NpyWriter rna_, protein_;
};

}  // namespace

// The total and its parts come from separate backward passes. In float32 they agree to about 1e-6;
// 1e-4 is far above that and below any share worth reading. For narrower formats: 16 times their
// rounding error.
double additivity_gate(const std::string& precision) {
  if (precision == "bf16") return 16.0 * 0x1.0p-8;
  return precision == "tf32" ? 16.0 * 0x1.0p-11 : 1e-4;
}

std::unique_ptr<Section> make_paths(const SectionContext& context) {
  return std::make_unique<PathSection>(context);
}

std::unique_ptr<Section> make_gene_gradients(const SectionContext& context) {
  return std::make_unique<GeneGradientSection>(context);
}

}  // namespace cdt
