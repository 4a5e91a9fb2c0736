#include "apps/common/inference.h"

#include "apps/common/session.h"
#include "engine/error.h"
#include "model/inputs.h"

namespace cdt {
namespace {

Tensor upload(Backend& backend, Arena& arena, const Shape& shape, const std::vector<float>& host) {
  const Tensor t = arena.tensor(shape);
  backend.upload(t, host.data());
  return t;
}

}  // namespace

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

Inference::Inference(const CommonOptions& options, const ModelOverrides& overrides)
    : backend(open_backend(options)),
      file(options.model),
      config(read_model_config(file, overrides)),
      data(open_dataset_for(options.data, file, config, overrides)),
      lasting(*backend, "lasting"),
      step(*backend, "step"),
      scratch(*backend, "scratch"),
      model(load_model(file, config, *backend, lasting)),
      tape(*backend, step, scratch),
      rna(upload(*backend, lasting, {1, data.genes_count(), data.rna_dim}, data.rna)),
      protein(upload(*backend, lasting, {1, data.genes_count(), data.protein_dim}, data.protein)) {
  tape.eval();
}

}  // namespace cdt
