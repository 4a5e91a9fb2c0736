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

// Predicts every gene from dna (B, L, dna_dim) as seen from B enhancers, to host memory (B, G).
// name: of the recorded pass.
void predict_batch(const PredictionPass& pass, const std::string& name, const Tensor& dna,
                   const std::vector<std::int32_t>& enhancers, float* out) {
  Backend& backend = pass.tape.backend();
  const Tensor places = pass.places.load(enhancers);
  const Tensor output = pass.outputs.slice(0, dna.shape[0]);
  std::vector<Tensor> operands = pass.trunks.tensors();
  operands.insert(operands.end(), {dna, output, places});
  backend.run_recorded(name, operands, [&] {
    const Trunks placed = pass.model.place(pass.tape, pass.trunks, places);
    const Var predicted =
        pass.model.forward({.tape = pass.tape, .dna = pass.tape.constant(dna), .trunks = &placed});
    backend.copy(output, predicted->value);
    pass.tape.clear();
  });
  backend.download(out, output);
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
    const PredictionPass& pass, const std::vector<std::int32_t>& enhancers,
    const std::function<bool(std::int64_t done)>& go_on, const std::vector<std::int32_t>& windows) {
  const std::vector<std::int32_t>& read = windows.empty() ? enhancers : windows;
  CDT_CHECK(read.size() == enhancers.size(), "a window for every enhancer");
  const auto most = static_cast<std::size_t>(pass.outputs.shape[0]);
  PredictionTable table(enhancers, pass.outputs.cols());
  pass.tape.eval();
  pass.feed.start(part(read, 0, most));
  for (std::size_t done = 0; done < enhancers.size();) {
    const Tensor dna = pass.feed.take();
    const auto size = static_cast<std::size_t>(dna.shape[0]);
    const std::size_t next = done + size;
    if (next < enhancers.size()) pass.feed.start(part(read, next, most));
    predict_batch(pass, "predict " + std::to_string(size), dna, part(enhancers, done, size),
                  table.row(done));
    done = next;
    if (!go_on(static_cast<std::int64_t>(done))) return std::nullopt;
  }
  return table;
}

std::optional<PredictionTable> predict_from_window(
    const PredictionPass& pass, const Tensor& window, const std::vector<std::int32_t>& enhancers,
    const std::function<bool(std::int64_t done)>& go_on) {
  PredictionTable table(enhancers, pass.outputs.cols());
  pass.tape.eval();
  for (std::size_t row = 0; row < enhancers.size(); ++row) {
    if (row == 0 || pass.places.wanted()) {
      predict_batch(pass, "predict from a window", window, {enhancers[row]}, table.row(row));
    } else {
      std::copy_n(table.row(0), pass.outputs.cols(), table.row(row));
    }
    if (pass.places.wanted() && !go_on(static_cast<std::int64_t>(row + 1))) return std::nullopt;
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

GeneTraining::GeneTraining(const std::vector<Pair>& train, Readout readout) : readout_(readout) {
  for (const Pair& pair : train) ++pairs_[pair.gene];
}

}  // namespace cdt
