#include "apps/evaluation/pass_tasks.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/error.h"

namespace cdt {

Rounds rounds_of(const CdtConfig& config, const Dataset& data, const std::vector<Context>& contexts,
                 bool controls) {
  Rounds out{controls, config.gene_position, data.samples_count() > 1, 0};
  const bool by_context = out.by_place || out.by_sample;
  if (controls && by_context && distinct_enhancers(contexts).size() > 1) {
    out.placed_draws = kPlacedDraws;
  }
  return out;
}

std::vector<PassTask> tasks_of(const Rounds& rounds, const std::vector<Context>& contexts,
                               std::size_t batch) {
  const std::vector<ContextBatch> batches = context_batches(contexts, batch);
  std::vector<PassTask> out;
  for (std::int32_t round = 0; round < rounds.count(); ++round) {
    if (round != kMeanRound) {
      for (const ContextBatch& contexts_of : batches) out.push_back({round, contexts_of});
      continue;
    }
    for (std::size_t i = 0; i < contexts.size(); ++i) {
      const bool is_new = i == 0 || rounds.by_place ||
                          (rounds.by_sample && contexts[i].sample != contexts[i - 1].sample);
      if (is_new) out.push_back({round, {i, i + 1}});
    }
  }
  return out;
}

PassTables::PassTables(const Rounds& rounds, const std::vector<Context>& contexts,
                       std::int64_t genes)
    : genes_(static_cast<std::size_t>(genes)) {
  for (std::int32_t round = 0; round < rounds.count(); ++round) {
    tables_.emplace_back(contexts, genes);
    has_row_.emplace_back(contexts.size(), false);
  }
}

void PassTables::add(const PassTask& task, std::span<const float> rows) {
  const auto round = static_cast<std::size_t>(task.round);
  const auto [begin, end] = task.contexts;
  CDT_CHECK(round < tables_.size() && begin <= end && end <= has_row_[round].size(),
            "a task of these tables");
  CDT_CHECK(rows.size() == task.contexts.size() * genes_, "a prediction of every gene");
  for (std::size_t i = begin; i < end; ++i) {
    CDT_CHECK(!has_row_[round][i], "a row of predictions is there once");
    has_row_[round][i] = true;
    std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>((i - begin) * genes_), genes_,
                tables_[round].row(i));
  }
}

void PassTables::expect_complete(std::size_t round) {
  const std::vector<bool>& has = has_row_[round];
  CDT_CHECK(std::find(has.begin(), has.end(), false) == has.end(), "no row is missing");
}

void PassTables::repeat_mean_rows() {
  std::vector<bool>& has = has_row_[kMeanRound];
  for (std::size_t i = 1; i < has.size(); ++i) {
    if (has[i]) continue;
    std::copy_n(tables_[kMeanRound].row(i - 1), genes_, tables_[kMeanRound].row(i));
    has[i] = true;
  }
}

ControlPasses PassTables::take() {
  CDT_CHECK(tables_.size() > kPlacedRound, "the passes had controls");
  repeat_mean_rows();
  for (std::size_t round = 0; round < tables_.size(); ++round) expect_complete(round);
  return {std::move(tables_[kRealRound]),
          std::move(tables_.back()),
          std::move(tables_[kMeanRound]),
          {std::make_move_iterator(tables_.begin() + kPlacedRound),
           std::make_move_iterator(tables_.end() - 1)}};
}

PredictionTable PassTables::take_plain() {
  expect_complete(kRealRound);
  return std::move(tables_[kRealRound]);
}

}  // namespace cdt
