#include "apps/train/ranks.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <nlohmann/json.hpp>

#include "apps/common/program.h"
#include "engine/backend.h"
#include "engine/error.h"
#include "io/format/json.h"
#include "io/format/text.h"

namespace cdt {
namespace {

// First byte of what a rank says of its work: done, or the kind of error that follows.
constexpr char kDone = 'd', kMistake = 'm', kFailure = 'f', kSilent = 's';

/// The cores that this process may run on.
cpu_set_t cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  return set;
}

/// Threads for each of the ranks that may run on the same cores of a host; 0 if each rank has cores
/// of its own, or the environment says how many.
std::int64_t threads_of_rank(Communicator& ranks) {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  const cpu_set_t set = cores();
  std::string place(sizeof set, '\0');
  std::memcpy(place.data(), &set, sizeof set);
  place += host.data();
  const std::vector<std::string> places = ranks.gather(place);
  const std::int64_t sharing = std::count(places.begin(), places.end(), place);
  if (sharing <= 1 || std::getenv("OMP_NUM_THREADS") != nullptr) return 0;
  return std::max<std::int64_t>(1, CPU_COUNT(&set) / sharing);
}

std::string outcome_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const InputError& error) {
    return kMistake + std::string(error.what());
  } catch (const RankEnded&) {
    return {kSilent};
  } catch (const std::exception& error) {
    return kFailure + std::string(error.what());
  }
  return {kDone};
}

}  // namespace

std::unique_ptr<Communicator> join_ranks(CommonOptions* options) {
  if (launched_ranks() == 1) return make_lone_communicator();
  std::unique_ptr<Communicator> ranks = make_mpi_communicator();
  const std::int64_t threads = threads_of_rank(*ranks);
  if (options->threads == 0) options->threads = threads;
  if (options->device == "cuda" || (options->device == "auto" && cuda_available())) {
    options->device = "cuda:" + std::to_string(ranks->host_rank());
  }
  if (ranks->rank() > 0) {
    options->quiet = true;
    silence_notes();
  }
  return ranks;
}

void together(Communicator& ranks, const std::function<void()>& work) {
  if (ranks.size() == 1) return work();
  const std::vector<std::string> outcomes = ranks.gather(outcome_of(work));
  for (std::size_t r = 0; r < outcomes.size(); ++r) {
    const char kind = outcomes[r].front();
    if (kind == kDone || kind == kSilent) continue;
    ranks.leave();
    if (ranks.rank() > 0) throw RankEnded(kExitDone);
    const std::string message = outcomes[r].substr(1);
    const std::string said = r == 0 ? message : "rank " + std::to_string(r) + ": " + message;
    if (kind == kMistake) throw InputError(said);
    throw Error(said);
  }
}

void expect_equal(Communicator& ranks, const nlohmann::json& facts) {
  const std::vector<std::string> all = ranks.gather(facts.dump());
  for (std::size_t r = 1; r < all.size(); ++r) {
    if (all[r] == all[0]) continue;
    const nlohmann::json first = nlohmann::json::parse(all[0]);
    const nlohmann::json other = nlohmann::json::parse(all[r]);
    const nlohmann::json::json_pointer at(
        nlohmann::json::diff(first, other).front().at("path").get<std::string>());
    const auto text = [&at](const nlohmann::json& json) {
      return json.contains(at) ? dumped(json[at]) : std::string("nothing");
    };
    std::string field = at.to_string().substr(1);
    std::replace(field.begin(), field.end(), '/', '.');
    throw InputError("rank " + std::to_string(r), field,
                     expected_got("is not that of rank 0", text(first), text(other)));
  }
}

void end_together(Communicator& ranks, const std::string& message) {
  ranks.leave();
  if (ranks.rank() > 0) throw RankEnded(kExitDone);
  throw Error(message);
}

DnaShare share_of_dna(Communicator& ranks) {
  if (ranks.size() == 1) return {};
  using Words = std::vector<std::uint64_t>;
  return {ranks.rank(), ranks.size(), [&ranks](const Words& own) {
            constexpr std::size_t kWord = sizeof(std::uint64_t);
            std::string bytes(own.size() * kWord, '\0');
            if (!own.empty()) std::memcpy(bytes.data(), own.data(), bytes.size());
            std::string all;
            for (const std::string& rank : ranks.gather(bytes)) all += rank;
            Words out(all.size() / kWord);
            if (!out.empty()) std::memcpy(out.data(), all.data(), all.size());
            return out;
          }};
}

BatchPart part_of_batch(const Communicator& ranks, std::int64_t batch) {
  if (batch % ranks.size() != 0) {
    throw InputError("command line", "--batch-size",
                     expected_got("every rank must get as many samples",
                                  "a multiple of the " + std::to_string(ranks.size()) + " ranks",
                                  std::to_string(batch)));
  }
  return {batch / ranks.size() * ranks.rank(), ranks.size()};
}

PartResult whole_batch(Communicator& ranks, PartResult part) {
  if (ranks.size() == 1) return part;
  constexpr std::size_t kFacts = 3;  // before the predictions
  std::vector<float> mine = {part.interrupted ? 1.0F : 0.0F, part.save ? 1.0F : 0.0F,
                             part.result.loss};
  const std::vector<float>& predictions = part.result.predictions;
  mine.insert(mine.end(), predictions.begin(), predictions.end());
  PartResult out{false, false, {part.result.batch, 0, part.result.norm, {}}};
  double loss = 0.0;
  for (const std::vector<float>& rank : gather_floats(ranks, mine)) {
    out.interrupted = out.interrupted || rank[0] != 0.0F;
    out.save = out.save || rank[1] != 0.0F;
    loss += rank[2];
    out.result.predictions.insert(out.result.predictions.end(), rank.begin() + kFacts, rank.end());
  }
  out.result.loss = static_cast<float>(loss / ranks.size());
  return out;
}

}  // namespace cdt
