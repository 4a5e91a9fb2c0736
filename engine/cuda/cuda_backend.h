// The CUDA backend: one GPU, one stream for kernels and one for uploads. Each kernel is in the
// file of its name or family, next to the call that launches it. Nothing here synchronises but what
// engine/backend.h says waits; nothing allocates once a step has run.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "engine/cuda/cudnn_choice.h"
#include "engine/cuda/device_memory.h"
#include "engine/cuda/gemm.h"
#include "engine/cuda/launch.h"

namespace cdt {

/// Rows in at most 64 chunks, for sums over them.
struct RowChunks {
  std::int64_t rows, count;  // of a chunk; of chunks
  explicit RowChunks(std::int64_t total)
      : rows(std::max<std::int64_t>(16, (total + 63) / 64)), count((total + rows - 1) / rows) {}
};

struct KeptBits;

/// cudaSuccess if the current device can run a kernel of this build.
cudaError_t find_kernels();

class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(const CudaOptions& options);
  ~CudaBackend() override;
  CudaBackend(const CudaBackend&) = delete;
  CudaBackend& operator=(const CudaBackend&) = delete;

  const char* name() const override { return "cuda"; }
  Dtype activations() const override;
  bool recomputes() const override {
    return options_.recompute && activations() == Dtype::kBFloat16;
  }
  double product_unit() const override;
  bool asynchronous() const override { return true; }
  std::size_t free_bytes() const override;
  std::size_t used_bytes() const override { return memory_.committed(); }
  std::size_t work_bytes() const override { return 0; }
  std::vector<std::string> notes() const override;
  void run_recorded(const std::string& name, const std::vector<Tensor>& operands,
                    const std::function<void()>& work) override;

#define CALL(type, name, parameters, arguments) type name parameters override;
#define KERNEL(name, parameters, arguments, work) void name parameters override;
#include "engine/backend_functions.inc"

  /// For measurements: the products asked for so far.
  const GemmPlans& gemms() const { return *gemms_; }

 private:
  static constexpr int kColumnThreads = 128;
  static constexpr int kSlots = 8;

  /// One recorded step.
  struct Recording {
    bool ran = false;
    std::vector<Tensor> operands;
    cudaGraphExec_t graph = nullptr;
  };
  /// All parameters of an optimiser on the device, cut into chunks of equal work.
  struct ParameterTable {
    void* parameters = nullptr;  // of DeviceParameter (adamw.cu)
    void* chunks = nullptr;      // of Chunk (adamw.cu)
    double* partial = nullptr;   // a sum of squares per chunk
    unsigned count = 0;          // of chunks
  };

  bool capturing() const { return capturing_; }
  void record(const std::function<void()>& work, Recording& recording);
  /// The mask of a key; brings the key's step to the device if it is not the current one.
  Mask mask(const DropoutKey& key);
  static dim3 grid_of_rows(const Tensor& t);
  /// Room for `count` floats of partial sums, at the same address always; valid until the next
  /// call.
  float* partials(std::int64_t count);
  /// out(batch * C) = (or +=) for sample b the sum over c < chunks of the C floats at
  /// partial + (b * chunks + c) * stride; out empty: not wanted.
  struct PartialSum {
    const float* partial;
    std::int64_t chunks, stride;
    Tensor out;
    bool accumulate;
    std::int64_t batch = 1;
  };
  /// Up to three in one launch.
  void add_partials(std::initializer_list<PartialSum> sums);
  /// Is it a product of float32 numbers in three bfloat16 parts? One of few rows or columns would
  /// leave tensor cores idle, and one whose rows begin anywhere has no kernel.
  bool splits(const Gemm& g) const;
  /// c(m, n), rows ldc apart, += bias(n) on every row; both of one type.
  void add_bias(const Operand& c, std::int64_t m, std::int64_t n, std::int64_t ldc,
                const Operand& bias);
  /// layer_norm() of x, or residual_dropout_norm() where there is an a.
  void normalise(const Tensor& x, const Tensor& a, const DropoutKey& key, const Tensor& gamma,
                 const Tensor& beta, const Tensor& y, const Tensor& stats);
  /// add_norm_backward() where the batch does not share x; dx may be dy, da empty.
  void norm_gradient(const AddNormBackward& g);
  /// body(the operands' type in tiled kernels), where this precision has any.
  template <class Body>
  void with_tiles(const Attention& a, const Body& body) const;
  /// Are there tiled kernels for it, and are they to be used?
  bool fuses(const Attention& a) const;
  bool fuses(const AttentionBackward& a) const;
  /// Do the samples differ in their masks only, and are there kernels that form their scores once?
  bool fuses_together(const Attention& a) const;
  bool fuses_together(const AttentionBackward& a) const;
  /// Is cuDNN wished for, and could it compute the function?
  bool may_be_cudnns(const Attention& a) const;
  /// Can it, from the operands as they lie?
  bool suits_cudnn(const Attention& a) const;
  /// By cuDNN, but for the probabilities; false where the attention is ours. Settles that first.
  bool attention_by_cudnn(const Attention& a, Arena& scratch);
  void own_attention(const Attention& a, Arena& scratch);
  /// The bits of an attention's mask, where it has any.
  void draw(const KeptBits& by_query, const KeptBits& by_key, const Attention& a);
  /// In float32.
  void attention_by_scores(const Attention& a, Arena& scratch);
  void attention_by_scores_scratch(const Attention& a, Arena& scratch);
  void attention_backward_by_scores(const AttentionBackward& a, Arena& scratch);
  void attention_backward_by_scores_scratch(const AttentionBackward& a, Arena& scratch);
  const ParameterTable& table_of(std::span<const AdamWTensors> parameters);

  /// Up to 1 KiB as arguments of a kernel: no copy engine, no wait.
  void write_words(void* dst, const void* host, std::size_t bytes);

  CudaOptions options_;
  DeviceMemory memory_;
  std::size_t shared_limit_ = 0;  // bytes of shared memory a block may have
  int multiprocessors_ = 0;
  cudaStream_t stream_ = nullptr;
  cudaStream_t upload_stream_ = nullptr;
  cudaEvent_t downloaded_[kSlots] = {}, uploaded_[kSlots] = {}, taken_[kSlots] = {};
  std::unique_ptr<GemmPlans> gemms_;
  std::unique_ptr<CudnnChoice> cudnn_;  // null: attention is ours
  std::uint32_t* step_word_ = nullptr;  // on the device
  std::uint32_t step_ = 0;              // what it holds
  float* partials_ = nullptr;
  std::size_t partials_committed_ = 0;
  std::map<std::string, Recording> recordings_;
  std::map<const float*, ParameterTable> tables_;
  bool capturing_ = false;
  std::vector<cudaEvent_t> marks_;
};

}  // namespace cdt
