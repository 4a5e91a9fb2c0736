// The Central Dogma Transformer: from DNA, RNA and protein embeddings to one predicted effect per
// gene. Sections and equations refer to Ota, "Central Dogma Transformer"; docs/paper-vs-code.md
// says where the released code differs from the text. Dimensions as in engine/tensor.h.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/tape.h"
#include "model/parameters.h"

namespace cdt {

/// The module of traces in which genes read the windows at their starts. Its layers are
/// those of the DNA trunk and dna_to_rna, so it has no parameters of its own.
inline constexpr const char* kGeneWindowModule = "gene_window";

/// Output and values of one attention: per head, out (1|B, Nq, D) = A V, where the values V are the
/// D columns of `source` starting at value_column. The gradient of the map A is dout V^T.
struct AttentionCore {
  Var out = nullptr;
  Var source = nullptr;  // (1|B, Nk, 2D or 3D)
  std::int64_t value_column = 0;
};

/// Collects intermediates by name ("dna_projector", "dna_self_attn_layers.0", ..., "vce",
/// "task_layer") and attention maps ("dna_to_rna.attention", ...), for tests and attribution.
struct Recorder {
  std::map<std::string, Var> values;
  std::map<std::string, Tensor> attention;  // (B, H, Nq, Nk); pooling (B, H, N)
  bool want_attention = false;              // all maps
  std::set<std::string> attention_of;       // or only these modules' maps ("vce.dna" for pooling)
  std::map<std::string, AttentionCore> cores;  // per module; their outputs keep their gradients
  bool want_cores = false;
};

/// The part of a forward pass that in eval mode does not depend on DNA and so is constant for a
/// checkpoint and a sample of RNA: RNA and protein after their self-attention, and the queries of
/// both cross-attentions. With gene positions, RNA and its queries depend on the enhancer;
/// Cdt::place() makes them for a batch of enhancers.
struct Trunks {
  Tensor rna;                // (1, G, D); placed (B, G, D)
  Tensor protein;            // (1, G, D)
  Tensor rna_queries;        // (1, G, D), for dna_to_rna; placed (B, G, D)
  Tensor protein_queries;    // (1, G, D), for rna_to_protein
  Tensor gene_windows = {};  // (1, G, D), of Cdt::read_gene_windows(); empty without gene windows
  bool placed = false;

  /// Every tensor, for run_recorded().
  std::vector<Tensor> tensors() const {
    return {rna, protein, rna_queries, protein_queries, gene_windows};
  }
};

/// The inputs of the head: the pooled vectors of the modalities, (B, D) each, and the fused RNA and
/// protein tokens, (B, G, D) each, which only the gene readout reads. gene_windows: what genes read
/// from the DNA around their start, (1, G, D), or (B, D) for the genes of pairs; null without it.
struct Pooled {
  Var dna = nullptr, rna = nullptr, protein = nullptr;
  Var rna_tokens = nullptr, protein_tokens = nullptr;
  Var gene_windows = nullptr;
};

/// The arguments of one forward pass: the tape it runs on, its inputs, and an optional recorder.
/// The tape decides between training (dropout) and evaluation.
struct ForwardPass {
  Tape& tape;
  Var dna = nullptr;                     // (B, L, dna_dim); or instead:
  Var dna_linear = nullptr;              // (B, L, D), from Cdt::project_dna()
  Var rna = nullptr, protein = nullptr;  // (1|B, G, rna_dim), (1, G, protein_dim); or instead:
  const Trunks* trunks = nullptr;        // in eval mode
  // (1|B, G, kGeneFeatures), if the model has gene positions and the trunks are not given.
  Var gene_position = nullptr;
  // (B|G, L, dna_dim), likewise with gene windows: the windows of the pairs' genes, or of all
  // genes.
  Var gene_dna = nullptr;
  Recorder* recorder = nullptr;
  // Backward passes will be recorded and replayed, so each must launch the same kernels as the
  // first.
  bool replayed = false;
};

class Cdt : public CdtParameters {
 public:
  /// As CdtParameters().
  Cdt(const CdtConfig& config, Backend& backend, Arena& lasting, bool trainable);

  /// Returns (B, G): the predicted effect on every gene. With gene windows, all genes need trunks
  /// or a pass without dropout.
  Var forward(const ForwardPass& pass) const;
  /// Returns (B): the predicted effect on gene genes[b], int32 (B), of sample b. With the gene
  /// readout the head then reads only these genes' tokens.
  Var forward_pairs(const ForwardPass& pass, const Tensor& genes) const;
  /// The two halves of forward(): up to the pooled vectors, and from there to the predictions. Of
  /// `pass`, predict() uses only tape and recorder. With the column readout, the recorder also gets
  /// "task_layer.input" (B, D), in which predictions are linear.
  Pooled pool(const ForwardPass& pass) const;
  Var predict(const ForwardPass& pass, const Pooled& pooled) const;

  /// Returns (B, L, D): the DNA input (B, L, dna_dim) after its linear map, before the norm.
  /// Attribution stops here and maps gradients to the input through the Gram matrix of the weight.
  Var project_dna(Tape& tape, Var input) const;
  /// Eval mode only. Computes RNA (1, G, D) and protein (1, G, D) after self-attention on the tape;
  /// does not read the pass's DNA.
  std::pair<Var, Var> run_trunks(const ForwardPass& pass) const;
  /// Eval mode only. Computes the trunks of RNA (1, G, rna_dim) and protein (1, G, protein_dim)
  /// into tensors of `lasting`; clears the tape. In a model with gene windows, genes have read
  /// nothing yet: their rows are zero.
  Trunks compute_trunks(Tape& tape, const Tensor& rna_input, const Tensor& protein_input,
                        Arena& lasting) const;
  /// Eval mode only. Replaces the RNA in trunks of compute_trunks(), at the same addresses, by that
  /// of another sample, (1, G, rna_dim); clears the tape.
  void replace_rna(Tape& tape, const Tensor& rna_input, const Trunks& trunks) const;
  /// Eval mode only. Computes what `genes` read from the windows (M, L, dna_dim) at their
  /// starts into their rows of trunks.gene_windows; clears the tape.
  void read_gene_windows(Tape& tape, const Tensor& windows, const std::vector<std::int32_t>& genes,
                         const Trunks& trunks) const;

  /// Eval mode only. Returns the trunks of B enhancers from those of compute_trunks() and features
  /// (B, G, kGeneFeatures); the tape owns the new tensors, until it is cleared. In a model without
  /// gene positions returns `trunks`.
  Trunks place(Tape& tape, const Trunks& trunks, const Tensor& features) const;

  /// The features of the bins (1, L, kBinFeatures), if the model has bin positions.
  const Tensor& bin_features() const { return bin_features_; }
  /// 0 .. G-1, int32 (G), if the model has gene windows.
  const Tensor& all_genes() const { return all_genes_; }

 private:
  /// pool(); genes: those of pairs, or all.
  Pooled pool(const ForwardPass& pass, const Tensor& genes) const;
  void check_gene_inputs(const ForwardPass& pass, const Tensor& genes, std::int64_t batch) const;

  Tensor bin_features_, all_genes_;
};

}  // namespace cdt
