// --occlude-region: effect of each region on each pair's prediction, next to what the gradient
// predicts for it.
#include <cmath>

#include "apps/attribute/sections.h"
#include "apps/common/tables.h"
#include "io/format/output.h"
#include "io/format/text.h"
#include "io/format/text_file.h"
#include "model/stats/bootstrap.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr const char* kFile = "occlusion_regions.tsv";
constexpr const char* kColumns =
    "\tregion\tfirst_bin\tlast_bin\tprediction\tprediction_replaced\tdifference\t"
    "gradient_claim\tzero_dna\n";

double mean_of(const std::vector<float>& values) {
  return mean(std::vector<double>(values.begin(), values.end()));
}

/// Rows that count, in order: effects and predictions, with their enhancers.
struct Rows {
  std::vector<float> differences, claims;
  std::vector<std::int32_t> enhancers;

  void add(const Rows& more) {
    differences.insert(differences.end(), more.differences.begin(), more.differences.end());
    claims.insert(claims.end(), more.claims.begin(), more.claims.end());
    enhancers.insert(enhancers.end(), more.enhancers.begin(), more.enhancers.end());
  }
  double pearson() const {
    return cdt::pearson(std::vector<double>(claims.begin(), claims.end()),
                        std::vector<double>(differences.begin(), differences.end()));
  }
};

class RegionSection : public Section {
 public:
  explicit RegionSection(const SectionContext& context)
      : Section(context),
        bootstrap_{.seed = context.options.choice.seed},
        file_(context.folder / kFile),
        rows_(context.regions.size()) {
    file_.write(pair_header(data_) + kColumns);
  }

  void publish() override { file_.commit(); }

  void finish(AttributionSummary* summary) override {
    file_.flush_to_disk();
    RegionSummary& out = summary->regions.emplace();
    out.file = kFile;
    out.baseline = context_.options.gradient.baseline;
    out.zero_dna_left_out = without_dna_;
    out.all = numbers_of(all_rows());
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      out.regions.push_back(numbers_of(rows_[r]));
      out.regions.back().region = context_.regions[r].text;
    }
  }

  std::string text() const override {
    std::string out = cdt::text("%-32s %7s %16s %16s %8s\n", "region replaced by the baseline",
                                "pairs", "mean difference", "gradient claims", "r");
    bool undefined = false;
    const auto row = [&](const std::string& name, const Rows& rows) {
      const double r = rows.pearson();
      out += cdt::text("%-32s %7zu ", name.c_str(), rows.differences.size()) +
             number_cell(mean_of(rows.differences), 16, 4) + " " +
             number_cell(mean_of(rows.claims), 16, 4) + " " + number_cell(r, 8, 3) + "\n";
      undefined = undefined || std::isnan(r);
    };
    for (std::size_t r = 0; r < rows_.size(); ++r) row(context_.regions[r].text, rows_[r]);
    if (rows_.size() > 1) row("all", all_rows());
    if (undefined) out += "-: undefined; r needs pairs with DNA whose effects and claims differ\n";
    return out;
  }

 private:
  void add_pair(const EnhancerResult& result, std::size_t i) override {
    without_dna_ += result.zero_dna && !result.regions.empty() ? 1 : 0;
    for (const EnhancerResult::OfRegion& of : result.regions) {
      const RegionEffect& effect = of.effects[i];
      add_row(result.pairs[i], of, effect, result.zero_dna);
      if (result.zero_dna) continue;
      rows_[of.region].add({{static_cast<float>(effect.difference())},
                            {static_cast<float>(effect.claimed)},
                            {result.enhancer}});
    }
  }

  void add_row(const Pair& pair, const EnhancerResult::OfRegion& of, const RegionEffect& effect,
               bool zero_dna) {
    file_.write(tab_separated(
        {pair_cells(data_, pair), context_.regions[of.region].text, std::to_string(of.bins.begin),
         std::to_string(of.bins.end - 1), format_number(effect.prediction),
         format_number(effect.replaced), format_number(static_cast<float>(effect.difference())),
         format_number(static_cast<float>(effect.claimed)), zero_dna ? "1" : "0"}));
  }

  Rows all_rows() const {
    Rows all;
    for (const Rows& rows : rows_) all.add(rows);
    return all;
  }

  RegionNumbers numbers_of(const Rows& rows) const {
    return {{},
            std::ssize(rows.differences),
            mean_of(rows.differences),
            mean_of(rows.claims),
            {rows.pearson(),
             bootstrap_pearson(rows.claims, rows.differences, rows.enhancers, bootstrap_)}};
  }

  BootstrapOptions bootstrap_;
  AtomicFile file_;
  std::vector<Rows> rows_;        // by region
  std::int64_t without_dna_ = 0;  // pairs of zero DNA whose window holds a region
};

}  // namespace

std::unique_ptr<Section> make_regions(const SectionContext& context) {
  return std::make_unique<RegionSection>(context);
}

}  // namespace cdt
