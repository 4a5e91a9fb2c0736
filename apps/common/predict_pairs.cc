#include "apps/common/predict_pairs.h"

#include <algorithm>
#include <string>

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
  std::vector<std::int32_t> out;
  out.reserve(pairs.size());
  for (const Pair& p : pairs) out.push_back(p.enhancer);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::optional<std::vector<float>> predict_pairs(
    Cdt& model, Tape& tape, DnaFeed& feed, const Trunks& trunks, const Tensor& outputs,
    const std::vector<Pair>& pairs, const std::function<bool(std::int64_t done)>& go_on) {
  Backend& backend = tape.backend();
  const std::vector<std::int32_t> enhancers = distinct_enhancers(pairs);
  const auto most = static_cast<std::size_t>(outputs.shape[0]);
  const auto genes = static_cast<std::size_t>(outputs.cols());
  std::vector<float> all(enhancers.size() * genes);
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
      const Var predicted = model.forward_from_trunks(tape, tape.constant(dna), trunks);
      backend.copy(output, predicted->value);
      tape.clear();
    });
    backend.download(all.data() + done * genes, output);
    done = next;
    if (!go_on(static_cast<std::int64_t>(done))) return std::nullopt;
  }
  std::vector<float> out;
  out.reserve(pairs.size());
  for (const Pair& pair : pairs) {
    const auto row = static_cast<std::size_t>(
        std::lower_bound(enhancers.begin(), enhancers.end(), pair.enhancer) - enhancers.begin());
    out.push_back(all[row * genes + static_cast<std::size_t>(pair.gene)]);
  }
  return out;
}

}  // namespace cdt
