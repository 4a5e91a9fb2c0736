#include "apps/common/inference.h"

#include <algorithm>
#include <utility>

#include "apps/common/model_inputs.h"
#include "apps/common/session.h"
#include "engine/error.h"
#include "io/safetensors.h"

namespace cdt {
namespace {

constexpr std::size_t kSlack = std::size_t{1} << 20U;  // rounding to 128 bytes, small tensors

std::size_t floats_to_bytes(std::int64_t floats) {
  return static_cast<std::size_t>(floats) * sizeof(float) + kSlack;
}

/// Model, gradient map, trunks and the inputs.
std::size_t lasting_bytes(const CdtConfig& c, std::int64_t bins, std::int64_t batch) {
  const std::int64_t trunks = 4 * c.genes * c.hidden + c.hidden * c.hidden;
  // DNA: a batch, and the buffers of DnaFeed
  const std::int64_t inputs =
      4 * batch * bins * c.dna_dim + c.genes * (c.rna_dim + c.protein_dim) + batch * c.genes;
  return 2 * model_bytes(c, false) + floats_to_bytes(trunks + inputs);
}

/// The widest temporaries of an op: inner feed-forward rows, tiles of attention scores.
std::size_t scratch_bytes(const CdtConfig& c, std::int64_t bins, std::int64_t batch) {
  const std::int64_t rows = batch * (bins + c.genes);
  return floats_to_bytes(4 * rows * (c.feed_forward + 4 * c.hidden) +
                         4 * batch * c.heads * (bins + c.genes) * 1024 + bins * c.dna_dim);
}

std::size_t map_bytes(const CdtConfig& c, std::int64_t bins, MapSpace maps) {
  if (maps == MapSpace::kNone) return 0;
  const std::int64_t one_head = bins * std::max(bins, c.genes);
  std::int64_t elements = c.dna_layers * bins * bins;
  if (maps == MapSpace::kAll) {
    elements += c.genes * bins + c.genes * c.genes * (1 + c.rna_layers + c.protein_layers);
  }
  return floats_to_bytes(c.heads * elements + one_head);
}

Tensor upload(Backend& backend, Arena& arena, const Shape& shape, const std::vector<float>& host) {
  const Tensor t = arena.tensor(shape);
  backend.upload(t, host.data());
  return t;
}

std::unique_ptr<Cdt> read_model(const std::filesystem::path& file, const CdtConfig& config,
                                Backend& backend, Arena& lasting) {
  auto model = std::make_unique<Cdt>(config, backend, lasting, false);
  read_parameters(SafetensorsReader(file), *model);
  return model;
}

}  // namespace

std::size_t inference_step_bytes(const CdtConfig& c, std::int64_t bins, std::int64_t batch) {
  const std::int64_t dna = batch * bins * (c.dna_layers + 2);
  const std::int64_t others = batch * c.genes * 4 + c.genes * (c.rna_layers + c.protein_layers + 4);
  const std::int64_t per_token = 2 * (12 * c.hidden + 3 * c.feed_forward + 4 * c.heads);
  const std::int64_t head = batch * 16 * (c.genes + c.fusion + 4 * c.hidden);
  return floats_to_bytes((dna + others) * per_token + head);
}

void add_fit_options(Cli* cli, ModelOverrides* overrides) {
  cli->flag("match-genes", &overrides->match_genes,
            "bring the data set's genes into the model's order by name; others are left out");
  cli->flag("other-inputs", &overrides->other_inputs,
            "go on where bins, assembly or embeddings are not those the model was trained beside");
}

void add_model_options(Cli* cli, ModelOverrides* overrides) {
  cli->option("heads", &overrides->heads, "attention heads, if the model file does not say");
  cli->range("heads", 1, 4096);
  cli->option("pool-heads", &overrides->pool_heads,
              "heads of the pooling, if the model file does not say");
  cli->range("pool-heads", 1, 4096);
  add_fit_options(cli, overrides);
}

Split split_named(const std::string& name) {
  for (const Split split : {Split::kTrain, Split::kVal, Split::kTest}) {
    if (name == split_name(split)) return split;
  }
  throw Error("no split named " + name);
}

Inference::Inference(const CommonOptions& options, const ModelOverrides& overrides,
                     std::int64_t batch, MapSpace maps)
    : backend(open_backend(options)),
      config(read_model_config(SafetensorsReader(options.model), overrides)),
      data(open_dataset_for(options.data, SafetensorsReader(options.model), config, overrides)),
      lasting(*backend, "lasting", lasting_bytes(config, data.bins, batch)),
      step(*backend, "step",
           inference_step_bytes(config, data.bins, batch) + map_bytes(config, data.bins, maps)),
      scratch(*backend, "scratch", scratch_bytes(config, data.bins, batch)),
      model(read_model(options.model, config, *backend, lasting)),
      tape(*backend, step, scratch),
      rna(upload(*backend, lasting, {1, data.genes_count(), data.rna_dim}, data.rna)),
      protein(upload(*backend, lasting, {1, data.genes_count(), data.protein_dim}, data.protein)) {
  tape.eval();
}

}  // namespace cdt
