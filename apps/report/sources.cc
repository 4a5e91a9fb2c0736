#include "apps/report/sources.h"

#include <memory>

#include "engine/arena.h"
#include "engine/backend.h"
#include "engine/error.h"
#include "io/format/safetensors.h"
#include "io/format/text.h"

namespace cdt {
namespace {

std::string digest_of_model(const std::filesystem::path& file, const ModelOverrides& overrides) {
  const SafetensorsReader reader(file);
  const std::unique_ptr<Backend> cpu = make_cpu_backend(1);
  const std::unique_ptr<Backend> shapes = make_shape_backend(*cpu);
  Arena lasting(*shapes, "lasting");
  return stored_weights_digest(reader,
                               Cdt(read_model_config(reader, overrides), *shapes, lasting, false));
}

}  // namespace

PageSource::PageSource(const RunRecord& record, const Dataset& of, const ModelOverrides& overrides)
    : run(record.directory), data(of), fingerprint{"", digest_of_data(of)} {
  if (!record.has_model) return;
  fingerprint.model = digest_of_model(run / "model.safetensors", overrides);
}

void PageSource::expect(const std::filesystem::path& folder, const std::string& output,
                        const Fingerprint& of) const {
  if (!fingerprint.model.empty() && of.model != fingerprint.model) {
    throw InputError(path_text(folder), "model",
                     expected_got(output + " was made with another model than the run " +
                                      path_text(run) + " has",
                                  fingerprint.model, of.model));
  }
  if (of.data != fingerprint.data) {
    throw InputError(
        path_text(folder), "data",
        expected_got(output + " was made from another data set than " + path_text(data.directory),
                     fingerprint.data, of.data));
  }
}

}  // namespace cdt
