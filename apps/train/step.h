// One optimiser step: its inputs, the forward and backward passes of its batches, gradient clipping
// and update on the device, and its results.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "apps/train/options.h"
#include "apps/train/rna_input.h"
#include "engine/arena.h"
#include "engine/backend.h"
#include "engine/optim/adamw.h"
#include "engine/tape.h"
#include "io/dataset/dataset.h"
#include "model/cdt.h"
#include "model/dna_feed.h"
#include "model/gene_places.h"

namespace cdt {

struct StepResult {
  std::vector<Pair> batch;
  float loss = 0;  // mean over the batch
  float norm = 0;  // norm of all gradients before clipping; of the last batch of an optimiser step
  std::vector<float> predictions;
};

/// Results of the batches of training steps. A device runs behind the host, so results are fetched
/// in order, each into its own pinned memory, and read when the host needs them.
class StepResults {
 public:
  StepResults(Arena& lasting, std::int64_t batch, Backend& backend);
  ~StepResults() { backend_.release_host(host_); }
  StepResults(const StepResults&) = delete;
  StepResults& operator=(const StepResults&) = delete;

  /// Device memory into which a batch writes its results.
  Tensor loss() const { return all_.slice(0, 1); }
  Tensor norm_and_factor() const { return all_.slice(1, 3); }
  Tensor predictions() const { return all_.slice(3, all_.count()); }

  /// Starts fetching the results of `batch`; at most kSlots may be pending.
  void fetch(const std::vector<Pair>& batch);
  std::size_t pending() const { return pending_.size(); }
  /// Waits for the oldest pending result and returns it.
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

/// Inputs of steps on the device.
struct StepData {
  /// Of settings it reads the batch size and whether pairs have weights. pairs: those whose DNA is
  /// read repeatedly; reserve_bytes: as for the feeds (model/dna_feed.h).
  StepData(const CdtConfig& config, const Dataset& data, Backend& backend, Arena& lasting,
           const TrainSettings& settings, const std::vector<Pair>& pairs = {},
           std::size_t reserve_bytes = 0);

  /// Starts to read the DNA of a batch; call take_dna() before the next.
  void start_dna(const std::vector<Pair>& batch);
  /// Returns the windows of the batch's enhancers, DnaFeed::take(); those of its genes, if the
  /// model reads them, are then in gene_dna().
  Tensor take_dna();
  /// (B, L, dna_dim), always at the same address; empty without gene windows.
  Tensor gene_dna() const { return gene_feed ? gene_feed->memory() : Tensor(); }

  RnaInput rna;
  Tensor protein;  // (1, G, protein_dim)
  GenePlaces places;
  Tensor genes;    // (B), int32
  Tensor targets;  // (B)
  Tensor weights;  // (B), of the loss; empty if all are 1
  DnaFeed feed;
  std::optional<DnaFeed> gene_feed;  // with gene windows
  std::int64_t first_sample = 0;     // number of sample 0 in the batch of all processes
};

/// Adds the gradients of dna (B, L, dna_dim), one of settings.accumulate batches of an optimiser
/// step, to those of the parameters; afterwards `results` holds predictions and loss. Dropout masks
/// depend on (settings.seed, draw) and on the numbers of the samples (data.first_sample).
void add_gradients(const TrainSettings& settings, std::uint32_t draw, const Tensor& dna,
                   const StepData& data, Cdt& model, Tape& tape, const StepResults& results);

/// Clips the gradients and updates the weights; afterwards `results` also holds the norm.
void update_weights(const TrainSettings& settings, Backend& backend, AdamW& optimiser,
                    const StepResults& results);

/// Runs all kernels of an optimiser step on one batch, from zeroed gradients to updated weights.
void training_step(const TrainSettings& settings, std::uint32_t step, const Tensor& dna,
                   const StepData& data, Cdt& model, Tape& tape, AdamW& optimiser,
                   const StepResults& results);

}  // namespace cdt
