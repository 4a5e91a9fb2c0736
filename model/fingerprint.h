// What an output was made of, as digests: outputs of one model and one data set have equal ones,
// wherever their folders lie.
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

/// Digest of everything in a data set but DNA, and of DNA: all of it up to 256 MiB, else rows of so
/// many bytes in all, 16 at least, spread evenly over it.
std::string digest_of_data(const Dataset& data);

}  // namespace cdt
