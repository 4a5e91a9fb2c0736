#include "apps/predict/shard.h"

#include <span>
#include <utility>

#include "apps/common/program.h"
#include "apps/common/progress.h"
#include "apps/predict/split_evaluation.h"
#include "engine/error.h"
#include "io/format/output.h"
#include "io/format/record.h"
#include "io/format/text.h"

namespace cdt {
namespace {

/// What a record holds: the result of one pass.
struct PassRecord {
  std::int32_t round = 0;
  std::uint64_t begin = 0, end = 0;  // contexts, counting those of the split
  std::vector<float> rows;           // (contexts, G)
};

template <class Archive, Either<PassRecord> T>
void list_parts(Archive& archive, T& record) {
  archive(record.round, record.begin, record.end, record.rows);
}

/// The tasks of a shard: those of its batches of contexts.
std::vector<PassTask> tasks_of_shard(const SplitPasses& passes, const ShardOptions& shard) {
  const std::vector<ContextBatch> batches = context_batches(passes.contexts, passes.batch);
  const Share share = share_of(shard, batches.size());
  std::vector<PassTask> out;
  if (share.size() == 0) return out;
  const std::size_t begin = batches[share.begin].begin, end = batches[share.end - 1].end;
  for (const PassTask& task : passes.tasks) {
    if (begin <= task.contexts.begin && task.contexts.begin < end) out.push_back(task);
  }
  return out;
}

/// Contexts of a shard, each counted once.
std::size_t count_contexts(const std::vector<PassTask>& tasks) {
  std::size_t out = 0;
  for (const PassTask& task : tasks) out += task.round == kRealRound ? task.contexts.size() : 0;
  return out;
}

std::string encoded(const PassTask& task, std::span<const float> rows) {
  const PassRecord record{
      task.round, task.contexts.begin, task.contexts.end, {rows.begin(), rows.end()}};
  RecordWriter writer;
  writer(record);
  return writer.take();
}

/// Adds the record of a task to the tables; throws InputError if it is of another task.
void add_record(std::string_view bytes, const std::string& source, const PassTask& task,
                std::size_t genes, PassTables* tables) {
  PassRecord record;
  RecordReader reader(bytes, source);
  reader(record);
  reader.expect_end();
  const bool fits = record.round == task.round && record.begin == task.contexts.begin &&
                    record.end == task.contexts.end &&
                    record.rows.size() == task.contexts.size() * genes;
  if (!fits) throw InputError(source, "record", "is not of the pass that follows");
  tables->add(task, record.rows);
}

}  // namespace

void predict_shard(const PredictOptions& options) {
  catch_interrupts("cdt-predict");
  const Inputs inputs = inputs_of(options);
  check_shard_folder(options.common, options.shard, inputs);
  Inference inference(options.common, options.overrides);
  const std::vector<Pair> pairs = pairs_to_predict(options, inference.data);
  const PredictSettings settings = options.passes();
  const SplitPasses passes(inference.config, inference.data, pairs, settings);
  const std::vector<PassTask> tasks = tasks_of_shard(passes, options.shard);
  const std::size_t contexts = count_contexts(tasks);
  const auto sources =
      ShardSources{options.common,
                   options.shard,
                   inference.fingerprint,
                   inference.tables,
                   {{"--replicate", options.replicate}, {"--genes", options.baselines.genes}}};
  const std::string content =
      std::to_string(contexts) + " of " +
      number_of(std::ssize(passes.contexts),
                inference.data.samples.empty() ? "enhancer" : "enhancer and sample");
  make_shard(sources, *inference.backend, inputs, content,
             [&](std::uint64_t done, const RecordSink& append) {
               if (done > tasks.size()) throw Error("more records than the shard has passes");
               const auto left = std::span(tasks).subspan(done);
               if (left.empty()) return;
               require_free_space(
                   options.common.out,
                   contexts * static_cast<std::uint64_t>(inference.config.genes) * sizeof(float));
               run_split_passes(inference, pairs, passes, left, settings,
                                [&](const PassTask& task, std::span<const float> rows) {
                                  append(encoded(task, rows));
                                });
             });
}

void merge_predictions(const ShardSet& shards, const CommonOptions& merge) {
  PredictOptions options = recorded_options(shards.options(), shards.source());
  options.common = merged_options(options.common, merge);
  Inputs inputs = inputs_of(options);
  shards.add_inputs(merge.out, &inputs);
  const OutputFolder out(kPredictionOutput, options.common, inputs);
  const ModelAndData opened(options.common, options.overrides);
  shards.expect_same_inputs(opened);
  const std::vector<Pair> pairs = pairs_to_predict(options, opened.data);
  const Fingerprint fingerprint = shards.fingerprint();
  SplitEvaluation evaluation(options, {*opened.file, opened.data, fingerprint}, pairs, out.path());
  shards.expect_same_truth(opened.data.directory);
  const PredictSettings settings = options.passes();
  const SplitPasses passes(opened.config, opened.data, pairs, settings);
  PassTables tables(passes.rounds, passes.contexts, opened.config.genes);
  const auto genes = static_cast<std::size_t>(opened.config.genes);
  Progress progress("merge", shards.count(), options.common.quiet);
  for (std::int64_t shard = 1; shard <= shards.count(); ++shard) {
    const std::vector<PassTask> tasks =
        tasks_of_shard(passes, {.index = shard, .count = shards.count()});
    std::size_t next = 0;
    shards.read(shard, tasks.size(), [&](std::string_view record, const std::string& source) {
      stop_if_interrupted();
      add_record(record, source, tasks[next++], genes, &tables);
    });
    progress.update(shard);
  }
  progress.finish();
  evaluation.finish(predicted_from(std::move(tables), opened.data, pairs, settings),
                    shards.provenance_text(options.common));
}

}  // namespace cdt
