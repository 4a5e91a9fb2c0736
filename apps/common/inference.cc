#include "apps/common/inference.h"

#include "apps/common/session.h"
#include "engine/error.h"
#include "io/safetensors.h"

namespace cdt {
namespace {

Tensor upload(Backend& backend, Arena& arena, const Shape& shape, const std::vector<float>& host) {
  const Tensor t = arena.tensor(shape);
  backend.upload(t, host.data());
  return t;
}

CdtConfig fitting_config(const CommonOptions& options, const ModelOverrides& overrides,
                         const Dataset& data) {
  const CdtConfig config = read_model_config(SafetensorsReader(options.model), overrides);
  check_model_fits(config, data, options.model);
  return config;
}

}  // namespace

void add_model_options(Cli* cli, ModelOverrides* overrides) {
  cli->option("heads", &overrides->heads, "attention heads, if the model file does not say");
  cli->range("heads", 1, 4096);
  cli->option("pool-heads", &overrides->pool_heads,
              "heads of the pooling, if the model file does not say");
  cli->range("pool-heads", 1, 4096);
}

Split split_named(const std::string& name) {
  for (const Split split : {Split::kTrain, Split::kVal, Split::kTest}) {
    if (name == split_name(split)) return split;
  }
  throw Error("no split named " + name);
}

Inference::Inference(const CommonOptions& options, const ModelOverrides& overrides)
    : backend(open_backend(options)),
      data(options.data),
      config(fitting_config(options, overrides, data)),
      lasting(*backend, "lasting"),
      step(*backend, "step"),
      scratch(*backend, "scratch"),
      model(load_model(options.model, *backend, lasting, false, overrides)),
      tape(*backend, step, scratch),
      rna(upload(*backend, lasting, {1, data.genes_count(), data.rna_dim}, data.rna)),
      protein(upload(*backend, lasting, {1, data.genes_count(), data.protein_dim}, data.protein)) {
  tape.eval();
}

}  // namespace cdt
