// What the ranks of a data-parallel run (engine/ranks) do together around the steps: they compare
// what they are about to compute, fail with one message, and put the results of their parts of a
// batch together.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "apps/common/cli.h"
#include "apps/train/dna_check.h"
#include "apps/train/step.h"
#include "engine/ranks/communicator.h"

namespace cdt {

/// Joins the ranks that a launcher started; without one the run is a single process. Ranks above 0
/// print no messages from then on, and share the cores or GPUs of their host: `options` gets their
/// threads and device.
std::unique_ptr<Communicator> join_ranks(CommonOptions* options);

/// Runs `work` on every rank. If it throws on any, rank 0 throws the error of the first of them and
/// all others RankEnded.
void together(Communicator& ranks, const std::function<void()>& work);

/// Throws InputError on every rank unless all pass equal facts: an object, of whose values the
/// error names the first that differs from that of rank 0, and the rank. Call within together().
void expect_equal(Communicator& ranks, const nlohmann::json& facts);

/// Ends the run on all ranks, after rank 0 has written what it keeps: rank 0 throws Error(message).
[[noreturn]] void end_together(Communicator& ranks, const std::string& message);

/// The rank's share of the pass over all DNA.
DnaShare share_of_dna(Communicator& ranks);

/// The samples of a batch of `batch` that a rank computes. Throws InputError unless every rank
/// gets as many.
BatchPart part_of_batch(const Communicator& ranks, std::int64_t batch);

/// What one rank knows about a batch that has been computed.
struct PartResult {
  bool interrupted = false;  // a signal to end has reached the rank
  bool save = false;         // it is time to save, or the rank was asked to
  StepResult result;
};
/// Returns the result of the whole batch; interrupted, save: any rank was, or wants to. The loss is
/// the mean over the ranks, the norm is the same on all.
PartResult whole_batch(Communicator& ranks, PartResult part);

}  // namespace cdt
