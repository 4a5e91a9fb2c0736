// Attention backward. Probabilities are recomputed from log_sum_exp in blocks of queries by keys.
// With m the mask over 1 - p, P the probabilities and D_i = dout_i . out_i:
//   dv = (P m)^T dout           dS = P (m (dout v^T) - D)
//   dq = dS k / sqrt(K)         dk = dS^T q / sqrt(K)
// If the batch shares q and k, P is computed once and dS is summed over the batch before the last
// two products. Several cotangents of one sample are such a batch, but each has its own gradients.
#include <algorithm>
#include <optional>

#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/dropout_mask.h"
#include "engine/cpu/parallel.h"
#include "engine/cpu/vector_math.h"
#include "engine/kernel_types.h"

namespace cdt {
namespace {

constexpr std::int64_t kQueryBlock = 192;
constexpr std::int64_t kKeyBlock = 192;  // a multiple of the 64 columns of a mask group
constexpr std::int64_t kBlock = kQueryBlock * kKeyBlock;
constexpr std::int64_t kLeastTasks = 16;  // if heads and samples give fewer, keys are split

/// A block of scores: queries [row, row + rows) by keys [col, col + cols) of one head.
struct ScoreBlock {
  std::int64_t head, row, rows, col, cols;
};

/// One thread's ScoreBlock-sized buffers. With one sample per block, masked is p and ds is dp.
struct BlockBuffers {
  float *p, *masked, *dp, *ds;
};

/// to(rows, cols) = (or +=) the sum over c < count of the dense (rows, cols) at from + c * stride.
void sum_parts(int threads, const HeadsView& to, std::int64_t rows, std::int64_t cols,
               const float* from, std::int64_t count, std::int64_t stride, bool add) {
  for_rows(threads, rows, cols, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      float* row = to.data + r * to.row_stride;
      for_lanes(cols, [&](std::int64_t i, int lanes) CDT_INLINE {
        F32 sum = add ? load(row + i, lanes) : F32{};
        for (std::int64_t c = 0; c < count; ++c) {
          sum += load(from + c * stride + r * cols + i, lanes);
        }
        store(row + i, sum, lanes);
      });
    }
  });
}

/// Where blocks write the gradient of an operand: directly, or, if samples share the operand but
/// not the scores, to one part per sample, which finish() sums.
class SampleParts {
 public:
  SampleParts(const Attention& f, const HeadsView& operand, const HeadsView& gradient,
              std::int64_t rows, Arena& scratch)
      : gradient_(gradient),
        view_(gradient),
        rows_(rows),
        width_(f.heads * f.head_dim),
        batch_(f.batch) {
    if (gradient.data == nullptr || f.batch == 1 || operand.batch_stride != 0 || scores_shared(f)) {
      return;
    }
    parts_.emplace(scratch, Shape{f.batch, rows, width_});
    view_ = {parts_->data(), width_, rows * width_};
  }
  const HeadsView& view() const { return view_; }
  void finish(int threads) const {
    if (!parts_) return;
    sum_parts(threads, gradient_, rows_, width_, parts_->data(), batch_, rows_ * width_, false);
  }

 private:
  HeadsView gradient_, view_;
  std::int64_t rows_, width_, batch_;
  std::optional<Scratch> parts_;
};

/// How the work is split. dq is a sum over key blocks: each task takes a run of consecutive key
/// blocks, and the sums of the runs are added at the end.
struct BackwardPlan {
  Attention f;
  HeadsView dout;
  bool own_gradients;      // one per sample of a score block instead of their sum
  std::int64_t samples;    // samples that share one score block
  std::int64_t gradients;  // number of gradients of q and of k
  std::int64_t units, width;
  Cut runs;

  explicit BackwardPlan(const AttentionBackward& a)
      : f(forward_of(a)),
        dout(dense_view(f, a.dout)),
        own_gradients(a.cotangents > 1),
        samples(scores_shared(f) ? f.batch : 1),
        gradients(own_gradients ? f.batch : f.batch / samples),
        units(f.batch / samples * f.heads),
        width(f.heads * f.head_dim),
        runs(runs_of(ceil_div(f.keys, kKeyBlock), a.dq.data != nullptr)) {}
  std::int64_t run_rows() const { return gradients * f.queries; }
  /// Number of blocks in a thread's workspace.
  std::int64_t blocks() const { return samples > 1 ? 4 : 2; }

 private:
  Cut runs_of(std::int64_t key_blocks, bool wants_dq) const {
    const std::int64_t want = wants_dq ? ceil_div(kLeastTasks, units) : key_blocks;
    return {key_blocks, ceil_div(key_blocks, std::min(key_blocks, want)), 1};
  }
};

/// The scratch memory of the backward pass, with the gradients that go through it, and its mask.
struct BackwardScratch {
  const BackwardPlan& plan;
  SampleParts dq, dk, dv;
  std::optional<Scratch> run_sums;  // dq of the runs after the first
  Scratch dots;                     // D, (B, H, Nq)
  MaskColumns mask;

  BackwardScratch(const AttentionBackward& a, const BackwardPlan& cut, Arena& scratch)
      : plan(cut),
        dq(plan.f, plan.f.q, a.dq, plan.f.queries, scratch),
        dk(plan.f, plan.f.k, a.dk, plan.f.keys, scratch),
        dv(plan.f, plan.f.v, a.dv, plan.f.keys, scratch),
        dots(scratch, {plan.f.batch, plan.f.heads, plan.f.queries}),
        mask(plan.f.dropout, plan.f.keys) {
    if (a.dq.data != nullptr && plan.runs.count > 1) {
      run_sums.emplace(scratch, Shape{plan.runs.count - 1, plan.run_rows(), plan.width});
    }
  }
  bool wants_scores() const { return dq.view().data != nullptr || dk.view().data != nullptr; }
};

/// D(B, H, Nq) = sum over K of dout * out; cotangents share the one sample's out.
void row_dots(int threads, const Attention& f, const float* dout, float* dots) {
  const std::int64_t own_rows = f.out.rows() * f.heads;  // a row: the K values of one head
  for_rows(threads, f.batch * f.queries * f.heads, f.head_dim,
           [&](std::int64_t begin, std::int64_t end) {
             for (std::int64_t row = begin; row < end; ++row) {
               const float* up = dout + row * f.head_dim;
               const float* out = f.out.data + row % own_rows * f.head_dim;
               const std::int64_t r = row / f.heads;
               dots[(r / f.queries * f.heads + row % f.heads) * f.queries + r % f.queries] =
                   sum_over<F32>(f.head_dim, [&](std::int64_t i, int lanes) CDT_INLINE {
                     return load(up + i, lanes) * load(out + i, lanes);
                   });
             }
           });
}

/// p = e^(q k^T / sqrt(K) - log_sum_exp)
void recompute_probabilities(const Attention& f, std::int64_t b, const ScoreBlock& k, float* p) {
  sgemm(false, true, k.rows, k.cols, f.head_dim, score_scale(f), head_row(f.q, f, b, k.head, k.row),
        f.q.row_stride, head_row(f.k, f, b, k.head, k.col), f.k.row_stride, 0.0F, p, k.cols);
  const float* log_sum_exp = f.log_sum_exp.data + (b * f.heads + k.head) * f.queries + k.row;
  for (std::int64_t i = 0; i < k.rows; ++i) {
    float* row = p + i * k.cols;
    const F32 shift = splat(log_sum_exp[i]);
    for_lanes(k.cols, [&](std::int64_t j, int lanes) CDT_INLINE {
      store(row + j, exponential(load(row + j, lanes) - shift), lanes);
    });
  }
}

/// masked = P m
void mask_only(const BackwardScratch& m, std::int64_t b, const ScoreBlock& k,
               const BlockBuffers& w) {
  const Attention& f = m.plan.f;
  const F32 scale = splat(f.dropout.scale());
  for (std::int64_t i = 0; i < k.rows; ++i) {
    const std::int64_t at = i * k.cols - k.col;
    m.mask.for_kept(mask_row(f, b, k.head, k.row + i), k.col, k.col + k.cols,
                    [&](std::int64_t j, int lanes, I32 kept) CDT_INLINE {
                      const F32 p = load(w.p + at + j, lanes);
                      store(w.masked + at + j, keep_where(kept, p * scale), lanes);
                    });
  }
}

/// masked = P m and ds (+)= P (m dP - D)
void mask_and_score_gradient(const BackwardScratch& m, std::int64_t b, const ScoreBlock& k,
                             const BlockBuffers& w, bool add) {
  const Attention& f = m.plan.f;
  const F32 scale = splat(f.dropout.scale());
  const float* dots = m.dots.data() + (b * f.heads + k.head) * f.queries + k.row;
  for (std::int64_t i = 0; i < k.rows; ++i) {
    const std::int64_t at = i * k.cols - k.col;
    const F32 dot = splat(dots[i]);
    m.mask.for_kept(mask_row(f, b, k.head, k.row + i), k.col, k.col + k.cols,
                    [&](std::int64_t j, int lanes, I32 kept) CDT_INLINE {
                      const F32 p = load(w.p + at + j, lanes);
                      const F32 mask = keep_where(kept, scale);
                      const F32 ds = p * (load(w.dp + at + j, lanes) * mask - dot);
                      store(w.masked + at + j, p * mask, lanes);
                      store(w.ds + at + j, add ? load(w.ds + at + j, lanes) + ds : ds, lanes);
                    });
  }
}

/// One sample's contribution: dv, and its term of ds.
void sample_part(const BackwardScratch& m, std::int64_t b, bool first_sample, const ScoreBlock& k,
                 const BlockBuffers& w) {
  const Attention& f = m.plan.f;
  const float* dout = head_row(m.plan.dout, f, b, k.head, k.row);
  if (m.wants_scores()) {
    sgemm(false, true, k.rows, k.cols, f.head_dim, 1.0F, dout, m.plan.dout.row_stride,
          head_row(f.v, f, b, k.head, k.col), f.v.row_stride, 0.0F, w.dp, k.cols);
    mask_and_score_gradient(m, b, k, w, !first_sample && !m.plan.own_gradients);
  } else {
    mask_only(m, b, k, w);
  }
  const HeadsView& dv = m.dv.view();
  if (dv.data != nullptr) {
    const bool add = k.row > 0 || (!first_sample && dv.batch_stride == 0);
    sgemm(true, false, k.cols, f.head_dim, k.rows, 1.0F, w.masked, k.cols, dout,
          m.plan.dout.row_stride, add ? 1.0F : 0.0F, head_row(dv, f, b, k.head, k.col),
          dv.row_stride);
  }
}

/// dq and dk of sample b from ds. If `dq_add`, dq adds to that of earlier key blocks.
void query_and_key_part(const BackwardScratch& m, std::int64_t b, const ScoreBlock& k,
                        const HeadsView& dq, bool dq_add, const BlockBuffers& w) {
  const Attention& f = m.plan.f;
  if (dq.data != nullptr) {
    sgemm(false, false, k.rows, f.head_dim, k.cols, score_scale(f), w.ds, k.cols,
          head_row(f.k, f, b, k.head, k.col), f.k.row_stride, dq_add ? 1.0F : 0.0F,
          head_row(dq, f, b, k.head, k.row), dq.row_stride);
  }
  const HeadsView& dk = m.dk.view();
  if (dk.data != nullptr) {
    sgemm(true, false, k.cols, f.head_dim, k.rows, score_scale(f), w.ds, k.cols,
          head_row(f.q, f, b, k.head, k.row), f.q.row_stride, k.row > 0 ? 1.0F : 0.0F,
          head_row(dk, f, b, k.head, k.col), dk.row_stride);
  }
}

/// Computes one block for its samples, starting at `begin`.
void block_part(const BackwardScratch& m, std::int64_t begin, const ScoreBlock& k,
                const HeadsView& dq, bool dq_add, const BlockBuffers& w) {
  recompute_probabilities(m.plan.f, begin, k, w.p);
  for (std::int64_t b = begin; b < begin + m.plan.samples; ++b) {
    sample_part(m, b, b == begin, k, w);
    if (m.plan.own_gradients) query_and_key_part(m, b, k, dq, dq_add, w);
  }
  if (!m.plan.own_gradients) query_and_key_part(m, begin, k, dq, dq_add, w);
}

/// Adds the sums of the runs after the first to dq.
void add_run_sums(int threads, const BackwardScratch& memory) {
  if (!memory.run_sums) return;
  const BackwardPlan& plan = memory.plan;
  const std::int64_t size = plan.f.queries * plan.width;
  for (std::int64_t g = 0; g < plan.gradients; ++g) {
    HeadsView to = memory.dq.view();
    to.data += g * to.batch_stride;
    sum_parts(threads, to, plan.f.queries, plan.width, memory.run_sums->data() + g * size,
              plan.runs.count - 1, plan.run_rows() * plan.width, true);
  }
}

}  // namespace

void CpuBackend::attention_backward_scratch(const AttentionBackward& a, Arena& scratch) {
  const BackwardPlan plan(a);
  const BackwardScratch memory(a, plan, scratch);
  need_work_areas(plan.blocks() * kBlock);
}

void CpuBackend::attention_backward(const AttentionBackward& a, Arena& scratch) {
  const BackwardPlan plan(a);
  const Attention& f = plan.f;
  const Cut& runs = plan.runs;
  const BackwardScratch memory(a, plan, scratch);
  need_work_areas(plan.blocks() * kBlock);
  if (memory.wants_scores()) row_dots(threads_, f, a.dout.data, memory.dots.data());

  const std::int64_t run_size = plan.run_rows() * plan.width;
  const Cut query_cut(f.queries, kQueryBlock, 8);
  const int threads = threads_for(threads_, score_products(f));
  parallel_for(threads, plan.units * runs.count, [&](std::int64_t task, int thread) {
    float* base = work_area(thread);
    const bool shared = plan.samples > 1;
    const BlockBuffers w{base, shared ? base + 2 * kBlock : base, base + kBlock,
                         shared ? base + 3 * kBlock : base + kBlock};
    const std::int64_t run = task % runs.count;
    const std::int64_t unit = task / runs.count;
    HeadsView dq_run = memory.dq.view();
    if (memory.run_sums && run > 0) {
      dq_run = {memory.run_sums->data() + (run - 1) * run_size, plan.width, f.queries * plan.width};
    }
    for (std::int64_t j = runs.begin(run); j < runs.begin(run) + runs.length(run); ++j) {
      for (std::int64_t i = 0; i < query_cut.count; ++i) {
        const ScoreBlock block{unit % f.heads, query_cut.begin(i), query_cut.length(i),
                               j * kKeyBlock, std::min(kKeyBlock, f.keys - j * kKeyBlock)};
        block_part(memory, unit / f.heads, block, dq_run, j > runs.begin(run), w);
      }
    }
  });

  add_run_sums(threads_, memory);
  for (const SampleParts* part : {&memory.dq, &memory.dk, &memory.dv}) part->finish(threads_);
}

}  // namespace cdt
