#include "apps/common/predictions.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "engine/error.h"

namespace cdt {
namespace {

std::vector<std::int32_t> distinct(std::vector<std::int32_t> rows) {
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return rows;
}

std::vector<std::int32_t> part(const std::vector<std::int32_t>& all, const ContextBatch& batch) {
  return {all.begin() + static_cast<std::ptrdiff_t>(batch.begin),
          all.begin() + static_cast<std::ptrdiff_t>(batch.end)};
}

std::vector<std::int32_t> enhancers_of(const std::vector<Context>& contexts) {
  std::vector<std::int32_t> out;
  out.reserve(contexts.size());
  for (const Context& context : contexts) out.push_back(context.enhancer);
  return out;
}

// Predicts every gene from dna (B, L, dna_dim) as seen from B enhancers with the RNA of a sample,
// to host memory (B, G). name: of the recorded pass.
void predict_batch(const PredictionPass& pass, const std::string& name, const Tensor& dna,
                   std::int32_t sample, const std::vector<std::int32_t>& enhancers, float* out) {
  Backend& backend = pass.tape.backend();
  const Trunks& trunks = pass.trunks.of(sample);
  const Tensor places = pass.places.load(enhancers);
  const Tensor output = pass.outputs.slice(0, dna.shape[0]);
  std::vector<Tensor> operands = trunks.tensors();
  operands.insert(operands.end(), {dna, output, places});
  backend.run_recorded(name, operands, [&] {
    const Trunks placed = pass.model.place(pass.tape, trunks, places);
    const Var predicted =
        pass.model.forward({.tape = pass.tape, .dna = pass.tape.constant(dna), .trunks = &placed});
    backend.copy(output, predicted->value);
    pass.tape.clear();
  });
  backend.download(out, output);
}

/// Adds the sums of all ranks, in their order; false if a rank's is not complete.
bool add_over_ranks(Communicator& ranks, bool complete, std::vector<double>* sum) {
  if (ranks.size() == 1) return complete;
  std::string mine(complete ? sum->size() * sizeof(double) : 0, '\0');
  std::memcpy(mine.data(), sum->data(), mine.size());
  std::fill(sum->begin(), sum->end(), 0.0);
  for (const std::string& rank : ranks.gather(mine)) {
    if (rank.empty()) return false;
    for (std::size_t k = 0; k < sum->size(); ++k) {
      double part = 0.0;
      std::memcpy(&part, rank.data() + k * sizeof part, sizeof part);
      (*sum)[k] += part;
    }
  }
  return true;
}

}  // namespace

std::vector<std::int32_t> distinct_enhancers(const std::vector<Pair>& pairs) {
  return distinct(column(pairs, &Pair::enhancer));
}

std::vector<std::int32_t> distinct_genes(const std::vector<Pair>& pairs) {
  return distinct(column(pairs, &Pair::gene));
}

std::vector<Context> distinct_contexts(const std::vector<Pair>& pairs) {
  std::vector<Context> out;
  out.reserve(pairs.size());
  for (const Pair& pair : pairs) out.push_back({pair.sample, pair.enhancer});
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<std::int32_t> distinct_enhancers(const std::vector<Context>& contexts) {
  return distinct(enhancers_of(contexts));
}

PredictionTable::PredictionTable(std::vector<Context> contexts, std::int64_t genes)
    : contexts_(std::move(contexts)),
      genes_(static_cast<std::size_t>(genes)),
      values_(contexts_.size() * genes_) {}

std::size_t PredictionTable::place_of(const Context& context) const {
  const auto found = std::lower_bound(contexts_.begin(), contexts_.end(), context);
  CDT_CHECK(found != contexts_.end() && *found == context, "a context of the table");
  return static_cast<std::size_t>(found - contexts_.begin());
}

std::vector<float> PredictionTable::of(const std::vector<Pair>& pairs) const {
  std::vector<float> out;
  out.reserve(pairs.size());
  for (const Pair& pair : pairs) {
    const std::size_t row = place_of({pair.sample, pair.enhancer});
    out.push_back(values_[row * genes_ + static_cast<std::size_t>(pair.gene)]);
  }
  return out;
}

std::vector<ContextBatch> context_batches(const std::vector<Context>& contexts, std::size_t most) {
  std::vector<ContextBatch> out;
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    const bool fits = !out.empty() && out.back().size() < most &&
                      contexts[i].sample == contexts[out.back().begin].sample;
    if (!fits) out.push_back({i, i});
    out.back().end = i + 1;
  }
  return out;
}

bool predict_batches(const PredictionPass& pass, const std::vector<Context>& contexts,
                     std::span<const ContextBatch> batches, const RowReceiver& receive,
                     const std::vector<std::int32_t>& windows) {
  const std::vector<std::int32_t> enhancers = enhancers_of(contexts);
  const std::vector<std::int32_t>& read = windows.empty() ? enhancers : windows;
  CDT_CHECK(read.size() == contexts.size(), "a window for every context");
  std::vector<float> rows;
  pass.tape.eval();
  if (!batches.empty()) pass.feed.start(part(read, batches[0]));
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const ContextBatch& batch = batches[i];
    const Tensor dna = pass.feed.take();
    if (i + 1 < batches.size()) pass.feed.start(part(read, batches[i + 1]));
    rows.resize(batch.size() * static_cast<std::size_t>(pass.outputs.cols()));
    predict_batch(pass, "predict " + std::to_string(batch.size()), dna,
                  contexts[batch.begin].sample, part(enhancers, batch), rows.data());
    if (!receive(batch, rows)) return false;
  }
  return true;
}

bool predict_from_window(const PredictionPass& pass, const Tensor& window,
                         const std::vector<Context>& contexts,
                         std::span<const ContextBatch> batches, const RowReceiver& receive) {
  std::vector<float> row(static_cast<std::size_t>(pass.outputs.cols()));
  pass.tape.eval();
  return std::all_of(batches.begin(), batches.end(), [&](const ContextBatch& batch) {
    CDT_CHECK(batch.size() == 1, "one context at a time");
    const Context& context = contexts[batch.begin];
    predict_batch(pass, "predict from a window", window, context.sample, {context.enhancer},
                  row.data());
    return receive(batch, row);
  });
}

std::vector<float> mean_window(const Dataset& data, const std::vector<std::int32_t>& enhancers,
                               const std::function<bool()>& go_on) {
  return mean_window(data, enhancers, go_on, *make_lone_communicator());
}

std::vector<float> mean_window(const Dataset& data, const std::vector<std::int32_t>& enhancers,
                               const std::function<bool()>& go_on, Communicator& ranks) {
  CDT_CHECK(!enhancers.empty(), "a mean needs windows");
  std::vector<float> row(static_cast<std::size_t>(data.bins * data.dna_dim));
  std::vector<double> sum(row.size());
  const Share share = share_of(std::ssize(enhancers), ranks.rank(), ranks.size());
  bool complete = true;
  for (std::int64_t i = share.begin; i < share.end && (complete = go_on()); ++i) {
    data.read_dna(enhancers[static_cast<std::size_t>(i)], row.data());
    for (std::size_t k = 0; k < row.size(); ++k) sum[k] += row[k];
  }
  if (!add_over_ranks(ranks, complete, &sum)) return {};
  const auto count = static_cast<double>(enhancers.size());
  for (std::size_t k = 0; k < row.size(); ++k) row[k] = static_cast<float>(sum[k] / count);
  return row;
}

GeneTraining::GeneTraining(const std::vector<Pair>& train, Readout readout) : readout_(readout) {
  for (const Pair& pair : train) ++pairs_[pair.gene];
}

}  // namespace cdt
