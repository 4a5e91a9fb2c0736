// Identifies the inputs of an output by digests: outputs of the same model and data set have equal
// ones, wherever their folders are.
#pragma once

#include <string>

#include "io/dataset/dataset.h"

namespace cdt {

struct Fingerprint {
  std::string model;  // weights_digest() (model/checkpoint.h)
  std::string data;   // digest_of_data()

  template <class V>
  void fields(V& v) {
    v("model", model);
    v("data", data);
  }
};

/// Returns a digest of a data set. DNA counts in full up to 256 MiB; beyond that, as evenly spaced
/// rows of 256 MiB in all, at least 16; the windows of genes and the RNA of samples, if there
/// are any, likewise. Everything else counts in full.
std::string digest_of_data(const Dataset& data);
/// Returns a digest of everything but DNA and the RNA of samples.
std::string digest_of_tables(const Dataset& data);

}  // namespace cdt
