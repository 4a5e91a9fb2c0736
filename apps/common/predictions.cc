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

std::optional<PredictionTable> predict_own_contexts(
    const PredictionPass& pass, const std::vector<Context>& contexts,
    const std::vector<std::int32_t>& read, const std::function<bool(std::int64_t done)>& go_on) {
  const std::vector<std::int32_t> enhancers = enhancers_of(contexts);
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

std::optional<PredictionTable> predict_own_from_window(
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

/// The table of all contexts, of which each rank computes its share: own(its contexts, the first
/// one's place) returns their rows, or nothing if it was interrupted.
std::optional<PredictionTable> shared_table(
    const PredictionPass& pass, const std::vector<Context>& contexts,
    const std::function<std::optional<PredictionTable>(const std::vector<Context>& some,
                                                       std::int64_t first)>& own) {
  if (pass.ranks == nullptr || pass.ranks->size() == 1) return own(contexts, 0);
  const Share share = share_of(std::ssize(contexts), pass.ranks->rank(), pass.ranks->size());
  std::vector<float> mine = {1.0F};  // whether the share is complete, and its rows
  if (share.count() > 0) {
    std::optional<PredictionTable> part =
        own({contexts.begin() + share.begin, contexts.begin() + share.end}, share.begin);
    mine[0] = part ? 1.0F : 0.0F;
    if (part) mine.insert(mine.end(), part->values().begin(), part->values().end());
  }
  PredictionTable table(contexts, pass.outputs.cols());
  auto at = table.values().begin();
  for (const std::vector<float>& rank : gather_floats(*pass.ranks, mine)) {
    if (rank[0] == 0.0F) return std::nullopt;
    at = std::copy(rank.begin() + 1, rank.end(), at);
  }
  return table;
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

std::optional<PredictionTable> predict_contexts(const PredictionPass& pass,
                                                const std::vector<Context>& contexts,
                                                const std::function<bool(std::int64_t done)>& go_on,
                                                const std::vector<std::int32_t>& windows) {
  const std::vector<std::int32_t> enhancers = enhancers_of(contexts);
  const std::vector<std::int32_t>& read = windows.empty() ? enhancers : windows;
  CDT_CHECK(read.size() == contexts.size(), "a window for every context");
  return shared_table(pass, contexts, [&](const std::vector<Context>& some, std::int64_t first) {
    const auto begin = static_cast<std::size_t>(first);
    return predict_own_contexts(pass, some, part(read, begin, begin + some.size()), go_on);
  });
}

std::optional<PredictionTable> predict_from_window(
    const PredictionPass& pass, const Tensor& window, const std::vector<Context>& contexts,
    const std::function<bool(std::int64_t done)>& go_on) {
  const auto own = [&](const std::vector<Context>& some, std::int64_t /*first*/) {
    return predict_own_from_window(pass, window, some, go_on);
  };
  // Without places it is a pass or few, which every rank can do.
  return pass.places.wanted() ? shared_table(pass, contexts, own) : own(contexts, 0);
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
