// The interface between the ops and a device: memory, copies and exactly the kernels CDT calls. An
// op (engine/ops/) checks shapes and records gradients; a backend computes. Kernels check nothing.
//
// Conventions: tensors are row-major and contiguous unless strides are given. Token-level
// activations (B, N, ..) and their gradients have the type activations(); everything else is
// float32: parameters, their gradients, statistics, the output of pooling and everything after it.
// `accumulate` adds to the destination instead of overwriting it. Summation order depends on shapes
// only, so every run gives the same bits, on the CPU at any thread count.
//
// Kernels may run after the call returns (on a GPU's stream); download(), wait() and synchronize()
// wait for them. upload() has read its source when it returns.
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
#include "engine/device_facts.h"
#include "engine/kernel_types.h"

namespace cdt {

class Communicator;
class Profiler;

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const char* name() const = 0;
  /// The type of token-level activations.
  virtual Dtype activations() const = 0;
  /// True if a training step recomputes the widest activations in its backward pass instead of
  /// keeping them.
  virtual bool recomputes() const { return false; }
  /// The unit in the last place of 1 in the type products read: 2^-23, 2^-10 in tf32, 2^-7 in
  /// bfloat16.
  virtual double product_unit() const = 0;

  // memory
  /// Reserves address space; returns null if there is not enough. commit() makes its bytes [from,
  /// to) usable, on demand page by page where possible; if memory is short it throws an Error that
  /// states how much there is.
  virtual float* reserve(std::size_t bytes) = 0;
  virtual void commit(float* base, std::size_t from, std::size_t to) = 0;
  virtual void release(float* base, std::size_t bytes) = 0;
  /// `host` holds dst.count() elements of dst's type.
  virtual void upload(const Tensor& dst, const void* host) = 0;
  virtual void download(void* host, const Tensor& src) = 0;
  /// dst and src have equal counts and types.
  virtual void copy(const Tensor& dst, const Tensor& src) = 0;
  /// Converts between types; conversion to bfloat16 rounds to nearest even. Equal types: a copy.
  virtual void cast(const Tensor& dst, const Tensor& src) = 0;
  /// dst is float32.
  virtual void fill(const Tensor& dst, float value) = 0;

  // streams and recorded steps; on the CPU all of these complete within the call
  /// Allocates pinned (page-locked) host memory, which the device accesses directly.
  virtual void* reserve_host(std::size_t bytes) = 0;
  virtual void release_host(void* base) = 0;
  /// Starts an asynchronous copy of src to memory of reserve_host(), complete after wait(slot).
  /// Slots are 0 .. 7.
  virtual void download_later(void* host, const Tensor& src, int slot) = 0;
  virtual void wait(int slot) = 0;
  virtual void synchronize() = 0;
  /// Connects the ranks of a run (engine/ranks/), all of which call this at the same point, for
  /// sums of this device's tensors. `hosts`, which must outlive the result, carries all other
  /// calls. Null if it also sums these tensors, as those in host memory. Throws InputError if the
  /// library for it is missing, RankEnded if it is on another rank.
  virtual std::unique_ptr<Communicator> device_ranks(Communicator& hosts);
  /// True if kernels run asynchronously to the host.
  virtual bool asynchronous() const = 0;
  /// True if a tensor keeps what is written to it; false for a backend that only looks at shapes.
  virtual bool holds_values() const { return true; }
  /// Free device memory in bytes; 0 if the device uses host memory.
  virtual std::size_t free_bytes() const = 0;
  /// Device memory in bytes that tensors occupy; 0 if the device uses host memory.
  virtual std::size_t used_bytes() const = 0;
  /// Starts an asynchronous copy to dst from memory of reserve_host(), concurrent with kernels.
  /// Callable from any thread.
  virtual void upload_later(const Tensor& dst, const void* host, int slot) = 0;
  /// Waits on the host until upload_later() of this slot has read its source, which is then free
  /// for reuse. Callable from any thread.
  virtual void wait_upload(int slot) = 0;
  /// cast(dst, src) after this slot's upload into src has completed; the slot's next upload waits
  /// for the cast.
  virtual void take_upload(const Tensor& dst, const Tensor& src, int slot) = 0;
  /// Sets the step in the keys of dropout masks from here on; call it outside run_recorded().
  virtual void begin_step(std::uint32_t step) = 0;
  /// Runs the kernels that `work` launches. A device that can captures them at the second call
  /// under a name and replays the capture at later calls, without calling work. So work must launch
  /// the same kernels on the same addresses each time and leave no result on the host. `operands`:
  /// tensors that work reads or writes and the caller owns. Throws Error if a replay finds one at
  /// another address, or of another shape or type, than was captured.
  virtual void run_recorded(const std::string& name, const std::vector<Tensor>& operands,
                            const std::function<void()>& work) = 0;

  // profiles
  /// The profiler of a make_profiling_backend(); null for other backends.
  virtual Profiler* profiler() { return nullptr; }
  /// Remarks on how the backend has computed so far, one sentence each.
  virtual std::vector<std::string> notes() const { return {}; }
  virtual DeviceFacts facts() const = 0;
  /// Records, under a small number, the time at which the kernels launched so far have finished. It
  /// becomes part of a recorded step: each replay records it again.
  virtual void mark(std::int64_t number) = 0;
  /// Seconds between two marks, each as recorded last; call after synchronize().
  virtual double seconds_between(std::int64_t from, std::int64_t to) = 0;

  // memory planning (make_shape_backend())
  /// Allocate and free the scratch memory that the kernel of that name uses; compute nothing.
  virtual void attention_scratch(const Attention& a, Arena& scratch) = 0;
  virtual void attention_backward_scratch(const AttentionBackward& a, Arena& scratch) = 0;
  virtual void pool_mix_scratch(const Tensor& p, const Tensor& x, const Tensor& mixed,
                                const Tensor& mass, Arena& scratch) = 0;
  /// Peak host memory in bytes, outside the arenas, of the kernels requested so far: the workspaces
  /// of all threads.
  virtual std::size_t work_bytes() const = 0;

  // dense algebra
  virtual void gemm(const Gemm& g) = 0;
  /// Rows, 1 to `rows`, to process at a time in a feed-forward net from `width` to `inner` and
  /// back.
  virtual std::int64_t feed_forward_rows(std::int64_t rows, std::int64_t width,
                                         std::int64_t inner) = 0;
  /// out(C) = sum over rows of x(R, C)
  virtual void column_sum(const Tensor& x, const Tensor& out, bool accumulate) = 0;

  // element-wise
  /// out += a
  virtual void add_to(const Tensor& out, const Tensor& a) = 0;
  /// Columns [first, first + n) of y(B, C) = x(1|B, n); float32.
  virtual void put_columns(const Tensor& x, std::int64_t first, const Tensor& y) = 0;
  /// The gradient of put_columns(): dx(1|B, n) (+)= those columns of dy(B, C), summed over the
  /// batch if it shares x.
  virtual void take_columns(const Tensor& dy, std::int64_t first, const Tensor& dx,
                            bool accumulate) = 0;
  /// y(B*R, C) = x(R, C) repeated over the batch, times the mask; B*R = y.rows()
  virtual void dropout(const Tensor& x, const DropoutKey& key, const Tensor& y) = 0;
  /// dx(R, C) (+)= sum over the batch of dy(B*R, C) times the mask
  virtual void dropout_backward(const Tensor& dy, const DropoutKey& key, const Tensor& dx,
                                bool accumulate) = 0;
  /// y = mask * gelu(x), the exact erf form; y may be x. first_row: mask row of y's row 0,
  /// counted from key.first_row.
  virtual void gelu_dropout(const Tensor& x, const DropoutKey& key, std::int64_t first_row,
                            const Tensor& y) = 0;
  /// dx = dy * mask * gelu'(x), h = mask * gelu(x) recomputed, dbias(C) += column sums of dx. dx
  /// may be dy, h may be x; an empty h or dbias is not computed.
  virtual void gelu_dropout_backward(const Tensor& x, const Tensor& dy, const DropoutKey& key,
                                     std::int64_t first_row, const Tensor& dx, const Tensor& h,
                                     const Tensor& dbias) = 0;

  // normalisation; stats (R, 2) holds mean and 1 / sqrt(var + 1e-5)
  /// y may be x
  virtual void layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, const Tensor& y,
                          const Tensor& stats) = 0;
  /// dx may be dy. dgamma and dbeta are added to. Empty gradients are not computed.
  virtual void layer_norm_backward(const Tensor& x, const Tensor& gamma, const Tensor& stats,
                                   const Tensor& dy, const Tensor& dx, const Tensor& dgamma,
                                   const Tensor& dbeta) = 0;
  /// v(R, C) = gamma(C) * r(R, C) minus its mean over the row
  virtual void scale_and_centre(const Tensor& r, const Tensor& gamma, const Tensor& v) = 0;
  /// a = x + mask * a, in-place; x(R, C) is repeated over the batch if a has more rows
  virtual void residual_dropout(const Tensor& x, const DropoutKey& key, const Tensor& a) = 0;
  /// residual_dropout(x, key, a), then layer_norm of the sum
  virtual void residual_dropout_norm(const Tensor& x, const DropoutKey& key, const Tensor& a,
                                     const Tensor& gamma, const Tensor& beta, const Tensor& y,
                                     const Tensor& stats) = 0;
  /// Computes the gradients of residual_dropout_norm(); overwrites dy.
  virtual void add_norm_backward(const AddNormBackward& g) = 0;

  // attention
  /// Size in floats of Attention::kept if the forward pass of a training step should keep its
  /// dropout mask, i.e. if the device stores masks as bits and has room for them; else 0.
  virtual std::int64_t attention_kept_floats(const Attention& a) = 0;
  virtual void attention(const Attention& a, Arena& scratch) = 0;
  virtual void attention_backward(const AttentionBackward& a, Arena& scratch) = 0;
  /// Row-wise softmax of x(R, C) in-place, then dropped(R, C) = mask * x; dropped may be x.
  virtual void softmax_dropout(const Tensor& x, const DropoutKey& key, const Tensor& dropped) = 0;
  /// Computes ds(R, C) from the softmax output p and the gradient dp of the dropped probabilities;
  /// ds may be dp.
  virtual void softmax_dropout_backward(const Tensor& p, const Tensor& dp, const DropoutKey& key,
                                        const Tensor& ds) = 0;

  // pooling: x(B, N, D) has the type of activations, everything else is float32
  /// out(B, H, N) = scale * (u(1|B, H, D) . x + shift(B, H)); shift may be empty
  virtual void pool_scores(const Tensor& u, const Tensor& x, const Tensor& shift, float scale,
                           const Tensor& out) = 0;
  /// mixed(1|B, H, D) = sum over N of p(B, H, N) x; with a leading 1 also over the batch
  /// mass(B, H) = sum over N of p, or empty if not wanted
  virtual void pool_mix(const Tensor& p, const Tensor& x, const Tensor& mixed, const Tensor& mass,
                        Arena& scratch) = 0;
  /// out(B, N, C) = sum over H of ds(B, H, N) u(1, H, C) + p(B, H, N) dmixed(B, H, C)
  ///                + scale(B, N) base(B, N, C)
  /// out may be base; an empty base adds nothing, an empty scale is 1.
  virtual void pool_outer(const Tensor& ds, const Tensor& u, const Tensor& p, const Tensor& dmixed,
                          const Tensor& scale, const Tensor& base, const Tensor& out) = 0;
  /// The gradient factors of a layer norm followed by pooling. b(2H, N): the H rows of ds(1, H, N),
  /// then those of p(1, H, N), each times the token's scale in stats(N, 2). own(1, N) = -sum over
  /// 2H of b slope(1, 2H, N).
  virtual void norm_factors(const Tensor& ds, const Tensor& p, const Tensor& slope,
                            const Tensor& stats, const Tensor& b, const Tensor& own) = 0;

  // loss and selection
  /// out(B) = x(B, G)[b, index(B)[b]]
  virtual void select(const Tensor& x, const Tensor& index, const Tensor& out) = 0;
  /// dx(B, G) = 0 except dx[b, index(B)[b]] = dout[b]
  virtual void select_backward(const Tensor& dout, const Tensor& index, const Tensor& dx) = 0;
  /// out(1) = mean over B of weight * Huber(prediction - target), delta > 0 (SmoothL1 * delta); an
  /// empty weight is 1
  virtual void huber(const Tensor& prediction, const Tensor& target, const Tensor& weight,
                     float delta, const Tensor& out) = 0;
  /// dprediction(B) = dloss(1) * d huber / d prediction
  virtual void huber_backward(const Tensor& prediction, const Tensor& target, const Tensor& weight,
                              float delta, const Tensor& dloss, const Tensor& dprediction) = 0;

  // optimiser and reductions
  /// clip(2) = the L2 norm over all gradients, summed in float64, and clip_factor(norm, max_norm)
  virtual void clip(std::span<const AdamWTensors> parameters, double max_norm,
                    const Tensor& clip) = 0;
  /// Updates each parameter with its group's row of rates(groups, 8), an AdamWRates, and gradients
  /// times clip[1]. If the norm clip[0] is not finite, nothing changes.
  virtual void adamw(std::span<const AdamWTensors> parameters, const Tensor& rates,
                     const Tensor& clip) = 0;
  /// out(R) = sqrt(max(0, sum over columns of a(R, C) * b(R, C))), summed in float64
  virtual void row_dot_sqrt(const Tensor& a, const Tensor& b, const Tensor& out) = 0;
  /// Rows r of x(R, C) with keep(R)[r] = 0 become 0.
  virtual void zero_rows(const Tensor& keep, const Tensor& x) = 0;
};

/// Copies the values of t, float32 or bfloat16, to the host.
std::vector<float> to_host(Backend& backend, const Tensor& t);

/// A float32 view of a tensor: the tensor itself, or a converted copy in scratch.
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

/// Makes the CPU backend: oneDNN and our own thread pool. threads 0: OMP_NUM_THREADS, else the
/// number of cores this process may run on.
std::unique_ptr<Backend> make_cpu_backend(int threads);

/// Makes a backend that forwards every call to `device` and profiles its kernels
/// (Backend::profiler()).
std::unique_ptr<Backend> make_profiling_backend(std::unique_ptr<Backend> device);

/// Makes a device that computes nothing: its tensors have addresses but no memory, its kernels look
/// at shapes only, and downloads are zeros. The arenas of a step that runs on it measure the memory
/// the step would take on `device`. `device`, which must outlive it, supplies the type of
/// activations, the scratch needs of its kernels, and whether it has memory of its own (then
/// reported as full). host_bytes, if given, sums the sizes passed to reserve_host().
std::unique_ptr<Backend> make_shape_backend(Backend& device, std::size_t* host_bytes = nullptr);

/// Whether this build has the CUDA backend, whether it has cuDNN, and whether the first GPU is
/// usable.
bool cuda_built();
bool cudnn_built();
bool cuda_available();
/// Why the GPU is not usable, in one sentence; "" if it is.
std::string cuda_problem();

enum class Precision { kFloat32, kBFloat16x3, kTf32, kBFloat16 };

/// Which library computes bfloat16 attention without dropout. kCudnn: cuDNN if it is there and its
/// results matched our kernels' at the first use of a shape. kAuto: whichever was measured to be
/// faster on this GPU.
enum class AttentionChoice { kAuto, kOwn, kCudnn };

struct CudaOptions {
  int device = 0;  // index of the GPU
  /// kFloat32: true float32. kBFloat16x3: matrix products on tensor cores, each float32 operand
  /// split into three bfloat16 parts. kTf32: matrix products with 10-bit mantissas. kBFloat16:
  /// activations and matrix products in bfloat16, sums in float32.
  Precision precision = Precision::kFloat32;
  bool graphs = true;  // run_recorded() captures a CUDA graph; false: it only runs the work
  /// Use fused (tiled) attention if a kernel exists for the sizes, except in true float32;
  /// otherwise attention uses score matrices in memory.
  bool fused_attention = true;
  /// In bfloat16 training, recompute the feed-forward net's pre-activation instead of keeping it:
  /// 12 % more products, 0.55 GB less at the model's size and batch 8.
  bool recompute = true;
  AttentionChoice attention = AttentionChoice::kAuto;
  /// Use cuBLASLt for matrix products where it has an algorithm; otherwise a plain kernel.
  bool library_products = true;
  /// For products with a float32 result, such as weight gradients, let cuBLASLt combine split-k
  /// partial sums by any of its schemes, including in-place; false: only in a separate pass.
  bool any_reduction = false;
};

/// Makes the CUDA backend. Throws InputError if cuda_available() is false or there is no such GPU.
/// In builds without CUDA, engine/no_cuda.cc implements these functions.
std::unique_ptr<Backend> make_cuda_backend(const CudaOptions& options);

}  // namespace cdt
