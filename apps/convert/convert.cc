// cdt-convert: converts a checkpoint from PyTorch's form to safetensors and back, with or without
// the optimiser.
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "apps/common/cli.h"
#include "apps/common/optimiser_file.h"
#include "apps/common/output_folder.h"
#include "apps/common/program.h"
#include "apps/common/provenance.h"
#include "apps/common/torch_checkpoint.h"
#include "apps/programs.h"
#include "engine/backend.h"
#include "engine/error.h"
#include "io/format/file.h"
#include "io/format/output.h"
#include "io/format/tensor_file.h"
#include "io/format/text.h"
#include "model/checkpoint.h"
#include "model/fingerprint.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

struct ConvertOptions {
  CommonOptions common;  // config, out, overwrite, quiet
  fs::path in;
  ModelOverrides overrides;
};

bool parse_options(int argc, char** argv, ConvertOptions* options) {
  Cli cli("cdt-convert",
          "Converts a checkpoint: IN is a .safetensors file, a file of torch.save, or a folder of "
          "model.safetensors and state.safetensors, such as RUN/last. OUT is a .safetensors file "
          "(the model), a .pt file (the model, and the optimiser if IN has one), or a folder (both "
          "as safetensors).");
  cli.positional("IN", &options->in, "checkpoint to convert");
  cli.positional("OUT", &options->common.out, "converted checkpoint to write");
  cli.flag("overwrite", &options->common.overwrite, "replace the output of an earlier run in OUT");
  cli.number("heads", &options->overrides.heads, 1, 4096,
             "attention heads, if the model file does not record them; default 8");
  cli.number("pool-heads", &options->overrides.pool_heads, 1, 4096,
             "pooling heads, if the model file does not record them; default 4");
  cli.common(&options->common, {"quiet"});
  return cli.parse(argc, argv);
}

enum class Form { kSafetensors, kTorch, kFolder };

Form form_of(const fs::path& out) {
  const std::string extension = out.extension().string();
  if (extension == ".safetensors") return Form::kSafetensors;
  if (extension == ".pt" || extension == ".pth") return Form::kTorch;
  std::error_code error;
  if (extension.empty() || fs::is_directory(out, error)) return Form::kFolder;
  throw InputError(out.string(), "OUT",
                   expected_got("its name does not say what to write",
                                ".safetensors, .pt, .pth or a folder", extension));
}

/// A checkpoint in host memory; the moments of its optimiser stay in the file.
class Checkpoint {
 public:
  Checkpoint(const fs::path& in, const ModelOverrides& overrides) {
    std::error_code error;
    const bool folder = fs::is_directory(in, error);
    model_file = folder ? in / "model.safetensors" : in;
    if (folder && !is_there(in / "state.safetensors")) {
      throw InputError(in.string(), "state.safetensors",
                       "is missing; a run keeps it, beside the model, in its folder last/");
    }
    const std::unique_ptr<TensorFile> reader = open_tensor_file(model_file);
    const CdtConfig config = read_model_config(*reader, overrides);
    // Not load_model(): the weights stay in the unit that the metadata record.
    model_ = std::make_unique<Cdt>(config, *backend_, lasting_, false);
    digest_ = read_parameters(*reader, *model_);
    if (is_checkpoint(*reader)) recorded_ = reader->metadata();
    if (folder) {
      state_file = in / "state.safetensors";
    } else if (holds_torch_optimiser(in)) {
      state_file = in;
    }
    if (state_file.empty()) return;
    optimiser_ = open_optimiser(state_file);
    optimiser_->expect_model(model_->parameters().size(), digest_);
  }

  fs::path model_file, state_file;
  const OptimiserFile* optimiser() const { return optimiser_.get(); }
  const Cdt& model() const { return *model_; }

  void write_safetensors(const fs::path& file) const {
    save_model(file, *model_, *backend_, recorded_);
  }
  void write_torch(const fs::path& file) const {
    write_torch_checkpoint(file, {model_->parameters(),
                                  [this](const Parameter& parameter, float* out) {
                                    stop_if_interrupted();
                                    backend_->download(out, parameter.variable.value);
                                  },
                                  checkpoint_metadata(*model_, recorded_), optimiser_.get()});
  }
  /// Writes all files or none: anything wrong shows before the first file gets its name. The state,
  /// which identifies the folder's content, is removed first and comes last.
  void write_folder(const fs::path& folder, const CommonOptions& options) const {
    AtomicFile state(folder / "state.safetensors");
    write_optimiser(state, model_->parameters(), *optimiser_, digest_);
    state.flush_to_disk();
    AtomicFile provenance(folder / kProvenanceFile);
    Fingerprint fingerprint{.model = digest_, .data = ""};
    name_extensions(model_->config(), &fingerprint);
    provenance.write(provenance_text(options, fingerprint, backend_.get()));
    provenance.flush_to_disk();
    AtomicFile model(folder / "model.safetensors");
    save_model(model, *model_, *backend_, recorded_);
    model.flush_to_disk();
    remove_for_good(state.target());
    model.commit();
    provenance.commit();
    state.commit();
  }

 private:
  std::unique_ptr<Backend> backend_ = make_cpu_backend(1);
  Arena lasting_{*backend_, "lasting"};
  std::unique_ptr<Cdt> model_;
  std::string digest_;                           // of the model's weights
  std::map<std::string, std::string> recorded_;  // what else the model file records
  std::unique_ptr<OptimiserFile> optimiser_;
};

void say_what_was_written(const ConvertOptions& options, const Checkpoint& checkpoint,
                          bool with_optimiser) {
  const Cdt& model = checkpoint.model();
  std::cout << "model\t" << number_of(std::ssize(model.parameters()), "tensor") << ", "
            << format_with_commas(model.parameter_count()) << " parameters\n";
  if (with_optimiser) {
    const OptimiserNumbers& numbers = checkpoint.optimiser()->numbers();
    std::cout << "optimiser\tafter " << number_of(numbers.steps, "step") << ", learning rate "
              << format_number(numbers.schedule.lr) << '\n';
  }
  std::cout << "written\t" << path_text(options.common.out) << '\n';
}

/// Throws InputError if the optimiser's updates depend on settings that would be lost.
void expect_plain(const fs::path& in, const OptimiserFile& optimiser) {
  const std::vector<std::string> settings = optimiser.numbers().run_settings();
  if (settings.empty()) return;
  throw InputError(in.string(), "optimiser",
                   "its updates depend on --" + joined(settings, ", --") +
                       " of the run, which only a run records; name OUT.safetensors for the model "
                       "alone");
}

void convert(const ConvertOptions& options) {
  const fs::path& out = options.common.out;
  const Form form = form_of(out);
  const Checkpoint checkpoint(options.in, options.overrides);
  Inputs inputs;
  inputs.add_file("IN", checkpoint.model_file);
  inputs.add_file("IN", checkpoint.state_file);
  const auto bytes =
      static_cast<std::uint64_t>(checkpoint.model().parameter_count()) * sizeof(float);
  const bool has_optimiser = checkpoint.optimiser() != nullptr;
  if (has_optimiser && form != Form::kSafetensors) {
    expect_plain(options.in, *checkpoint.optimiser());
  }
  switch (form) {
    case Form::kFolder: {
      if (!has_optimiser) {
        throw InputError(options.in.string(), "optimiser",
                         "there is none in it; name OUT.safetensors for the model alone");
      }
      const OutputFolder folder(kConvertedOutput, options.common, inputs);
      require_free_space(folder.path(), 3 * bytes);
      checkpoint.write_folder(folder.path(), options.common);
      break;
    }
    case Form::kTorch: {
      const OutputFile file("a checkpoint of cdt-convert", "cdt_metadata", options.common, inputs);
      require_free_space(file.folder(), (has_optimiser ? 3 : 1) * bytes);
      checkpoint.write_torch(out);
      break;
    }
    case Form::kSafetensors: {
      const OutputFile file("a checkpoint", "cdt-checkpoint", options.common, inputs);
      require_free_space(file.folder(), bytes);
      if (has_optimiser) {
        note("the optimiser is left out; a .pt file or a folder can hold it");
      }
      checkpoint.write_safetensors(out);
      break;
    }
  }
  say_what_was_written(options, checkpoint, has_optimiser && form != Form::kSafetensors);
}

}  // namespace

int convert_main(int argc, char** argv) {
  ConvertOptions options;
  if (!parse_options(argc, argv, &options)) return kExitDone;
  catch_interrupts("cdt-convert");
  convert(options);
  return kExitDone;
}

}  // namespace cdt
