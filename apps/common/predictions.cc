#include "apps/common/predictions.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/error.h"

namespace cdt {
namespace {

std::vector<std::int32_t> part(const std::vector<std::int32_t>& all, std::size_t begin,
                               std::size_t count) {
  const std::size_t end = std::min(all.size(), begin + count);
  return {all.begin() + static_cast<std::ptrdiff_t>(begin),
          all.begin() + static_cast<std::ptrdiff_t>(end)};
}

}  // namespace

std::vector<std::int32_t> distinct_enhancers(const std::vector<Pair>& pairs) {
  std::vector<std::int32_t> out = column(pairs, &Pair::enhancer);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

PredictionTable::PredictionTable(std::vector<std::int32_t> enhancers, std::int64_t genes)
    : enhancers_(std::move(enhancers)),
      genes_(static_cast<std::size_t>(genes)),
      values_(enhancers_.size() * genes_) {}

std::size_t PredictionTable::place_of(std::int32_t enhancer) const {
  const auto found = std::lower_bound(enhancers_.begin(), enhancers_.end(), enhancer);
  CDT_CHECK(found != enhancers_.end() && *found == enhancer, "an enhancer of the table");
  return static_cast<std::size_t>(found - enhancers_.begin());
}

std::vector<float> PredictionTable::of(const std::vector<Pair>& pairs) const {
  std::vector<float> out;
  out.reserve(pairs.size());
  for (const Pair& pair : pairs) {
    out.push_back(values_[place_of(pair.enhancer) * genes_ + static_cast<std::size_t>(pair.gene)]);
  }
  return out;
}

std::optional<PredictionTable> predict_enhancers(
    Cdt& model, Tape& tape, DnaFeed& feed, const Trunks& trunks, const Tensor& outputs,
    const std::vector<std::int32_t>& enhancers,
    const std::function<bool(std::int64_t done)>& go_on) {
  Backend& backend = tape.backend();
  const auto most = static_cast<std::size_t>(outputs.shape[0]);
  PredictionTable table(enhancers, outputs.cols());
  tape.eval();
  feed.start(part(enhancers, 0, most));
  for (std::size_t done = 0; done < enhancers.size();) {
    const Tensor dna = feed.take();
    const std::size_t next = done + static_cast<std::size_t>(dna.shape[0]);
    if (next < enhancers.size()) feed.start(part(enhancers, next, most));
    const Tensor output = outputs.slice(0, dna.shape[0]);
    const std::vector<Tensor> operands{
        dna, output, trunks.rna, trunks.protein, trunks.rna_queries, trunks.protein_queries};
    backend.run_recorded("predict " + std::to_string(dna.shape[0]), operands, [&] {
      const Var predicted =
          model.forward({.tape = tape, .dna = tape.constant(dna), .trunks = &trunks});
      backend.copy(output, predicted->value);
      tape.clear();
    });
    backend.download(table.row(done), output);
    done = next;
    if (!go_on(static_cast<std::int64_t>(done))) return std::nullopt;
  }
  return table;
}

std::vector<float> mean_window(const Dataset& data, const std::vector<std::int32_t>& enhancers,
                               const std::function<bool()>& go_on) {
  CDT_CHECK(!enhancers.empty(), "a mean needs windows");
  std::vector<float> row(static_cast<std::size_t>(data.bins * data.dna_dim));
  std::vector<double> sum(row.size());
  for (const std::int32_t enhancer : enhancers) {
    if (!go_on()) return {};
    data.read_dna(enhancer, row.data());
    for (std::size_t k = 0; k < row.size(); ++k) sum[k] += row[k];
  }
  const auto count = static_cast<double>(enhancers.size());
  for (std::size_t k = 0; k < row.size(); ++k) row[k] = static_cast<float>(sum[k] / count);
  return row;
}

GeneTraining::GeneTraining(const std::vector<Pair>& train) {
  for (const Pair& pair : train) ++pairs_[pair.gene];
}

}  // namespace cdt
