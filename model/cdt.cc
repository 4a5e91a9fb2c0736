#include "model/cdt.h"

#include <numeric>
#include <string_view>

#include "engine/error.h"
#include "model/positions.h"

namespace cdt {
namespace {

/// A running forward pass: the whole first, then the parts in the order of the paper. N is the
/// length of a sequence, L or G; in 1|B, 1 means that the samples of a batch share it.
struct Walk {
  const Cdt& m;
  const ForwardPass& pass;
  std::int64_t batch = 1;
  Tape& tape = pass.tape;
  const CdtConfig& c = m.config();
  bool paper = c.variant == Variant::kPaper;
  std::string_view whole = {};  // the module that everything belongs to in traces, if not its own

  // Information flows one way, from DNA to RNA to protein, and each is pooled to one vector (B, D).
  // Dropout masks follow the order of the ops. The reference projects RNA per sample but protein
  // once per step, so the batch shares the mask of the protein projector.
  // genes: int32, those of pairs or all.
  Pooled pooled(const Tensor& genes) {
    const Trunks* ready = pass.trunks;
    Var d = project_dna();  // (B, L, D), then (1|B, G, D) and (1, G, D)
    Var r =
        ready ? tape.constant(ready->rna) : project(m.rna.projector, pass.rna, MaskPer::kSample);
    Var p = ready ? tape.constant(ready->protein)
                  : project(m.protein.projector, pass.protein, MaskPer::kBatch);
    d = self_blocks(m.dna.layers, d);                  // (B, L, D)
    if (!ready) r = self_blocks(m.rna.layers, r);      // (1|B, G, D)
    if (!ready) p = self_blocks(m.protein.layers, p);  // (1|B, G, D)
    const Var own = read_windows(r, genes);
    if (!ready) r = place_genes(r, pass.gene_position);
    r = cross_block(m.dna_to_rna, r, d, ready ? &ready->rna_queries : nullptr);  // (B, G, D)
    // In training the order of dropout masks is the reference's; in eval mode protein comes last,
    // so that backward passes keep their order.
    const Tensor* p_queries = ready ? &ready->protein_queries : nullptr;
    if (!ready) p = cross_block(m.rna_to_protein, p, r, p_queries);  // (B, G, D)
    Pooled out{.dna = pool(m.dna.pooling, d),
               .rna = pool(m.rna.pooling, r),
               .rna_tokens = r,
               .gene_windows = own};
    if (can_merge_protein(r)) {
      out.protein = pool_protein(p, r, *p_queries);
      return out;
    }
    if (ready) p = cross_block(m.rna_to_protein, p, r, p_queries);
    out.protein = pool(m.protein.pooling, p);
    out.protein_tokens = p;
    return out;
  }

  // What genes read from the DNA around their start: (1, G, D) for all of them, (B, D) for those of
  // pairs. Null in a model without gene windows.
  Var read_windows(Var r, const Tensor& genes) {
    if (!c.gene_window) return nullptr;
    if (pass.trunks) return note(kGeneWindowModule, tape.constant(pass.trunks->gene_windows));
    const ModuleScope module = scope(kGeneWindowModule);
    const Var tokens = to_activations(tape, take_token(tape, r, genes));  // (B|G, D)
    const Shape shape = tokens->value.shape;
    const Var read = attend_windows(reshape(tape, tokens, {shape[0], 1, shape[1]}), pass.gene_dna);
    const bool all = genes.data == m.all_genes().data;
    CDT_CHECK(!all || r->value.shape[0] == 1, "one RNA for all samples, as without dropout");
    return all ? note(kGeneWindowModule, reshape(tape, read, {1, shape[0], shape[1]}))
               : reshape(tape, read, shape);
  }

  // A window of its own for each token: the layers are those of the enhancers' windows, and the
  // token, one gene's before any position, attends to it as to an enhancer's. tokens (M, 1, D),
  // windows (M, L, dna_dim) -> (M, 1, D).
  Var attend_windows(Var tokens, Var windows) {
    Walk walk{.m = m,
              .pass = {.tape = tape, .dna = windows},
              .batch = windows->value.shape[0],
              .whole = kGeneWindowModule};
    const Var d = walk.self_blocks(m.dna.layers, walk.project_dna());  // (M, L, D)
    return walk.cross_block(m.dna_to_rna, tokens, d, nullptr);
  }

  // Adds to each gene's RNA token where the gene starts, relative to the window: (1|B, G, D) ->
  // (1|B, G, D). Returns it unchanged in a model without gene positions.
  Var place_genes(Var r, Var features) {
    if (!c.gene_position) return r;
    const ModuleScope module = scope("gene_position");
    const Var place = apply(m.gene_position, to_activations(tape, features));  // (1|B, G, D)
    return place->value.shape[0] < r->value.shape[0] ? residual(tape, place, r)
                                                     : residual(tape, r, place);
  }

  // One modality before any cross-attention: (1, G, dim) -> (1, G, D).
  Var trunk(const Modality& w, Var x) {
    return self_blocks(w.layers, project(w.projector, x, MaskPer::kBatch));
  }

  Var project_dna() {
    const ModuleScope module = scope(m.dna.projector.name);
    const Var z = pass.dna_linear ? to_activations(tape, pass.dna_linear)
                                  : m.project_dna(tape, pass.dna);  // (B, L, D)
    return norm_and_drop(m.dna.projector, z, MaskPer::kSample);
  }

  // dropout(LayerNorm(x W^T + b)) (section 7.7): (1|B, N, dim) -> (1|B, N, D).
  Var project(const Projector& w, Var x, MaskPer per) {
    const ModuleScope module = scope(w.name);
    return norm_and_drop(w, apply(w.linear, to_activations(tape, x)), per);
  }

  Var norm_and_drop(const Projector& w, Var x, MaskPer per) {
    Var normal = apply(w.norm, x);
    if (c.bin_position && &w == &m.dna.projector) normal = place_bins(normal);
    const Var out = dropout(tape, normal, c.dropout, per == MaskPer::kSample ? batch : 1, per);
    drop(out, {x, normal});
    return note(w.name, out);
  }

  // Adds to each bin its distance to the window's centre: (B, L, D) -> (B, L, D).
  Var place_bins(Var x) {
    const ModuleScope module = scope("bin_position");
    const Var features = to_activations(tape, tape.constant(m.bin_features()));
    return residual(tape, apply(m.bin_position, features), x);
  }

  // Self attention (section 2.3), layer by layer: (1|B, N, D) -> (1|B, N, D).
  Var self_blocks(const std::vector<AttentionBlock>& layers, Var x) {
    for (const AttentionBlock& w : layers) {
      const ModuleScope module = scope(w.name);
      const Var qkv = apply(w.in, x);  // (1|B, N, 3D)
      const Var heads = self_attention(tape, qkv, c.heads, c.dropout, batch, map_of(w.name));
      note_core(w.name, {heads, qkv, 2 * c.hidden});
      const Var out = post_norm(w, x, apply(w.out, heads));  // (1|B, N, D)
      drop(out, {x, qkv, heads});
      x = out;
    }
    return x;
  }

  // Directional cross attention (sections 2.4, 7.8): x (1|B, G, D) gives the queries, unless they
  // are `ready`, and context (B, N, D) the keys and values -> (B, G, D).
  Var cross_block(const AttentionBlock& w, Var x, Var context, const Tensor* ready) {
    const ModuleScope module = scope(w.name);
    const Var attended = cross_attend(w, x, context, ready);  // (B, G, D)
    const Var out = paper ? note(w.name, residual(tape, x, attended)) : post_norm(w, x, attended);
    drop(out, {x});
    return out;
  }

  Var cross_attend(const AttentionBlock& w, Var x, Var context, const Tensor* ready) {
    const Var q = ready ? tape.constant(*ready) : queries(w, x);        // (1|B, G, D)
    const Var kv = apply(rows(w.in, c.hidden, 3 * c.hidden), context);  // (B, N, 2D)
    const Var heads = attention(tape, q, kv, c.heads, c.dropout, batch, map_of(w.name));
    note_core(w.name, {heads, kv, c.hidden});
    const Var out = apply(w.out, heads);  // (B, G, D)
    drop(out, {q, kv, heads});
    return out;
  }

  Var queries(const AttentionBlock& w, Var x) { return apply(rows(w.in, 0, c.hidden), x); }

  // norm2(y + FFN(y)), y = norm1(x + attended): the tail of every block, (1|B, N, D) throughout.
  Var post_norm(const AttentionBlock& w, Var x, Var attended) {
    const Var y = first_norm(w, x, attended);
    const Var f = feed_forward(tape, y, w.ffn, c.dropout);
    const Var out = add_norm(tape, y, f, w.norm2.gamma, w.norm2.beta, c.dropout);
    drop(out, {y});
    return note(w.name, out);
  }

  Var first_norm(const AttentionBlock& w, Var x, Var attended) {
    return add_norm(tape, x, attended, w.norm1.gamma, w.norm1.beta, c.dropout);
  }

  // Attention pooling (sections 2.5, 7.9): (B, N, D) -> (B, D).
  Var pool(const Pooling& w, Var x) {
    const ModuleScope module = scope(w.name);
    const float p = paper ? 0.0F : c.dropout;
    return pool_out(
        w, attention_pool(tape, x, w.attention, c.pooling_heads(), p, batch, map_of(w.name)));
  }

  Var pool_out(const Pooling& w, Var heads) {
    const ModuleScope module = scope(w.name);
    return note(w.name, paper ? heads : apply(w.out, heads));  // (B, D)
  }

  // In attribution with the column readout, nothing but the pooling reads the tokens of
  // rna_to_protein, so the block's tail and the pooling are one op, which makes all backward passes
  // after the first cheaper.
  bool can_merge_protein(Var r) const {
    return pass.trunks != nullptr && !paper && batch == 1 && !pass.replayed && m.frozen() &&
           r->needs_grad && c.readout == Readout::kColumn;
  }

  // Cross attention of protein (1, G, D) to RNA (1, G, D), then pooling -> (1, D).
  Var pool_protein(Var p, Var r, const Tensor& queries) {
    const AttentionBlock& w = m.rna_to_protein;
    const Pooling& pooling = m.protein.pooling;
    const ModuleScope module = scope(w.name);
    const Var y = first_norm(w, p, cross_attend(w, p, r, &queries));  // (1, G, D)
    const PooledTokens tail =
        feed_forward_pool(tape, y, w.ffn, w.norm2.gamma, w.norm2.beta, pooling.attention,
                          c.pool_heads, map_of(pooling.name));
    note(w.name, tail.tokens);
    return pool_out(pooling, tail.pooled);
  }

  // Fusion into the Virtual Cell Embedding (section 7.9): three (B, D) -> (B, D).
  Var fuse(const Pooled& in) {
    const ModuleScope module = scope("vce.fusion");
    Var x = concat(tape, {in.dna, in.rna, in.protein}, in.dna->value.shape[0]);  // (B, 3D)
    x = gelu_dropout(tape, apply(m.head.fusion1, x), head_dropout());            // (B, fusion)
    x = apply(m.head.fusion2, x);                                                // (B, D)
    if (!paper) x = apply(m.head.norm, x);
    return note("vce", x);
  }

  // The scope of a module of the model.
  ModuleScope scope(std::string_view name) {
    return ModuleScope(tape, whole.empty() ? name : whole);
  }

  float head_dropout() const { return paper ? 0.0F : c.dropout; }

  // Task head (section 2.6): (B, D) -> (B, G).
  Var predict(const Pooled& in) {
    Var x = fuse(in);
    const ModuleScope module = scope("task_layer");
    if (c.readout == Readout::kGene) {
      const FeedForwardParameters w{m.head.hidden.weight, m.head.hidden.bias, m.head.last.weight,
                                    m.head.last.bias};
      const Var rna = in.gene_windows ? add(tape, in.gene_windows, in.rna_tokens) : in.rna_tokens;
      return note("task_layer", gene_head(tape, x, rna, in.protein_tokens, w, head_dropout()));
    }
    if (!paper) x = gelu_dropout(tape, apply(m.head.hidden, x), c.dropout);  // (B, D)
    note("task_layer.input", x);
    return note("task_layer", apply(m.head.last, x));  // (B, G)
  }

  // The predictions of one gene of each sample: (B).
  Var predict_pairs(const Pooled& in, const Tensor& genes) {
    if (c.readout == Readout::kColumn) {
      const Var all = predict(in);
      const ModuleScope module = scope("loss");
      return select(tape, all, genes);
    }
    const Var cell = fuse(in);
    const ModuleScope module = scope("task_layer");
    Var rna = take_token(tape, in.rna_tokens, genes);  // (B, D)
    if (in.gene_windows) rna = residual(tape, rna, to_float32(tape, in.gene_windows));
    const Var protein = take_token(tape, in.protein_tokens, genes);
    Var x = concat(tape, {cell, rna, protein}, cell->value.shape[0]);     // (B, 3D)
    x = gelu_dropout(tape, apply(m.head.hidden, x), head_dropout());      // (B, D)
    return reshape(tape, apply(m.head.last, x), {cell->value.shape[0]});  // (B)
  }

  Var apply(const Linear& w, Var x) { return linear(tape, x, w.weight, w.bias); }
  Var apply(const LayerNorm& w, Var x) { return layer_norm(tape, x, w.gamma, w.beta); }
  Linear rows(const Linear& w, std::int64_t begin, std::int64_t end) {
    return {tape.rows_of(w.weight, begin, end), tape.rows_of(w.bias, begin, end)};
  }

  // In training, frees what `out` was made of if nothing up to `out` needs a gradient: then no rule
  // reads it.
  void drop(Var out, std::initializer_list<Var> parts) {
    if (out->needs_grad || !tape.training()) return;
    for (const Var part : parts) {
      if (part != out) tape.drop(part);
    }
  }

  // Records an intermediate under a name; it is then kept through backward.
  Var note(const std::string& name, Var value) {
    if (!pass.recorder) return value;
    value->keep = true;
    return pass.recorder->values[name] = value;
  }

  void note_core(const std::string& name, const AttentionCore& core) {
    if (!pass.recorder || !pass.recorder->want_cores) return;
    core.out->keep = true;
    pass.recorder->cores[name] = core;
  }

  // Returns where an op should store the module's attention map, or null.
  Tensor* map_of(const std::string& name) {
    Recorder* r = pass.recorder;
    if (!r || !(r->want_attention || r->attention_of.count(name) > 0)) return nullptr;
    return &r->attention[name + ".attention"];
  }
};

void expect_sample_independent(const Tape& tape) {
  CDT_CHECK(!tape.training(), "precomputed trunks are an eval-mode form");
}

}  // namespace

Cdt::Cdt(const CdtConfig& config, Backend& backend, Arena& lasting, bool trainable)
    : CdtParameters(config, backend, lasting, trainable) {
  if (config.bin_position) {
    bin_features_ = lasting.tensor({1, config.bins, kBinFeatures});
    backend.upload(bin_features_, cdt::bin_features(config.bins).data());
  }
  if (!config.gene_window) return;
  std::vector<std::int32_t> all(static_cast<std::size_t>(config.genes));
  std::iota(all.begin(), all.end(), 0);
  all_genes_ = lasting.tensor({config.genes}, Dtype::kInt32);
  backend.upload(all_genes_, all.data());
}

Var Cdt::forward(const ForwardPass& pass) const { return predict(pass, pool(pass)); }

Var Cdt::forward_pairs(const ForwardPass& pass, const Tensor& genes) const {
  CDT_CHECK(pass.trunks == nullptr || !config().gene_window, "pairs read their genes' windows");
  return Walk{*this, pass}.predict_pairs(pool(pass, genes), genes);
}

Pooled Cdt::pool(const ForwardPass& pass) const { return pool(pass, all_genes_); }

Pooled Cdt::pool(const ForwardPass& pass, const Tensor& genes) const {
  if (pass.trunks != nullptr) {
    expect_sample_independent(pass.tape);
  } else {
    const Tensor& rna_input = pass.rna->value;
    expect_shape("cdt", "rna", rna_input, {rna_input.shape[0], config().genes, config().rna_dim});
    expect_shape("cdt", "protein", pass.protein->value, {1, config().genes, config().protein_dim});
  }
  const Var in = pass.dna_linear != nullptr ? pass.dna_linear : pass.dna;  // (B, L, ..)
  const Shape& windows = in->value.shape;
  if (pass.rna != nullptr) expect_batch("cdt", "rna", pass.rna->value, windows[0]);
  if (config().bin_position) {
    CDT_CHECK(windows[1] == config().bins, "windows of the bins that the model knows");
  }
  check_gene_inputs(pass, genes, windows[0]);
  return Walk{*this, pass, windows[0]}.pooled(genes);
}

void Cdt::check_gene_inputs(const ForwardPass& pass, const Tensor& genes,
                            std::int64_t batch) const {
  const bool ready = pass.trunks != nullptr;
  const bool has_places = ready ? pass.trunks->placed : pass.gene_position != nullptr;
  CDT_CHECK(has_places == config().gene_position,
            "gene positions if, and only if, the model has them");
  if (pass.gene_position != nullptr) {
    const Tensor& places = pass.gene_position->value;
    expect_batch("cdt", "gene_position", places, batch);
    expect_shape("cdt", "gene_position", places, {places.shape[0], config().genes, kGeneFeatures});
  }
  const bool has_windows = ready ? !pass.trunks->gene_windows.empty() : pass.gene_dna != nullptr;
  CDT_CHECK(has_windows == config().gene_window,
            "windows of genes if, and only if, the model reads them");
  if (pass.gene_dna == nullptr) return;
  const Tensor& read = pass.gene_dna->value;
  expect_shape("cdt", "gene_dna", read, {genes.shape[0], read.shape[1], config().dna_dim});
}

Var Cdt::predict(const ForwardPass& pass, const Pooled& pooled) const {
  return Walk{*this, pass}.predict(pooled);
}

Var Cdt::project_dna(Tape& tape, Var input) const {
  const Shape& shape = input->value.shape;
  expect_shape("cdt", "dna", input->value, {shape[0], shape[1], config().dna_dim});
  return Walk{*this, {.tape = tape}}.apply(dna.projector.linear, to_activations(tape, input));
}

std::pair<Var, Var> Cdt::run_trunks(const ForwardPass& pass) const {
  expect_sample_independent(pass.tape);
  Walk walk{*this, pass};
  const Var r = walk.trunk(rna, pass.rna);        // (1, G, D)
  return {r, walk.trunk(protein, pass.protein)};  // (1, G, D)
}

Trunks Cdt::compute_trunks(Tape& tape, const Tensor& rna_input, const Tensor& protein_input,
                           Arena& lasting) const {
  const ForwardPass pass{
      .tape = tape, .rna = tape.constant(rna_input), .protein = tape.constant(protein_input)};
  const auto [r, p] = run_trunks(pass);
  Walk walk{*this, pass};
  const auto keep = [&](Var v) {
    const Tensor t = lasting.tensor(v->value.shape, v->value.dtype);
    tape.backend().copy(t, v->value);
    return t;
  };
  Trunks trunks{keep(r), keep(p), keep(walk.queries(dna_to_rna, r)),
                keep(walk.queries(rna_to_protein, p))};
  if (config().gene_window) {
    trunks.gene_windows = lasting.tensor(trunks.rna.shape, trunks.rna.dtype);
    const Scratch zero(tape.scratch(), trunks.rna.shape);
    tape.backend().fill(*zero, 0.0F);
    tape.backend().cast(trunks.gene_windows, *zero);
  }
  tape.clear();
  return trunks;
}

void Cdt::replace_rna(Tape& tape, const Tensor& rna_input, const Trunks& trunks) const {
  expect_sample_independent(tape);
  CDT_CHECK(!trunks.placed, "trunks that are not placed yet");
  Walk walk{*this, {.tape = tape}};
  const Var r = walk.trunk(rna, tape.constant(rna_input));  // (1, G, D)
  tape.backend().copy(trunks.rna, r->value);
  tape.backend().copy(trunks.rna_queries, walk.queries(dna_to_rna, r)->value);
  tape.clear();
}

void Cdt::read_gene_windows(Tape& tape, const Tensor& windows,
                            const std::vector<std::int32_t>& genes, const Trunks& trunks) const {
  expect_sample_independent(tape);
  CDT_CHECK(!trunks.gene_windows.empty(), "a model with gene windows");
  Backend& backend = tape.backend();
  const std::int64_t count = std::ssize(genes), d = config().hidden;
  expect_shape("cdt", "gene windows", windows, {count, windows.shape[1], config().dna_dim});
  const auto row = [d](const Tensor& of_genes, std::int32_t gene) {
    return of_genes.reshaped({of_genes.rows(), d}).slice(gene, gene + 1);
  };
  const Tensor tokens = tape.saved({count, d}, trunks.rna.dtype);
  for (std::int64_t i = 0; i < count; ++i) {
    backend.copy(tokens.slice(i, i + 1), row(trunks.rna, genes[static_cast<std::size_t>(i)]));
  }
  const ForwardPass pass{.tape = tape};
  const Var read = Walk{*this, pass}.attend_windows(tape.constant(tokens.reshaped({count, 1, d})),
                                                    tape.constant(windows));
  for (std::int64_t i = 0; i < count; ++i) {
    backend.copy(row(trunks.gene_windows, genes[static_cast<std::size_t>(i)]),
                 row(read->value, static_cast<std::int32_t>(i)));
  }
  tape.clear();
}

Trunks Cdt::place(Tape& tape, const Trunks& trunks, const Tensor& features) const {
  if (!config().gene_position) return trunks;
  expect_sample_independent(tape);
  CDT_CHECK(!trunks.placed, "trunks that are not placed yet");
  Walk walk{*this, {.tape = tape}};
  const Var r = walk.place_genes(tape.constant(trunks.rna), tape.constant(features));  // (B, G, D)
  return {r->value,
          trunks.protein,
          walk.queries(dna_to_rna, r)->value,
          trunks.protein_queries,
          trunks.gene_windows,
          true};
}

}  // namespace cdt
