#include "model/cdt.h"

#include "engine/error.h"

namespace cdt {
namespace {

// Names an intermediate for a recorder; it then survives backward.
Var note(Recorder* recorder, const std::string& name, Var value) {
  if (recorder != nullptr) {
    value->keep = true;
    recorder->values[name] = value;
  }
  return value;
}

// Where an op puts the attention map of `module`, or null.
Tensor* map_of(Recorder* recorder, const std::string& module) {
  if (recorder == nullptr) return nullptr;
  if (!recorder->want_attention && recorder->attention_of.count(module) == 0) return nullptr;
  return &recorder->attention[module + ".attention"];
}

void note_core(Recorder* recorder, const std::string& module, const AttentionCore& core) {
  if (recorder == nullptr || !recorder->want_cores) return;
  core.out->keep = true;
  recorder->cores[module] = core;
}

void expect_sample_independent(const Tape& tape) {
  CDT_CHECK(!tape.training(), "precomputed trunks are an eval-mode form");
}

}  // namespace

// LayerNorm(x W + b), then dropout (eq. of section 7.7). x (1|B, N, dim) -> (1|B, N, D).
Var Cdt::project(Tape& tape, const std::string& name, Var x, std::int64_t batch,
                 Recorder* recorder) {
  const Var y = linear(tape, to_activations(tape, x), weight(name + ".linear.weight"),
                       weight(name + ".linear.bias"));
  return norm_and_drop(tape, name, y, batch, recorder);
}

Var Cdt::norm_and_drop(Tape& tape, const std::string& name, Var x, std::int64_t batch,
                       Recorder* recorder) {
  const Var y = layer_norm(tape, x, weight(name + ".norm.weight"), weight(name + ".norm.bias"));
  return note(recorder, name, dropout(tape, y, config_.dropout, batch));
}

FeedForwardParameters Cdt::ffn_of(const std::string& name) {
  const std::string f = name + ".ffn.";
  return {weight(f + "0.weight"), weight(f + "0.bias"), weight(f + "3.weight"),
          weight(f + "3.bias")};
}

// norm1(x + attended), before the feed-forward net.
Var Cdt::first_norm(Tape& tape, const std::string& name, Var x, Var attended) {
  return add_norm(tape, x, attended, weight(name + ".norm1.weight"), weight(name + ".norm1.bias"),
                  config_.dropout);
}

// norm2(y + FFN(y)), y = norm1(x + attended): the post-norm tail of every block.
Var Cdt::post_norm(Tape& tape, const std::string& name, Var x, Var attended, Recorder* recorder) {
  const float p = config_.dropout;
  const Var y = first_norm(tape, name, x, attended);
  const Var f = feed_forward(tape, y, ffn_of(name), p);
  return note(
      recorder, name,
      add_norm(tape, y, f, weight(name + ".norm2.weight"), weight(name + ".norm2.bias"), p));
}

// Self attention (section 2.3). x (1|B, N, D) -> (1|B, N, D).
Var Cdt::self_block(Tape& tape, const std::string& name, Var x, std::int64_t batch,
                    Recorder* recorder) {
  const std::string a = name + ".self_attn";
  const Var qkv = linear(tape, x, weight(a + ".in_proj_weight"), weight(a + ".in_proj_bias"));
  const Var context =
      self_attention(tape, qkv, config_.heads, config_.dropout, batch, map_of(recorder, name));
  note_core(recorder, name, {context, qkv, 2 * config_.hidden});
  const Var attended =
      linear(tape, context, weight(a + ".out_proj.weight"), weight(a + ".out_proj.bias"));
  return post_norm(tape, name, x, attended, recorder);
}

Var Cdt::queries_of(Tape& tape, const std::string& name, Var x) {
  const std::int64_t d = config_.hidden;
  const std::string a = name + ".cross_attn";
  return linear(tape, x, tape.rows_of(weight(a + ".in_proj_weight"), 0, d),
                tape.rows_of(weight(a + ".in_proj_bias"), 0, d));
}

// Directional cross attention (sections 2.4, 7.8): x asks, context answers. What it adds to x.
Var Cdt::cross_attend(Tape& tape, const std::string& name, Var x, Var context, std::int64_t batch,
                      const Tensor* queries, Recorder* recorder) {
  const std::int64_t d = config_.hidden;
  const std::string a = name + ".cross_attn";
  const Var q = queries != nullptr ? tape.constant(*queries) : queries_of(tape, name, x);
  const Var kv = linear(tape, context, tape.rows_of(weight(a + ".in_proj_weight"), d, 3 * d),
                        tape.rows_of(weight(a + ".in_proj_bias"), d, 3 * d));
  const Var attended_heads =
      attention(tape, q, kv, config_.heads, config_.dropout, batch, map_of(recorder, name));
  note_core(recorder, name, {attended_heads, kv, d});
  return linear(tape, attended_heads, weight(a + ".out_proj.weight"), weight(a + ".out_proj.bias"));
}

Var Cdt::cross_block(Tape& tape, const std::string& name, Var x, Var context, std::int64_t batch,
                     const Tensor* queries, Recorder* recorder) {
  const Var attended = cross_attend(tape, name, x, context, batch, queries, recorder);
  if (config_.variant == Variant::kPaper) {
    return note(recorder, name, residual(tape, x, attended));
  }
  return post_norm(tape, name, x, attended, recorder);
}

Var Cdt::trunk(Tape& tape, const std::string& modality, Var projected, std::int64_t layers,
               std::int64_t batch, Recorder* recorder) {
  Var x = projected;
  for (std::int64_t i = 0; i < layers; ++i) {
    x = self_block(tape, modality + "_self_attn_layers." + std::to_string(i), x, batch, recorder);
  }
  return x;
}

PoolParameters Cdt::pool_of(const std::string& name) {
  if (config_.variant == Variant::kPaper) return {weight(name + "_query"), nullptr, nullptr};
  return {weight(name + "_query"), weight(name + "_attn.in_proj_weight"),
          weight(name + "_attn.in_proj_bias")};
}

// Attention pooling of one modality (sections 2.5, 7.9): (B, N, D) -> (B, D).
Var Cdt::pool(Tape& tape, const std::string& modality, Var x, std::int64_t batch,
              Recorder* recorder) {
  const std::string name = "vce." + modality;
  const bool paper = config_.variant == Variant::kPaper;
  const Var pooled = attention_pool(tape, x, pool_of(name), config_.pooling_heads(),
                                    paper ? 0.0F : config_.dropout, batch, map_of(recorder, name));
  return finish_pool(tape, modality, pooled, recorder);
}

Var Cdt::finish_pool(Tape& tape, const std::string& modality, Var pooled, Recorder* recorder) {
  const std::string name = "vce." + modality;
  if (config_.variant == Variant::kPaper) return note(recorder, name, pooled);
  const std::string out = name + "_attn.out_proj.";
  return note(recorder, name, linear(tape, pooled, weight(out + "weight"), weight(out + "bias")));
}

// Protein asks RNA, then is pooled. Nothing else reads the block's tokens, so in attribution its
// tail and the pooling are one op.
Var Cdt::pool_protein(Tape& tape, Var rna, const Trunks& trunks, std::int64_t batch,
                      Recorder* recorder) {
  const std::string block = "rna_to_protein";
  const Var x = tape.constant(trunks.protein);
  if (config_.variant == Variant::kPaper || batch > 1 || !frozen() || !rna->needs_grad) {
    const Var p = cross_block(tape, block, x, rna, batch, &trunks.protein_queries, recorder);
    return pool(tape, "protein", p, batch, recorder);
  }
  const Var attended = cross_attend(tape, block, x, rna, batch, &trunks.protein_queries, recorder);
  const PooledTokens tail = feed_forward_pool(tape, first_norm(tape, block, x, attended),
                                              ffn_of(block), weight(block + ".norm2.weight"),
                                              weight(block + ".norm2.bias"), pool_of("vce.protein"),
                                              config_.pool_heads, map_of(recorder, "vce.protein"));
  note(recorder, block, tail.tokens);
  return finish_pool(tape, "protein", tail.pooled, recorder);
}

// Fusion of the Virtual Cell Embedding (section 7.9) and task head (section 2.6): (B, G).
Var Cdt::predict_from_pooled(Tape& tape, const Pooled& pooled, std::int64_t batch,
                             Recorder* recorder) {
  const bool released = config_.variant == Variant::kReleased;
  const float p = released ? config_.dropout : 0.0F;
  const std::string second = released ? "vce.fusion.3" : "vce.fusion.2";
  Var x = concat(tape, {pooled.dna, pooled.rna, pooled.protein}, batch);
  x = linear(tape, x, weight("vce.fusion.0.weight"), weight("vce.fusion.0.bias"));
  x = gelu_dropout(tape, x, p);
  x = linear(tape, x, weight(second + ".weight"), weight(second + ".bias"));
  if (!released) {
    note(recorder, "vce", x);
    note(recorder, "task_layer.input", x);
    return note(recorder, "task_layer",
                linear(tape, x, weight("task_layer.weight"), weight("task_layer.bias")));
  }
  x = layer_norm(tape, x, weight("vce.fusion.4.weight"), weight("vce.fusion.4.bias"));
  note(recorder, "vce", x);
  x = linear(tape, x, weight("task_layer.0.weight"), weight("task_layer.0.bias"));
  x = note(recorder, "task_layer.input", gelu_dropout(tape, x, p));
  return note(recorder, "task_layer",
              linear(tape, x, weight("task_layer.3.weight"), weight("task_layer.3.bias")));
}

void Cdt::expect_inputs(const Tensor& rna, const Tensor& protein) const {
  expect_shape("cdt", "rna", rna, {1, config_.genes, config_.rna_dim});
  expect_shape("cdt", "protein", protein, {1, config_.genes, config_.protein_dim});
}

// The reference projects protein once per step, unbatched, and RNA per sample: the protein
// projector's mask is shared by the batch, the RNA projector's is not.
Var Cdt::forward(Tape& tape, Var dna, Var rna, Var protein, Recorder* recorder) {
  const std::int64_t batch = dna->value.shape[0];
  expect_shape("cdt", "dna", dna->value, with_last(dna->value.shape, config_.dna_dim));
  expect_inputs(rna->value, protein->value);
  Var d = project(tape, "dna_projector", dna, batch, recorder);
  Var r = project(tape, "rna_projector", rna, batch, recorder);
  Var p = project(tape, "protein_projector", protein, 1, recorder);
  d = trunk(tape, "dna", d, config_.dna_layers, batch, recorder);
  r = trunk(tape, "rna", r, config_.rna_layers, batch, recorder);
  p = trunk(tape, "protein", p, config_.protein_layers, batch, recorder);
  r = cross_block(tape, "dna_to_rna", r, d, batch, nullptr, recorder);
  p = cross_block(tape, "rna_to_protein", p, r, batch, nullptr, recorder);
  const Pooled pooled{pool(tape, "dna", d, batch, recorder), pool(tape, "rna", r, batch, recorder),
                      pool(tape, "protein", p, batch, recorder)};
  return predict_from_pooled(tape, pooled, batch, recorder);
}

Var Cdt::rna_trunk(Tape& tape, const Tensor& rna, Recorder* recorder) {
  const Var r = project(tape, "rna_projector", tape.constant(rna), 1, recorder);
  return trunk(tape, "rna", r, config_.rna_layers, 1, recorder);
}

Var Cdt::protein_trunk(Tape& tape, const Tensor& protein, Recorder* recorder) {
  const Var p = project(tape, "protein_projector", tape.constant(protein), 1, recorder);
  return trunk(tape, "protein", p, config_.protein_layers, 1, recorder);
}

void Cdt::record_trunks(Tape& tape, const Tensor& rna, const Tensor& protein, Recorder* recorder) {
  expect_sample_independent(tape);
  expect_inputs(rna, protein);
  rna_trunk(tape, rna, recorder);
  protein_trunk(tape, protein, recorder);
}

Trunks Cdt::compute_trunks(Tape& tape, const Tensor& rna, const Tensor& protein, Arena& lasting) {
  expect_sample_independent(tape);
  expect_inputs(rna, protein);
  const auto last = [&](Var v) {
    const Tensor t = lasting.tensor(v->value.shape, v->value.dtype);
    backend_.copy(t, v->value);
    return t;
  };
  const Var r = rna_trunk(tape, rna, nullptr);
  const Var p = protein_trunk(tape, protein, nullptr);
  Trunks trunks{last(r), last(p), last(queries_of(tape, "dna_to_rna", r)),
                last(queries_of(tape, "rna_to_protein", p))};
  tape.clear();
  return trunks;
}

Var Cdt::project_dna_linear(Tape& tape, Var dna) {
  return linear(tape, to_activations(tape, dna), weight("dna_projector.linear.weight"),
                weight("dna_projector.linear.bias"));
}

Pooled Cdt::pool_from_linear(Tape& tape, Var dna_linear, const Trunks& trunks, Recorder* recorder) {
  expect_sample_independent(tape);
  const std::int64_t batch = dna_linear->value.shape[0];
  Var d = norm_and_drop(tape, "dna_projector", to_activations(tape, dna_linear), batch, recorder);
  d = trunk(tape, "dna", d, config_.dna_layers, batch, recorder);
  const Var r = cross_block(tape, "dna_to_rna", tape.constant(trunks.rna), d, batch,
                            &trunks.rna_queries, recorder);
  return {pool(tape, "dna", d, batch, recorder), pool(tape, "rna", r, batch, recorder),
          pool_protein(tape, r, trunks, batch, recorder)};
}

Var Cdt::forward_from_linear(Tape& tape, Var dna_linear, const Trunks& trunks, Recorder* recorder) {
  const Pooled pooled = pool_from_linear(tape, dna_linear, trunks, recorder);
  return predict_from_pooled(tape, pooled, dna_linear->value.shape[0], recorder);
}

const Tensor& Cdt::last_weight() {
  const bool released = config_.variant == Variant::kReleased;
  return weight(released ? "task_layer.3.weight" : "task_layer.weight")->value;
}

Var Cdt::forward_from_trunks(Tape& tape, Var dna, const Trunks& trunks, Recorder* recorder) {
  expect_shape("cdt", "dna", dna->value, with_last(dna->value.shape, config_.dna_dim));
  return forward_from_linear(tape, project_dna_linear(tape, dna), trunks, recorder);
}

}  // namespace cdt
