// The Central Dogma Transformer: DNA, RNA and protein embeddings in, one predicted effect per gene
// out. Sections and equations refer to Ota, "Central Dogma Transformer"; docs/paper-vs-code.md says
// where the released code differs from the text. Dimensions as in engine/tensor.h.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "engine/tape.h"
#include "model/parameters.h"

namespace cdt {

/// The core of one attention: out (1|B, Nq, D) = A V by head, the values V being the D columns of
/// `source` from value_column on. The gradient of the map A is that of out times V^T.
struct AttentionCore {
  Var out = nullptr;
  Var source = nullptr;  // (1|B, Nk, 2D or 3D)
  std::int64_t value_column = 0;
};

/// Receives intermediates by name ("dna_projector", "dna_self_attn_layers.0", ..., "vce",
/// "task_layer") and attention maps ("dna_to_rna.attention", ...). For tests and attribution.
struct Recorder {
  std::map<std::string, Var> values;
  std::map<std::string, Tensor> attention;     // (B, H, Nq, Nk); pooling (B, H, N)
  bool want_attention = false;                 // all maps
  std::set<std::string> attention_of;          // or those of these modules ("vce.dna" for pooling)
  std::map<std::string, AttentionCore> cores;  // by module; their outputs keep their gradients
  bool want_cores = false;
};

/// The part of a forward pass that does not depend on DNA in eval mode: RNA and protein after their
/// self-attention, and the queries of both cross-attentions. Constants of a checkpoint.
struct Trunks {
  Tensor rna;              // (1, G, D)
  Tensor protein;          // (1, G, D)
  Tensor rna_queries;      // (1, G, D) of dna_to_rna
  Tensor protein_queries;  // (1, G, D) of rna_to_protein
};

/// What pooling leaves of each modality, (B, D) each: the inputs of the head.
struct Pooled {
  Var dna = nullptr, rna = nullptr, protein = nullptr;
};

/// One forward pass: where it runs, what it starts from, who listens. The tape says whether it
/// trains (dropout) or evaluates.
struct ForwardPass {
  Tape& tape;
  Var dna = nullptr;                     // (B, L, dna_dim); or in its place
  Var dna_linear = nullptr;              // (B, L, D): Cdt::project_dna() of it
  Var rna = nullptr, protein = nullptr;  // (1, G, rna_dim), (1, G, protein_dim); or in their place
  const Trunks* trunks = nullptr;        // in eval mode
  Recorder* recorder = nullptr;
  // Backward passes are recorded: each must ask for the same kernels as the first.
  bool replayed = false;
};

class Cdt : public CdtParameters {
 public:
  using CdtParameters::CdtParameters;

  /// (B, G): the predicted effect on every gene.
  Var forward(const ForwardPass& pass) const;
  /// Its two halves: up to the pooled vectors, and from there, where of the pass only tape and
  /// recorder count. The recorder gets "task_layer.input" (B, D) too, in which predictions are
  /// linear.
  Pooled pool(const ForwardPass& pass) const;
  Var predict(const ForwardPass& pass, const Pooled& pooled) const;

  /// (B, L, D): the DNA input (B, L, dna_dim) after its linear map, before the norm. Attribution
  /// stops here and maps gradients to the input through the Gram matrix of the weight.
  Var project_dna(Tape& tape, Var input) const;
  /// Eval mode only. RNA (1, G, D) and protein (1, G, D) after self-attention, on the tape; the
  /// pass's DNA is not read.
  std::pair<Var, Var> run_trunks(const ForwardPass& pass) const;
  /// Eval mode only. The trunks of RNA (1, G, rna_dim) and protein (1, G, protein_dim) as tensors
  /// of `lasting`; the tape is empty afterwards.
  Trunks compute_trunks(Tape& tape, const Tensor& rna_input, const Tensor& protein_input,
                        Arena& lasting) const;
};

}  // namespace cdt
