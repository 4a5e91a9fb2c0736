#include "model/gene_windows.h"

#include <algorithm>

namespace cdt {

bool read_gene_windows(const Cdt& model, Tape& tape, DnaFeed& feed,
                       const std::vector<std::int32_t>& genes, const Trunks& trunks,
                       const std::function<bool()>& go_on) {
  const auto part = [&](std::size_t begin) {
    const std::size_t end = std::min(genes.size(), begin + static_cast<std::size_t>(feed.batch()));
    return std::vector<std::int32_t>(genes.begin() + static_cast<std::ptrdiff_t>(begin),
                                     genes.begin() + static_cast<std::ptrdiff_t>(end));
  };
  std::vector<std::int32_t> batch = part(0);
  if (!batch.empty()) feed.start(batch);
  for (std::size_t done = 0; done < genes.size();) {
    const Tensor windows = feed.take();
    done += batch.size();
    std::vector<std::int32_t> next = part(done);
    if (!next.empty()) feed.start(next);
    model.read_gene_windows(tape, windows, batch, trunks);
    batch = std::move(next);
    if (!go_on()) return false;
  }
  return true;
}

}  // namespace cdt
