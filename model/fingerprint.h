// Identifies the inputs of an output by digests: outputs of the same model and data set have equal
// ones, wherever their folders are.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "io/dataset/dataset.h"
#include "io/format/digest.h"
#include "model/config.h"

namespace cdt {

struct Fingerprint {
  std::string model;  // weights_digest() (model/checkpoint.h)
  std::string data;   // digest_of_data()
  // extensions_text() of the model (model/config.h), if it has any: other information than the
  // released model has.
  std::optional<std::string> extensions{};

  /// Whether the extensions name this one.
  bool has(std::string_view extension) const {
    return extensions && extensions->find(extension) != std::string::npos;
  }

  template <class V>
  void fields(V& v) {
    v("model", model);
    v("data", data);
    v("extensions", extensions);
  }
};

/// Returns a digest of a data set. DNA counts in full up to 256 MiB; beyond that, as evenly spaced
/// rows of 256 MiB in all, at least 16; the windows of genes and the RNA of samples, if there
/// are any, likewise. Everything else counts in full.
std::string digest_of_data(const Dataset& data);
/// Adds all RNA of a data set; with samples also their names.
void add_rna(const Dataset& data, Digest* digest);
/// Fills in the extensions of a model.
void name_extensions(const CdtConfig& config, Fingerprint* fingerprint);
/// Returns a digest of everything but DNA and the RNA of samples.
std::string digest_of_tables(const Dataset& data);

}  // namespace cdt
