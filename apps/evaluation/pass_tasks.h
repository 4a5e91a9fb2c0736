// The passes of an evaluation with its controls as a list of tasks, so that they can be shared out,
// and the tables that their results fill (apps/evaluation/control_passes.h runs them).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "apps/common/predictions.h"
#include "io/dataset/dataset.h"
#include "model/config.h"

namespace cdt {

inline constexpr std::int64_t kPlacedDraws = 3;

// Rounds over all contexts, in the order in which they run: the model as it is; the same window for
// all; only with gene positions or samples, by draw, another enhancer's DNA with the places and RNA
// of the context; last, shuffled genes.
inline constexpr std::int32_t kRealRound = 0, kMeanRound = 1, kPlacedRound = 2;

/// Which rounds an evaluation needs.
struct Rounds {
  bool controls = false;          // else only the first round
  bool by_place = false;          // predictions depend on where genes are,
  bool by_sample = false;         // on the sample
  std::int64_t placed_draws = 0;  // kPlacedDraws, or 0

  std::int32_t count() const {
    return controls ? kPlacedRound + static_cast<std::int32_t>(placed_draws) + 1 : 1;
  }
  /// Number of the round with shuffled genes; no round without controls.
  std::int32_t shuffled_genes() const { return controls ? count() - 1 : -1; }
};
Rounds rounds_of(const CdtConfig& config, const Dataset& data, const std::vector<Context>& contexts,
                 bool controls);

/// One forward pass of a round.
struct PassTask {
  std::int32_t round = 0;
  ContextBatch contexts;  // indices of the contexts
};

/// All tasks, round by round. batch: contexts per pass. Of the round kMeanRound only rows that can
/// differ from the one before.
std::vector<PassTask> tasks_of(const Rounds& rounds, const std::vector<Context>& contexts,
                               std::size_t batch);

/// What the passes predict, by round.
struct ControlPasses {
  PredictionTable real;
  PredictionTable shuffled_genes;       // rows of RNA and of protein, each permuted at random
  PredictionTable mean_dna;             // the same window for all contexts
  std::vector<PredictionTable> placed;  // by draw: kPlacedRound
};

/// Tables that tasks fill in any order.
class PassTables {
 public:
  /// contexts: ascending and distinct; genes: G.
  PassTables(const Rounds& rounds, const std::vector<Context>& contexts, std::int64_t genes);

  /// Takes the rows (contexts, G) of a task; throws Error if the table had one of them already.
  void add(const PassTask& task, std::span<const float> rows);
  /// Moves the tables out, of which no row may be missing.
  ControlPasses take();
  /// Moves the table of the first round out.
  PredictionTable take_plain();

 private:
  void expect_complete(std::size_t round);
  void repeat_mean_rows();

  std::size_t genes_;
  std::vector<PredictionTable> tables_;     // by round
  std::vector<std::vector<bool>> has_row_;  // by round, then by context
};

}  // namespace cdt
