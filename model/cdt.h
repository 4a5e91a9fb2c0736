// The Central Dogma Transformer: DNA, RNA and protein embeddings in, one predicted effect per gene
// out. Sections and equations refer to Ota, "Central Dogma Transformer"; docs/paper-vs-code.md says
// where the released code differs from the text. Dimensions as in engine/tensor.h.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/ops.h"
#include "model/config.h"

namespace cdt {

/// One tensor of the reference's state_dict.
struct Parameter {
  std::string name;    // e.g. "dna_to_rna.cross_attn.in_proj_weight"
  std::string module;  // first part of the name with its index, e.g. "dna_self_attn_layers.0"
  Variable variable;   // value and grad, lasting
};

/// The core of one attention: out (1|B, Nq, D) = A V by head, where V stands in the D columns of
/// `source` from value_column on. With the gradient of out, that of the map is dout V^T.
struct AttentionCore {
  Var out = nullptr;
  Var source = nullptr;  // (1|B, Nk, 2D or 3D)
  std::int64_t value_column = 0;
};

/// Receives intermediates by name ("dna_projector", "dna_self_attn_layers.0", ..., "vce",
/// "task_layer") and attention maps ("dna_to_rna.attention", ...). Tests and attribution.
struct Recorder {
  std::map<std::string, Var> values;
  std::map<std::string, Tensor> attention;     // (B, H, Nq, Nk); pooling (B, H, N)
  bool want_attention = false;                 // all maps
  std::set<std::string> attention_of;          // or those of these modules ("vce.dna" for pooling)
  std::map<std::string, AttentionCore> cores;  // by module; their outputs keep their gradients
  bool want_cores = false;
};

/// What pooling leaves of each modality, (1|B, D) each: the three inputs of the head.
struct Pooled {
  Var dna = nullptr, rna = nullptr, protein = nullptr;
};

/// The part of a forward pass that does not depend on DNA in eval mode: RNA and protein after their
/// self-attention, and the queries of both cross-attentions. Constants of a checkpoint.
struct Trunks {
  Tensor rna;              // (1, G, D)
  Tensor protein;          // (1, G, D)
  Tensor rna_queries;      // (1, G, D) of dna_to_rna
  Tensor protein_queries;  // (1, G, D) of rna_to_protein
};

class Cdt {
 public:
  /// Allocates parameters and, if `trainable`, their gradients in `lasting`.
  Cdt(const CdtConfig& config, Backend& backend, Arena& lasting, bool trainable);

  const CdtConfig& config() const { return config_; }
  /// In state_dict order.
  std::deque<Parameter>& parameters() { return parameters_; }
  const std::deque<Parameter>& parameters() const { return parameters_; }
  /// The same as an optimiser takes them.
  std::vector<Var> variables();
  std::int64_t parameter_count() const;
  /// The parameter of that name; throws Error if there is none.
  Parameter& parameter(const std::string& name);

  /// Gives a parameter its values, in host memory, in the order of its shape.
  void set(Parameter& parameter, const float* values);
  /// PyTorch's default initialisation (docs/paper-vs-code.md), drawn from `seed`.
  void initialise(std::uint64_t seed);
  /// Every later gradient is for inputs only: rules for weights are dropped from the tape.
  void freeze();
  bool frozen() const { return !parameters_.front().variable.needs_grad; }
  void zero_gradients();

  /// dna (B, L, dna_dim), rna (1, G, rna_dim), protein (1, G, protein_dim) -> (B, G).
  /// Training mode and dropout come from the tape.
  Var forward(Tape& tape, Var dna, Var rna, Var protein, Recorder* recorder = nullptr);

  /// Eval mode only. Fills `trunks` with tensors of `lasting`, using the tape's step arena.
  Trunks compute_trunks(Tape& tape, const Tensor& rna, const Tensor& protein, Arena& lasting);
  /// Eval mode only. The RNA and protein trunks once more, for what the recorder asks of them.
  void record_trunks(Tape& tape, const Tensor& rna, const Tensor& protein, Recorder* recorder);
  /// Eval mode only: the rest of the forward pass over precomputed trunks.
  Var forward_from_trunks(Tape& tape, Var dna, const Trunks& trunks, Recorder* recorder = nullptr);
  /// (B, L, D): the DNA input after its linear map, before the norm; attribution stops here and
  /// maps gradients to the input through the Gram matrix of the weight.
  Var project_dna_linear(Tape& tape, Var dna);
  /// As forward_from_trunks, from the output of project_dna_linear or float32 in its place.
  Var forward_from_linear(Tape& tape, Var dna_linear, const Trunks& trunks,
                          Recorder* recorder = nullptr);
  /// Its two halves: up to the pooled vectors, and from there to the predictions (B, G). The
  /// recorder gets "task_layer.input" (B, D) too, on which the predictions depend linearly.
  Pooled pool_from_linear(Tape& tape, Var dna_linear, const Trunks& trunks,
                          Recorder* recorder = nullptr);
  Var predict_from_pooled(Tape& tape, const Pooled& pooled, std::int64_t batch,
                          Recorder* recorder = nullptr);
  /// (G, D): weight of the linear layer at the end.
  const Tensor& last_weight();

 private:
  Var weight(const std::string& name) { return &parameter(name).variable; }

  void add(const std::string& name, const Shape& shape, bool trainable, Arena& lasting);
  /// All gradients in one range of memory, so that zeroing them is one fill.
  void allocate_gradients(Arena& lasting);
  void add_linear(const std::string& prefix, std::int64_t in, std::int64_t out, bool trainable,
                  Arena& lasting);
  void add_norm_parameters(const std::string& prefix, bool trainable, Arena& lasting);
  void add_attention(const std::string& prefix, bool trainable, Arena& lasting);
  void add_block(const std::string& prefix, const std::string& attention, bool with_ffn,
                 bool trainable, Arena& lasting);
  void add_head(bool trainable, Arena& lasting);

  void expect_inputs(const Tensor& rna, const Tensor& protein) const;
  Var project(Tape& tape, const std::string& name, Var x, std::int64_t batch, Recorder* recorder);
  Var norm_and_drop(Tape& tape, const std::string& name, Var x, std::int64_t batch,
                    Recorder* recorder);
  FeedForwardParameters ffn_of(const std::string& name);
  Var first_norm(Tape& tape, const std::string& name, Var x, Var attended);
  Var post_norm(Tape& tape, const std::string& name, Var x, Var attended, Recorder* recorder);
  Var self_block(Tape& tape, const std::string& name, Var x, std::int64_t batch,
                 Recorder* recorder);
  Var queries_of(Tape& tape, const std::string& name, Var x);
  /// queries: precomputed (1, G, D) or null.
  Var cross_attend(Tape& tape, const std::string& name, Var x, Var context, std::int64_t batch,
                   const Tensor* queries, Recorder* recorder);
  Var cross_block(Tape& tape, const std::string& name, Var x, Var context, std::int64_t batch,
                  const Tensor* queries, Recorder* recorder);
  Var trunk(Tape& tape, const std::string& modality, Var projected, std::int64_t layers,
            std::int64_t batch, Recorder* recorder);
  Var rna_trunk(Tape& tape, const Tensor& rna, Recorder* recorder);
  Var protein_trunk(Tape& tape, const Tensor& protein, Recorder* recorder);
  PoolParameters pool_of(const std::string& name);
  Var pool(Tape& tape, const std::string& modality, Var x, std::int64_t batch, Recorder* recorder);
  Var finish_pool(Tape& tape, const std::string& modality, Var pooled, Recorder* recorder);
  Var pool_protein(Tape& tape, Var rna, const Trunks& trunks, std::int64_t batch,
                   Recorder* recorder);

  CdtConfig config_;
  Backend& backend_;
  std::deque<Parameter> parameters_;
  std::map<std::string, std::size_t> index_;
  Tensor gradients_;  // of all parameters and the gaps between them; empty: not trainable
};

}  // namespace cdt
