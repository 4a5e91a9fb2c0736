// The parameters of CDT, as one struct per part of the model and as the reference's state_dict, in
// its order and under its names (docs/paper-vs-code.md). Dimensions as in engine/tensor.h; every
// Var below points into the list of parameters.
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <vector>

#include "engine/ops.h"
#include "model/config.h"

namespace cdt {

/// PyTorch's default initialisation of a parameter: a constant, N(0, 1), or uniform in +-bound.
struct Initial {
  enum Kind : std::uint8_t { kConstant, kNormal, kUniform } kind = kConstant;
  double value = 0.0;  // the constant, or the bound
};

/// One tensor of the state_dict.
struct Parameter {
  std::string name;    // e.g. "dna_to_rna.cross_attn.in_proj_weight"
  std::string module;  // the part of the model it belongs to, e.g. "dna_self_attn_layers.0"
  Variable variable;   // value and grad, in the lasting arena
  Initial initial;

  /// True if it has a gradient, i.e. is trained.
  bool trained() const { return !variable.grad.empty(); }
};

struct Linear {
  Var weight = nullptr;  // (O, I)
  Var bias = nullptr;    // (O)
};

struct LayerNorm {
  Var gamma = nullptr, beta = nullptr;  // (D) each
};

/// Projects a modality to the hidden size.
struct Projector {
  std::string name;  // "dna_projector"
  Linear linear;     // (D, dna_dim | rna_dim | protein_dim)
  LayerNorm norm;
};

/// Self or cross attention with its feed-forward net and norms. The paper's cross attention ends
/// with `out`.
struct AttentionBlock {
  std::string name;  // "dna_self_attn_layers.0", "dna_to_rna"
  Linear in;         // (3D, D): rows of queries, keys, values
  Linear out;        // (D, D)
  FeedForwardParameters ffn;
  LayerNorm norm1, norm2;
};

/// Pooling with one learned query. The paper's variant has neither projection.
struct Pooling {
  std::string name;  // "vce.dna"
  PoolParameters attention;
  Linear out;  // (D, D)
};

/// The parameters of one modality.
struct Modality {
  Projector projector;
  std::vector<AttentionBlock> layers;  // self attention
  Pooling pooling;
};

/// From the pooled vectors to the predictions. With the column readout, the paper's variant has
/// only `last` after the fusion.
struct Head {
  Linear fusion1, fusion2;  // (fusion, 3D), (D, fusion)
  LayerNorm norm;
  Linear hidden;  // (D, D); gene readout: (D, 3D), for [cell; rna token; protein token]
  Linear last;    // (G, D); gene readout: (1, D)
};

class CdtParameters {
 public:
  /// Allocates the parameters and, if `trainable`, their gradients in `lasting`.
  CdtParameters(const CdtConfig& config, Backend& backend, Arena& lasting, bool trainable);
  CdtParameters(const CdtParameters&) = delete;
  CdtParameters& operator=(const CdtParameters&) = delete;

  const CdtConfig& config() const { return config_; }
  /// In state_dict order.
  std::deque<Parameter>& parameters() { return parameters_; }
  const std::deque<Parameter>& parameters() const { return parameters_; }
  /// Returns the parameter of that name; throws Error if there is none.
  Parameter& parameter(const std::string& name);
  /// Returns the trained parameters, for an optimiser.
  std::vector<Var> variables();
  std::int64_t parameter_count() const;
  /// Number of trained values.
  std::int64_t trained_count() const;

  /// Sets a parameter from host memory, row-major.
  void set(Var parameter, const float* values);
  /// Applies PyTorch's default initialisation (docs/paper-vs-code.md), drawn from `seed`.
  void initialise(std::uint64_t seed);
  /// Allocates gradients in `lasting`, as the constructor does with `trainable`, except for the
  /// parameters named in `frozen`, which stay as they are. At least one parameter must not be
  /// frozen.
  void make_trainable(Arena& lasting, const std::set<std::string>& frozen = {});
  /// Removes all gradients; later backward passes differentiate inputs only, and the tape drops
  /// rules for weights.
  void freeze();
  /// True if no parameter needs a gradient.
  bool frozen() const;
  void zero_gradients();
  /// The memory (n) that holds the gradients of all trained parameters, with padding.
  const Tensor& gradients() const { return gradients_; }

  Modality dna, rna, protein;
  AttentionBlock dna_to_rna, rna_to_protein;
  Head head;
  // Only in models that have them (model/positions.h).
  Linear bin_position, gene_position;  // (D, kBinFeatures), (D, kGeneFeatures)

 private:
  CdtConfig config_;
  Backend& backend_;
  std::deque<Parameter> parameters_;
  Tensor gradients_;  // of all trained parameters, with padding; empty if none is trained
};

}  // namespace cdt
