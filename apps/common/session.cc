#include "apps/common/session.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "apps/common/output_folder.h"
#include "apps/common/precision.h"
#include "engine/backend.h"
#include "engine/error.h"
#include "io/dataset/folds.h"
#include "io/format/text.h"
#include "model/inputs.h"

namespace cdt {
namespace {

constexpr const char* kWhere = "command line";
constexpr int kCpu = -1;
constexpr std::int64_t kMaxGpu = 1023;

/// kCpu, or the index of a GPU.
int device_number(const std::string& device) {
  if (device == "cpu") return kCpu;
  if (device == "auto") return cuda_available() ? 0 : kCpu;
  std::int64_t number = 0;
  const bool numbered = device.rfind("cuda:", 0) == 0 && parse_int64(device.substr(5), &number) &&
                        number >= 0 && number <= kMaxGpu;
  if (device != "cuda" && !numbered) {
    throw InputError(kWhere, "--device",
                     expected_got("no such device", "auto, cpu, cuda or cuda:N", device));
  }
  if (number == 0 && !cuda_available()) {
    throw InputError(kWhere, "--device", expected_got(cuda_problem(), "auto or cpu", device));
  }
  return static_cast<int>(number);
}

/// Choice named by a word that the command line has accepted.
AttentionChoice attention_named(const std::string& name) {
  if (name == "own") return AttentionChoice::kOwn;
  return name == "cudnn" ? AttentionChoice::kCudnn : AttentionChoice::kAuto;
}

/// Throws InputError if no run with these options can use --attention cudnn.
void check_attention(const CommonOptions& options, int device) {
  if (options.attention != "cudnn") return;
  std::string why;
  if (device == kCpu) {
    why = "the CPU has none of cuDNN's";
  } else if (!cudnn_built()) {
    why = "this build has no cuDNN";
  } else if (options.precision != "bf16") {
    why = "cuDNN's is not in " + options.precision + " but in bf16 only";
  }
  if (why.empty()) return;
  throw InputError(kWhere, "--attention", expected_got(why, "auto or own", options.attention));
}

std::unique_ptr<Backend> open_device(const CommonOptions& options) {
  const int device = device_number(options.device);
  check_attention(options, device);
  if (device != kCpu) {
    return make_cuda_backend({.device = device,
                              .precision = precision_named(options.precision),
                              .graphs = !options.no_graph,
                              .attention = attention_named(options.attention)});
  }
  if (options.no_graph) {
    throw InputError(kWhere, "--no-graph", "changes nothing on the CPU: it needs a GPU");
  }
  if (options.precision != "fp32") {
    throw InputError(kWhere, "--precision",
                     expected_got("the CPU computes in fp32 only", "fp32", options.precision));
  }
  return make_cpu_backend(static_cast<int>(options.threads));
}

/// Opens the data set and fits it to the model. *tables and *digest are set to its digests before
/// that; the latter is "" without DNA.
Dataset open_dataset_for(const CommonOptions& options, Dna dna, const TensorFile& reader,
                         const CdtConfig& config, const ModelOverrides& choice, std::string* tables,
                         std::string* digest) {
  Dataset data = dna == Dna::kNeeded ? open_data(options) : Dataset(options.data, dna);
  *tables = digest_of_tables(data);
  *digest = data.has_dna() ? digest_of_data(data) : "";
  use_pairs(pair_use(reader, choice, data), &data);
  fit_to_model(reader, config, choice, &data);
  check_gene_inputs(config, data);
  return data;
}

}  // namespace

std::unique_ptr<Backend> open_backend(const CommonOptions& options) {
  std::unique_ptr<Backend> device = open_device(options);
  return options.profile ? make_profiling_backend(std::move(device)) : std::move(device);
}

std::string digest_of_model(const TensorFile& file, const CdtConfig& config) {
  const std::unique_ptr<Backend> cpu = make_cpu_backend(1);
  const std::unique_ptr<Backend> shapes = make_shape_backend(*cpu);
  Arena lasting(*shapes, "lasting");
  return stored_weights_digest(file, Cdt(config, *shapes, lasting, false));
}

Dataset open_data(const CommonOptions& options) {
  constexpr double kGigabyte = 1e9;
  const std::filesystem::path& cache = options.cache;
  if (cache.empty() && options.cache_size > 0) {
    throw InputError(kWhere, "--cache-size", "changes nothing here: it needs --cache");
  }
  Dataset data(options.data);
  if (cache.empty()) return data;
  if (is_within(cache, options.data)) {
    throw InputError(cache.string(), "--cache", "is in the data set; name another folder");
  }
  if (!options.out.empty() && is_within(cache, options.out)) {
    throw InputError(cache.string(), "--cache", "is in --out; name another folder");
  }
  data.cache_dna({cache, static_cast<std::uint64_t>(std::ceil(options.cache_size * kGigabyte))});
  return data;
}

Tensor upload_genes(Backend& backend, Arena& lasting, const std::vector<float>& values,
                    std::int64_t genes, std::int64_t width) {
  const Tensor out = lasting.tensor({1, genes, width});
  backend.upload(out, values.data());
  return out;
}

void add_fit_options(Cli* cli, ModelOverrides* overrides) {
  cli->flag("match-genes", &overrides->match_genes,
            "reorder the data set's genes by name to match the model; others are left out");
  cli->flag("other-inputs", &overrides->other_inputs,
            "accept other bins, assembly or embeddings than the model was trained with");
}

void add_model_options(Cli* cli, ModelOverrides* overrides) {
  cli->number("heads", &overrides->heads, 1, 4096,
              "attention heads, if the model file does not record them; default 8");
  cli->number("pool-heads", &overrides->pool_heads, 1, 4096,
              "pooling heads, if the model file does not record them; default 4");
  cli->number("fold", &overrides->fold, 1, kMostFolds,
              "fold of the data set that is test; default the one that the model was trained for");
  add_fit_options(cli, overrides);
}

Split split_named(const std::string& name) {
  for (const Split split : kSplits) {
    if (name == split_name(split)) return split;
  }
  throw Error("no split named " + name);
}

Inference::Inference(const CommonOptions& options, const ModelOverrides& overrides)
    : backend(open_backend(options)),
      file(open_tensor_file(options.model)),
      config(read_model_config(*file, overrides)),
      data(open_dataset_for(options, Dna::kNeeded, *file, config, overrides, &tables,
                            &fingerprint.data)),
      lasting(*backend, "lasting"),
      step(*backend, "step"),
      scratch(*backend, "scratch"),
      model(load_model(*file, config, *backend, lasting, &fingerprint.model)),
      tape(*backend, step, scratch),
      rna(upload_genes(*backend, lasting, data.rna_of(0), data.genes_count(), data.rna_dim)),
      protein(upload_genes(*backend, lasting, data.protein, data.genes_count(), data.protein_dim)) {
  tape.eval();
  name_extensions(config, &fingerprint);
  if (!read_output_units(*file).ranks) return;
  note(options.model.string() + ": " + kRanksMeaning);
}

ModelAndData::ModelAndData(const CommonOptions& options, const ModelOverrides& overrides)
    : file(open_tensor_file(options.model)),
      config(read_model_config(*file, overrides)),
      data(open_dataset_for(options, Dna::kMayBeMissing, *file, config, overrides, &tables,
                            &fingerprint.data)) {
  fingerprint.model = digest_of_model(*file, config);
  name_extensions(config, &fingerprint);
}

}  // namespace cdt
