// The repeated work of the programs, at the sizes of the paper: a training step, prediction,
// attribution.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/paper_world.h"

namespace cdt {

class PaperWorkload {
 public:
  PaperWorkload(std::unique_ptr<Backend> backend, const PaperSizes& sizes, bool trainable,
                std::int64_t results)
      : world_(std::move(backend), sizes, trainable), results_(results) {}
  virtual ~PaperWorkload() = default;
  PaperWorkload(const PaperWorkload&) = delete;
  PaperWorkload& operator=(const PaperWorkload&) = delete;

  /// Runs it once: a step, a batch of enhancers, the pairs of one enhancer or of a batch.
  virtual void run() = 0;

  PaperWorld& world() { return world_; }
  Backend& backend() { return *world_.backend; }
  /// The number of results of one run: steps, enhancers or pairs.
  std::int64_t results() const { return results_; }

 private:
  PaperWorld world_;
  std::int64_t results_;
};

/// Forward, backward, clipping and AdamW over a batch, with the model's dropout.
std::unique_ptr<PaperWorkload> make_training(std::unique_ptr<Backend> backend,
                                             const PaperSizes& sizes);
/// A batch of enhancers, all genes of each.
std::unique_ptr<PaperWorkload> make_prediction(std::unique_ptr<Backend> backend,
                                               const PaperSizes& sizes);
/// Windows of these genes for one enhancer, or for each of a batch on a device that processes
/// batches.
std::unique_ptr<PaperWorkload> make_attribution(std::unique_ptr<Backend> backend,
                                                const PaperSizes& sizes,
                                                std::vector<std::int32_t> genes);
/// The gradient window of one pair without any of the savings, as a script would compute it: the
/// whole model forward and backward, including weight gradients and the gradient at all of the DNA
/// input.
std::unique_ptr<PaperWorkload> make_plain_attribution(std::unique_ptr<Backend> backend,
                                                      const PaperSizes& sizes);

inline constexpr const char* kPaperWorkloads[] = {"train", "predict", "attribute"};
/// One of kPaperWorkloads; attribution is for one gene.
std::unique_ptr<PaperWorkload> make_workload(const std::string& name,
                                             std::unique_ptr<Backend> backend,
                                             const PaperSizes& sizes);

}  // namespace cdt
