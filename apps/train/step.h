// One step of training: what it reads, forward, backward, clipping and the update on the device,
// and what comes back.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "apps/train/options.h"
#include "engine/arena.h"
#include "engine/backend.h"
#include "engine/optim/adamw.h"
#include "engine/tape.h"
#include "io/dataset/dataset.h"
#include "model/cdt.h"
#include "model/dna_feed.h"

namespace cdt {

struct StepResult {
  std::vector<Pair> batch;
  float loss = 0;  // mean over the batch
  float norm = 0;  // of all gradients, before clipping
  std::vector<float> predictions;
};

/// What comes back from training steps. A device works behind the host; results are fetched in
/// order, each into page-locked memory of its own, and read when the host needs them.
class StepResults {
 public:
  StepResults(Arena& lasting, std::int64_t batch, Backend& backend);
  ~StepResults() { backend_.release_host(host_); }
  StepResults(const StepResults&) = delete;
  StepResults& operator=(const StepResults&) = delete;

  /// Where a step leaves its results, on the device.
  Tensor loss() const { return all_.slice(0, 1); }
  Tensor norm_and_factor() const { return all_.slice(1, 3); }
  Tensor predictions() const { return all_.slice(3, all_.count()); }

  /// Starts to bring them over, for a step on `batch`. At most kSlots may be pending.
  void fetch(const std::vector<Pair>& batch);
  std::size_t pending() const { return pending_.size(); }
  /// The oldest pending result; waits for it.
  StepResult take();

 private:
  static constexpr int kSlots = 4;
  struct Pending {
    std::vector<Pair> batch;
    int slot = 0;
  };
  float* slot_memory(int slot) const { return host_ + slot * all_.count(); }

  Backend& backend_;
  Tensor all_;   // (3 + B)
  float* host_;  // (kSlots, 3 + B)
  int next_slot_ = 0;
  std::deque<Pending> pending_;
};

/// What steps read on the device.
struct StepData {
  /// distinct, reserve_bytes: of the feed (model/dna_feed.h).
  StepData(const Dataset& data, Backend& backend, Arena& lasting, std::int64_t batch,
           std::int64_t distinct = 0, std::size_t reserve_bytes = 0);

  Tensor rna, protein;  // (1, G, ..)
  Tensor genes;         // (B), int32
  Tensor targets;       // (B)
  DnaFeed feed;
};

/// The kernels of a step on dna (B, L, dna_dim), from zeroed gradients to updated weights. Then
/// `results` holds predictions, loss and norm. Dropout masks are those of (settings.seed, step).
void training_step(const TrainSettings& settings, std::uint32_t step, const Tensor& dna,
                   const StepData& data, Cdt& model, Tape& tape, AdamW& optimiser,
                   const StepResults& results);

}  // namespace cdt
