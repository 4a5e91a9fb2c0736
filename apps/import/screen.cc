#include "apps/import/screen.h"

#include <numeric>
#include <utility>

#include "apps/import/words.h"
#include "engine/error.h"
#include "io/dataset/lists.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr const char* kUnless = ", unless --unknown-names drop is given";

std::vector<Enhancer> read_bed(const ArraysOptions& options, std::int64_t dna_rows) {
  std::vector<Enhancer> enhancers = read_enhancers(options.enhancers, Unnamed::kNameByPlace);
  const std::string file = options.enhancers.string();
  if (static_cast<std::int64_t>(enhancers.size()) != dna_rows) {
    throw InputError(
        file, "lines",
        expected_got("there must be an element for each row of " + options.dna.string(),
                     std::to_string(dna_rows), std::to_string(enhancers.size())));
  }
  for (const Enhancer& enhancer : enhancers) {
    require_word(file, "chrom of " + enhancer.name, enhancer.chrom);
    require_word(file, "name", enhancer.name);
  }
  return enhancers;
}

/// Reads the table of pairs against the lists.
class PairReader {
 public:
  PairReader(const ArraysOptions& options, const MatchedGenes& genes, Screen* out)
      : file_(options.pairs, true), options_(options), genes_(genes), out_(out) {
    std::vector<std::string> names;
    for (const Enhancer& enhancer : out->enhancers) names.push_back(enhancer.name);
    enhancer_index_ = index_names(names);
    gene_index_ = index_names(genes.genes);
    sample_index_ = index_names(genes.samples);
    if (!genes.samples.empty()) file_.require_samples();
  }

  void read() {
    if (!file_.has_split()) {
      note(options_.pairs.string() +
           ": there is no column split: all pairs are train; cdt-split divides them");
    }
    if (genes_.samples.empty() && file_.has_samples()) {
      note(options_.pairs.string() +
           ": column sample is left out: without --samples the RNA has no samples");
    }
    while (file_.next()) take_row();
  }

 private:
  void take_row() {
    Pair pair;
    pair.split = file_.split();
    pair.enhancer = file_.find(PairsFile::kEnhancer, enhancer_index_);
    pair.gene = file_.find(PairsFile::kGene, gene_index_);
    pair.beta = file_.beta();
    pair.label = file_.label();
    pair.fold = file_.fold();
    pair.se = file_.se();
    if (!sample_index_.empty()) pair.sample = file_.find(PairsFile::kSample, sample_index_);
    out_->has_labels = pair.label >= 0;
    SplitCount& count = out_->counts[static_cast<std::size_t>(pair.split)];
    ++count.read;
    if (is_kept(pair, &count)) {
      ++count.kept;
      count.positive_kept += pair.label == 1 ? 1 : 0;
      out_->pairs.push_back(pair);
    } else {
      count.positive_removed += pair.label == 1 ? 1 : 0;
    }
  }

  bool is_kept(const Pair& pair, SplitCount* count) const {
    const bool half = pair.gene < 0 && genes_.in_one_list.contains(file_.name(PairsFile::kGene));
    if (pair.enhancer < 0) refuse(PairsFile::kEnhancer, options_.enhancers);
    if (pair.gene < 0 && !half) {
      refuse(PairsFile::kGene, options_.genes.empty() ? options_.rna_genes : options_.genes);
    }
    if (pair.sample < 0) refuse(PairsFile::kSample, options_.samples);
    if (pair.enhancer >= 0 && pair.gene >= 0 && pair.sample >= 0) return true;
    ++(pair.enhancer >= 0 && pair.sample >= 0 && half ? count->in_one_list : count->in_no_list);
    return false;
  }

  void refuse(PairsFile::Column column, const std::filesystem::path& list) const {
    if (!options_.drop_unknown) file_.fail_unknown(column, (list.string() + kUnless).c_str());
  }

  PairsFile file_;
  const ArraysOptions& options_;
  const MatchedGenes& genes_;
  Screen* out_;
  NameIndex enhancer_index_, gene_index_, sample_index_;
};

/// Drops the enhancers that no pair names.
void drop_untested(Screen* screen) {
  std::vector<std::int32_t> place(screen->enhancers.size(), -1);
  for (const Pair& pair : screen->pairs) place[static_cast<std::size_t>(pair.enhancer)] = 0;
  std::vector<Enhancer> kept;
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < place.size(); ++i) {
    if (place[i] < 0) continue;
    place[i] = static_cast<std::int32_t>(kept.size());
    kept.push_back(std::move(screen->enhancers[i]));
    rows.push_back(static_cast<std::int64_t>(i));
  }
  for (Pair& pair : screen->pairs) pair.enhancer = place[static_cast<std::size_t>(pair.enhancer)];
  screen->enhancers = std::move(kept);
  screen->dna_rows = std::move(rows);
}

}  // namespace

Screen read_screen(const ArraysOptions& options, const MatchedGenes& genes, std::int64_t dna_rows) {
  Screen screen;
  screen.enhancers = read_bed(options, dna_rows);
  screen.listed = dna_rows;
  screen.dna_rows.resize(screen.enhancers.size());
  std::iota(screen.dna_rows.begin(), screen.dna_rows.end(), std::int64_t{0});
  PairReader(options, genes, &screen).read();
  if (screen.pairs.empty()) {
    throw InputError(options.pairs.string(), "pairs",
                     "none is left of " + std::to_string(screen.of(Split::kTrain).read +
                                                         screen.of(Split::kVal).read +
                                                         screen.of(Split::kTest).read));
  }
  if (!options.keep_untested) drop_untested(&screen);
  return screen;
}

}  // namespace cdt
