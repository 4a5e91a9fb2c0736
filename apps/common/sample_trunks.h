// The trunks of a model (model/cdt.h) for RNA that may differ between samples: those of one sample
// are held at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/arena.h"
#include "engine/tape.h"
#include "io/dataset/dataset.h"
#include "model/cdt.h"

namespace cdt {

/// Which gene's embeddings each gene gets; empty: its own.
struct GeneOrder {
  std::vector<std::size_t> rna, protein;
};

class SampleTrunks {
 public:
  /// Allocates in `constants`, now and in the first of().
  SampleTrunks(Cdt& model, Tape& tape, Arena& constants, const Dataset& data, GeneOrder rows = {});

  /// Whether samples have different RNA.
  bool by_sample() const { return data_.samples_count() > 1; }
  /// Returns the trunks of a sample, which it computes unless they are the last ones; always at the
  /// same addresses. Throws InputError if the sample's RNA has NaN or infinity.
  const Trunks& of(std::int32_t sample);

 private:
  void upload_rna(std::int32_t sample);

  Cdt& model_;
  Tape& tape_;
  Arena& constants_;
  const Dataset& data_;
  GeneOrder rows_;
  Tensor rna_, protein_;  // (1, G, rna_dim), (1, G, protein_dim)
  Trunks trunks_;
  std::int32_t current_ = -1;  // sample of trunks_
};

}  // namespace cdt
