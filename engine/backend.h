// The boundary between the ops and a device: memory, copies and just the kernels CDT calls. An op
// (engine/ops/) checks shapes and records gradients; a backend computes. Kernels check nothing.
//
// Conventions: tensors are row-major and contiguous unless strides are given. Token-level
// activations (B, N, ..) and their gradients are of type activations(); everything else is float32:
// parameters, their gradients, statistics, what pooling returns and what follows it. `accumulate`
// adds to the destination instead of writing it. Sums run in an order that depends on shapes only,
// so results are the same bits on every run, on the CPU at any thread count.
//
// Kernels may run later than the call (a GPU's stream); download(), wait() and synchronize() wait
// for them, and upload() has taken its source when it returns.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/arena.h"
#include "engine/kernel_types.h"

namespace cdt {

class Profiler;

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const char* name() const = 0;
  /// Type of token-level activations.
  virtual Dtype activations() const = 0;
  /// Does a training step compute the widest activations again in its backward pass, rather than
  /// keep them?
  virtual bool recomputes() const { return false; }
  /// Unit in the last place of 1 as products take it: 2^-23, 2^-10 in tf32, 2^-7 in bfloat16.
  virtual double product_unit() const = 0;

  // memory
  /// Address space, null where there is not so much; commit() makes bytes [from, to) of it usable,
  /// pages on demand where it can, and throws Error saying what there is if there is not so much.
  virtual float* reserve(std::size_t bytes) = 0;
  virtual void commit(float* base, std::size_t from, std::size_t to) = 0;
  virtual void release(float* base, std::size_t bytes) = 0;
  /// host holds dst.count() elements of dst's type.
  virtual void upload(const Tensor& dst, const void* host) = 0;
  virtual void download(void* host, const Tensor& src) = 0;
  /// Equal counts and types.
  virtual void copy(const Tensor& dst, const Tensor& src) = 0;
  /// Converts between types; to bfloat16 rounds to nearest even. Equal types: a copy.
  virtual void cast(const Tensor& dst, const Tensor& src) = 0;
  /// float32 only
  virtual void fill(const Tensor& dst, float value) = 0;

  // streams and recorded steps; on the CPU everything happens within the call
  /// Memory of the host that a device reads and writes by itself (page-locked).
  virtual void* reserve_host(std::size_t bytes) = 0;
  virtual void release_host(void* base) = 0;
  /// Starts to bring src to memory of reserve_host(); there after wait(slot). Slots 0 .. 7.
  virtual void download_later(void* host, const Tensor& src, int slot) = 0;
  virtual void wait(int slot) = 0;
  virtual void synchronize() = 0;
  /// Do kernels run behind the host?
  virtual bool asynchronous() const = 0;
  /// Does a tensor keep what is written to it? Not where only shapes are looked at.
  virtual bool holds_values() const { return true; }
  /// Memory of the device that is left; 0 where it is the host's own.
  virtual std::size_t free_bytes() const = 0;
  /// Memory of the device that tensors take up; 0 where it is the host's own.
  virtual std::size_t used_bytes() const = 0;
  /// Starts to bring dst from memory of reserve_host(), beside the kernels that run. Any thread.
  virtual void upload_later(const Tensor& dst, const void* host, int slot) = 0;
  /// The host waits: the memory that upload_later() read in this slot is free again. Any thread.
  virtual void wait_upload(int slot) = 0;
  /// cast(dst, src) once the upload of this slot, into src, is there; a later one waits for it.
  virtual void take_upload(const Tensor& dst, const Tensor& src, int slot) = 0;
  /// The step that keys of dropout masks carry from here on; call it outside run_recorded().
  virtual void begin_step(std::uint32_t step) = 0;
  /// Runs the kernels `work` asks for. A device that can records them at the second call under a
  /// name and replays the recording at later ones without calling work, so work must ask for the
  /// same kernels on the same addresses each time and leave nothing on the host. `operands`: the
  /// tensors that work reads or writes and the caller owns. Error where a replay would find one at
  /// another address, or of another shape or type, than was recorded.
  virtual void run_recorded(const std::string& name, const std::vector<Tensor>& operands,
                            const std::function<void()>& work) = 0;

  // profiles
  /// Of make_profiling_backend(), else null.
  virtual Profiler* profiler() { return nullptr; }
  /// What to know of how it computed so far, a sentence each.
  virtual std::vector<std::string> notes() const { return {}; }
  /// Notes the moment at which the kernels asked for so far have ended, under a small number. Part
  /// of a recorded step: each replay notes it again.
  virtual void mark(std::int64_t number) = 0;
  /// Seconds between two moments, each as it was noted last; after synchronize().
  virtual double seconds_between(std::int64_t from, std::int64_t to) = 0;

  // plans of memory (make_shape_backend())
  /// Take from scratch, and give back, what the kernel of that name takes; compute nothing.
  virtual void attention_scratch(const Attention& a, Arena& scratch) = 0;
  virtual void attention_backward_scratch(const AttentionBackward& a, Arena& scratch) = 0;
  virtual void pool_mix_scratch(const Tensor& p, const Tensor& x, const Tensor& mixed,
                                const Tensor& mass, Arena& scratch) = 0;
  /// Memory outside of arenas that the kernels asked for so far take at most, on the host: what
  /// each thread computes in.
  virtual std::size_t work_bytes() const = 0;

  // dense algebra
  virtual void gemm(const Gemm& g) = 0;
  /// Rows, 1 to `rows`, of the parts in which a feed-forward net from `width` to `inner` and back
  /// is best worked on.
  virtual std::int64_t feed_forward_rows(std::int64_t rows, std::int64_t width,
                                         std::int64_t inner) = 0;
  /// out(C) = sum over rows of x(R, C)
  virtual void column_sum(const Tensor& x, const Tensor& out, bool accumulate) = 0;

  // element-wise
  /// out += a
  virtual void add_to(const Tensor& out, const Tensor& a) = 0;
  /// Columns [first, first + n) of y(B, C) = x(1|B, n); float32
  virtual void put_columns(const Tensor& x, std::int64_t first, const Tensor& y) = 0;
  /// Its gradient: dx(1|B, n) (+)= those columns of dy(B, C), summed if the batch shares x
  virtual void take_columns(const Tensor& dy, std::int64_t first, const Tensor& dx,
                            bool accumulate) = 0;
  /// y(B*R, C) = x(R, C) repeated over the batch, times the mask; B*R = y.rows()
  virtual void dropout(const Tensor& x, const DropoutKey& key, const Tensor& y) = 0;
  /// dx(R, C) (+)= sum over the batch of dy(B*R, C) times the mask
  virtual void dropout_backward(const Tensor& dy, const DropoutKey& key, const Tensor& dx,
                                bool accumulate) = 0;
  /// y = mask * gelu(x), the exact erf form; y may be x. first_row: mask row of y's row 0.
  virtual void gelu_dropout(const Tensor& x, const DropoutKey& key, std::int64_t first_row,
                            const Tensor& y) = 0;
  /// dx = dy * mask * gelu'(x); dx may be dy. h = mask * gelu(x) once more, may be x, and dbias(C)
  /// += column sums of dx, or empty: not wanted.
  virtual void gelu_dropout_backward(const Tensor& x, const Tensor& dy, const DropoutKey& key,
                                     std::int64_t first_row, const Tensor& dx, const Tensor& h,
                                     const Tensor& dbias) = 0;

  // normalisation; stats (R, 2) holds mean and 1 / sqrt(var + 1e-5)
  /// y may be x
  virtual void layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, const Tensor& y,
                          const Tensor& stats) = 0;
  /// dx may be null (empty) or dy itself; dgamma, dbeta accumulate, or are empty: not wanted.
  virtual void layer_norm_backward(const Tensor& x, const Tensor& gamma, const Tensor& stats,
                                   const Tensor& dy, const Tensor& dx, const Tensor& dgamma,
                                   const Tensor& dbeta) = 0;
  /// v(R, C) = gamma(C) * r(R, C), less its mean over the row
  virtual void scale_and_centre(const Tensor& r, const Tensor& gamma, const Tensor& v) = 0;
  /// a = x + mask * a in place; x(R, C) is repeated over the batch where a has more rows
  virtual void residual_dropout(const Tensor& x, const DropoutKey& key, const Tensor& a) = 0;
  /// residual_dropout(x, key, a), then layer_norm of the sum
  virtual void residual_dropout_norm(const Tensor& x, const DropoutKey& key, const Tensor& a,
                                     const Tensor& gamma, const Tensor& beta, const Tensor& y,
                                     const Tensor& stats) = 0;
  /// The gradients of residual_dropout_norm(); overwrites dy.
  virtual void add_norm_backward(const AddNormBackward& g) = 0;

  // attention
  /// Floats of Attention::kept where the forward pass of a training step should keep its mask: the
  /// device draws masks as bits and has room for them. Else 0.
  virtual std::int64_t attention_kept_floats(const Attention& a) = 0;
  virtual void attention(const Attention& a, Arena& scratch) = 0;
  virtual void attention_backward(const AttentionBackward& a, Arena& scratch) = 0;
  /// x(R, C) row-wise softmax in place, then dropped(R, C) = mask * x; dropped may be x
  virtual void softmax_dropout(const Tensor& x, const DropoutKey& key, const Tensor& dropped) = 0;
  /// ds(R, C) from the softmax output p and the gradient of the dropped probabilities; ds may be dp
  virtual void softmax_dropout_backward(const Tensor& p, const Tensor& dp, const DropoutKey& key,
                                        const Tensor& ds) = 0;

  // pooling: x(B, N, D) in the type of activations, all else float32
  /// out(B, H, N) = scale * (u(1|B, H, D) . x + shift(B, H)); shift may be empty
  virtual void pool_scores(const Tensor& u, const Tensor& x, const Tensor& shift, float scale,
                           const Tensor& out) = 0;
  /// mixed(1|B, H, D) = sum over N of p(B, H, N) x, a leading 1: over the batch too;
  /// mass(B, H) = sum over N of p, or empty: not wanted
  virtual void pool_mix(const Tensor& p, const Tensor& x, const Tensor& mixed, const Tensor& mass,
                        Arena& scratch) = 0;
  /// out(B, N, C) = sum over H of ds(B, H, N) u(1, H, C) + p(B, H, N) dmixed(B, H, C)
  ///                + scale(B, N) base(B, N, C);  base empty: none, scale empty: 1, out may be base
  virtual void pool_outer(const Tensor& ds, const Tensor& u, const Tensor& p, const Tensor& dmixed,
                          const Tensor& scale, const Tensor& base, const Tensor& out) = 0;
  /// Through a layer norm in front of a pooling: b(2H, N) = ds(1, H, N), then p(1, H, N), times the
  /// scale of the token in stats(N, 2); own(1, N) = -sum over 2H of b slope(1, 2H, N)
  virtual void norm_factors(const Tensor& ds, const Tensor& p, const Tensor& slope,
                            const Tensor& stats, const Tensor& b, const Tensor& own) = 0;

  // loss and selection
  /// out(B) = x(B, G)[b, index(B)[b]]
  virtual void select(const Tensor& x, const Tensor& index, const Tensor& out) = 0;
  /// dx(B, G) = 0 but dx[b, index(B)[b]] = dout[b]
  virtual void select_backward(const Tensor& dout, const Tensor& index, const Tensor& dx) = 0;
  /// out(1) = mean over B of Huber(prediction - target), delta > 0 (SmoothL1 * delta)
  virtual void huber(const Tensor& prediction, const Tensor& target, float delta,
                     const Tensor& out) = 0;
  /// dprediction(B) = dloss(1) * d huber / d prediction
  virtual void huber_backward(const Tensor& prediction, const Tensor& target, float delta,
                              const Tensor& dloss, const Tensor& dprediction) = 0;

  // optimiser and reductions
  /// clip(2) = the L2 norm over all gradients, summed in float64, and clip_factor(norm, max_norm).
  virtual void clip(std::span<const AdamWTensors> parameters, double max_norm,
                    const Tensor& clip) = 0;
  /// One update of all parameters at rates(8), an AdamWRates, gradients times clip[1]. If the norm
  /// clip[0] is not finite, nothing changes.
  virtual void adamw(std::span<const AdamWTensors> parameters, const Tensor& rates,
                     const Tensor& clip) = 0;
  /// out(R) = sqrt(max(0, sum over columns of a(R, C) * b(R, C))), summed in float64
  virtual void row_dot_sqrt(const Tensor& a, const Tensor& b, const Tensor& out) = 0;
};

/// The values of t, float32 or bfloat16, on the host.
std::vector<float> to_host(Backend& backend, const Tensor& t);

/// A tensor in float32: itself, or a copy in scratch.
class InFloat32 {
 public:
  InFloat32(Backend& backend, const Tensor& t, Arena& scratch) : tensor_(t) {
    if (t.dtype == Dtype::kFloat32) return;
    copy_.emplace(scratch, t.shape);
    tensor_ = **copy_;
    backend.cast(tensor_, t);
  }
  const Tensor& operator*() const { return tensor_; }
  const Tensor* operator->() const { return &tensor_; }

 private:
  std::optional<Scratch> copy_;
  Tensor tensor_;
};

/// The CPU backend: oneDNN and threads of our own. threads 0: OMP_NUM_THREADS, else the cores this
/// process may run on.
std::unique_ptr<Backend> make_cpu_backend(int threads);

/// Passes every call on to `device` and keeps a profile of its kernels: Backend::profiler().
std::unique_ptr<Backend> make_profiling_backend(std::unique_ptr<Backend> device);

/// A device that computes nothing: its tensors have addresses but no memory, its kernels look at
/// shapes alone, downloads are zeros. Arenas count what a program asks of it, so a step that runs
/// on it shows the memory that the step takes on `device`, which says what types activations have,
/// what its kernels take from scratch and whether it has memory of its own, of which none is free;
/// it must outlive this. host_bytes, if given, counts reserve_host().
std::unique_ptr<Backend> make_shape_backend(Backend& device, std::size_t* host_bytes = nullptr);

/// Is the CUDA backend part of this build, with cuDNN, and can it use the first GPU?
bool cuda_built();
bool cudnn_built();
bool cuda_available();
/// Why not, in one sentence; "" where it is.
std::string cuda_problem();

enum class Precision { kFloat32, kBFloat16x3, kTf32, kBFloat16 };

/// Who computes attention in bfloat16 without dropout. kCudnn: cuDNN where it is there and, at the
/// first use of a shape, does what our kernels do. kAuto: whichever was measured to be faster on
/// the GPU.
enum class AttentionChoice { kAuto, kOwn, kCudnn };

struct CudaOptions {
  int device = 0;  // number of the GPU
  /// kFloat32: true float32. kBFloat16x3: matrix products on tensor cores, each float32 operand in
  /// three bfloat16 parts. kTf32: matrix products with 10-bit mantissas. kBFloat16: activations and
  /// matrix products in bfloat16, sums in float32.
  Precision precision = Precision::kFloat32;
  bool graphs = true;  // run_recorded() records; else it only runs
  /// But in true float32, attention in tiles where there are kernels for its sizes; else, and for
  /// the rest, by way of score matrices.
  bool fused_attention = true;
  /// In bfloat16, training computes what is before the activation of a feed-forward net twice and
  /// does not keep it: 12 % more products, 0.55 GB less at the model's size and batch 8.
  bool recompute = true;
  AttentionChoice attention = AttentionChoice::kAuto;
  /// Matrix products from cuBLASLt where it has an algorithm; else, and for the rest, from a plain
  /// kernel.
  bool library_products = true;
  /// Where a product's result is float32, as weights' gradients are, cuBLASLt may add what it split
  /// over k by any of its schemes, in place too; else only in a pass of its own.
  bool any_reduction = false;
};

/// The CUDA backend. InputError where cuda_available() is false or there is no such GPU. Without
/// CUDA in the build, engine/no_cuda.cc replaces these.
std::unique_ptr<Backend> make_cuda_backend(const CudaOptions& options);

}  // namespace cdt
