#include "apps/attribute/explain.h"

#include <algorithm>
#include <functional>
#include <future>
#include <utility>

#include "apps/attribute/batches.h"
#include "apps/common/progress.h"
#include "model/dna_feed.h"

namespace cdt {

void explain(Inference& inference, const AttributeOptions& options, const std::vector<Pair>& pairs,
             EnhancerPasses* passes, const ResultReceiver& receive) {
  if (pairs.empty()) return;
  Progress progress("attribute", std::ssize(pairs), options.common.quiet);
  // Results are received while the next batch is computed, but not on a CPU, whose cores are busy
  // with it, nor with maps, which need passes of their own.
  const bool beside = inference.backend->asynchronous() && options.maps.list.empty();
  const std::vector<EnhancerBatch> batches =
      cut_into_batches(pairs, passes->places(), inference.config.hidden);
  DnaFeed feed(inference.data, *inference.backend, inference.lasting,
               std::max<std::int64_t>(1, passes->places()));
  feed.start(batches.front().rows());
  std::int64_t done = 0;
  std::future<std::int64_t> receiving;
  const auto wait = [&] {
    if (receiving.valid()) progress.update(done += receiving.get());
  };
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const Tensor dna = feed.take();
    if (i + 1 < batches.size()) feed.start(batches[i + 1].rows());
    std::vector<EnhancerResult> results = passes->run(batches[i], dna);
    wait();
    receiving = std::async(beside ? std::launch::async : std::launch::deferred, std::cref(receive),
                           std::move(results));
    if (!beside) wait();
  }
  wait();
  progress.finish();
}

}  // namespace cdt
