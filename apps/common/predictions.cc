#include "apps/common/predictions.h"

#include <algorithm>
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

std::vector<std::int32_t> part(const std::vector<std::int32_t>& all, std::size_t begin,
                               std::size_t end) {
  return {all.begin() + static_cast<std::ptrdiff_t>(begin),
          all.begin() + static_cast<std::ptrdiff_t>(end)};
}

std::vector<std::int32_t> enhancers_of(const std::vector<Context>& contexts) {
  std::vector<std::int32_t> out;
  out.reserve(contexts.size());
  for (const Context& context : contexts) out.push_back(context.enhancer);
  return out;
}

// End of the batch that begins there: at most `most` contexts, all of one sample.
std::size_t batch_end(const std::vector<Context>& contexts, std::size_t begin, std::size_t most) {
  std::size_t end = begin;
  while (end < std::min(contexts.size(), begin + most) &&
         contexts[end].sample == contexts[begin].sample) {
    ++end;
  }
  return end;
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

std::optional<PredictionTable> predict_contexts(const PredictionPass& pass,
                                                const std::vector<Context>& contexts,
                                                const std::function<bool(std::int64_t done)>& go_on,
                                                const std::vector<std::int32_t>& windows) {
  const std::vector<std::int32_t> enhancers = enhancers_of(contexts);
  const std::vector<std::int32_t>& read = windows.empty() ? enhancers : windows;
  CDT_CHECK(read.size() == contexts.size(), "a window for every context");
  const auto most = static_cast<std::size_t>(pass.outputs.shape[0]);
  PredictionTable table(contexts, pass.outputs.cols());
  pass.tape.eval();
  pass.feed.start(part(read, 0, batch_end(contexts, 0, most)));
  for (std::size_t done = 0; done < contexts.size();) {
    const Tensor dna = pass.feed.take();
    const std::size_t next = batch_end(contexts, done, most);
    if (next < contexts.size()) {
      pass.feed.start(part(read, next, batch_end(contexts, next, most)));
    }
    predict_batch(pass, "predict " + std::to_string(next - done), dna, contexts[done].sample,
                  part(enhancers, done, next), table.row(done));
    done = next;
    if (!go_on(static_cast<std::int64_t>(done))) return std::nullopt;
  }
  return table;
}

std::optional<PredictionTable> predict_from_window(
    const PredictionPass& pass, const Tensor& window, const std::vector<Context>& contexts,
    const std::function<bool(std::int64_t done)>& go_on) {
  PredictionTable table(contexts, pass.outputs.cols());
  pass.tape.eval();
  for (std::size_t row = 0; row < contexts.size(); ++row) {
    const Context& context = contexts[row];
    const bool is_new = row == 0 || pass.places.wanted() ||
                        (pass.trunks.by_sample() && context.sample != contexts[row - 1].sample);
    if (is_new) {
      predict_batch(pass, "predict from a window", window, context.sample, {context.enhancer},
                    table.row(row));
    } else {
      std::copy_n(table.row(row - 1), pass.outputs.cols(), table.row(row));
    }
    if (pass.depends_on_context() && !go_on(static_cast<std::int64_t>(row + 1))) {
      return std::nullopt;
    }
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
