// The CUDA backend: one GPU, one stream for kernels and one for uploads. Each kernel is in the file
// of its name or family, next to the call that launches it. Nothing here synchronises except the
// calls that engine/backend.h says wait, and nothing allocates once a step has run.
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

/// Rows split into at most 64 chunks, for sums over rows.
struct RowChunks {
  std::int64_t rows, count;  // rows per chunk; number of chunks
  explicit RowChunks(std::int64_t total)
      : rows(std::max<std::int64_t>(16, (total + 63) / 64)), count((total + rows - 1) / rows) {}
};

struct KeptBits;

/// Returns cudaSuccess if the current device can run a kernel of this build.
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
  DeviceFacts facts() const override;
  std::unique_ptr<Communicator> device_ranks(Communicator& hosts) override;
  void run_recorded(const std::string& name, const std::vector<Tensor>& operands,
                    const std::function<void()>& work) override;

#define CALL(type, name, parameters, arguments) type name parameters override;
#define KERNEL(name, parameters, arguments, work) void name parameters override;
#include "engine/backend_functions.inc"

  /// For measurements: the products requested so far.
  const GemmPlans& gemms() const { return *gemms_; }

 private:
  static constexpr int kColumnThreads = 128;
  static constexpr int kSlots = 8;

  /// A recorded step.
  struct Recording {
    bool ran = false;
    std::vector<Tensor> operands;
    cudaGraphExec_t graph = nullptr;
  };
  /// All parameters of an optimiser, on the device, split into chunks of equal work.
  struct ParameterTable {
    void* parameters = nullptr;  // array of DeviceParameter (adamw.cu)
    void* chunks = nullptr;      // array of Chunk (adamw.cu)
    double* partial = nullptr;   // one sum of squares per chunk
    unsigned count = 0;          // number of chunks
  };

  bool capturing() const { return capturing_; }
  void record(const std::function<void()>& work, Recording& recording);
  /// Returns the mask of a key from its row `first_row` on; uploads the key's step number if it is
  /// not the current one.
  Mask mask(const DropoutKey& key, std::int64_t first_row = 0);
  static dim3 grid_of_rows(const Tensor& t);
  /// Returns memory for `count` floats of partial sums, always at the same address and valid until
  /// the next call.
  float* partials(std::int64_t count);
  /// For each sample b, out(batch * C) = (or +=) the sum over c < chunks of the C floats at partial
  /// + (b * chunks + c) * stride. An empty out is skipped.
  struct PartialSum {
    const float* partial;
    std::int64_t chunks, stride;
    Tensor out;
    bool accumulate;
    std::int64_t batch = 1;
  };
  /// Adds up to three sums in one launch.
  void add_partials(std::initializer_list<PartialSum> sums);
  /// True if the product is computed with float32 numbers split into three bfloat16 parts. Not with
  /// few rows or columns, which would leave tensor cores idle, and not with rows that are not
  /// 16-byte aligned, for which there is no kernel.
  bool splits(const Gemm& g) const;
  /// c(m, n), with leading dimension ldc, += bias(n) on every row; both have the same type.
  void add_bias(const Operand& c, std::int64_t m, std::int64_t n, std::int64_t ldc,
                const Operand& bias);
  /// Computes layer_norm() of x, or residual_dropout_norm() if a is not empty.
  void normalise(const Tensor& x, const Tensor& a, const DropoutKey& key, const Tensor& gamma,
                 const Tensor& beta, const Tensor& y, const Tensor& stats);
  /// Computes add_norm_backward() if the batch does not share x; dx may be dy, da may be empty.
  void norm_gradient(const AddNormBackward& g);
  /// Calls body(T{}) with the operand type of the tiled kernels, if this precision has any.
  template <class Body>
  void with_tiles(const Attention& a, const Body& body) const;
  /// True if tiled kernels exist for it and are enabled.
  bool fuses(const Attention& a) const;
  bool fuses(const AttentionBackward& a) const;
  /// True if the samples differ only in their masks and kernels exist that compute their scores
  /// once.
  bool fuses_together(const Attention& a) const;
  bool fuses_together(const AttentionBackward& a) const;
  /// True if cuDNN is enabled and could compute this function.
  bool may_be_cudnns(const Attention& a) const;
  /// True if cuDNN can read the operands with their strides and alignment.
  bool suits_cudnn(const Attention& a) const;
  /// Runs attention with cuDNN, except for the probabilities; returns false if our own kernels must
  /// run instead. Makes that choice first if the shape is new.
  bool attention_by_cudnn(const Attention& a, Arena& scratch);
  void own_attention(const Attention& a, Arena& scratch);
  /// Draws the bits of an attention's dropout mask, if it has one.
  void draw(const KeptBits& by_query, const KeptBits& by_key, const Attention& a);
  /// In float32, through score matrices.
  void attention_by_scores(const Attention& a, Arena& scratch);
  void attention_by_scores_scratch(const Attention& a, Arena& scratch);
  void attention_backward_by_scores(const AttentionBackward& a, Arena& scratch);
  void attention_backward_by_scores_scratch(const AttentionBackward& a, Arena& scratch);
  const ParameterTable& table_of(std::span<const AdamWTensors> parameters);

  /// Writes up to 1 KiB, passed as kernel arguments: it needs no copy engine and does not wait.
  void write_words(void* dst, const void* host, std::size_t bytes);

  CudaOptions options_;
  DeviceMemory memory_;
  std::size_t shared_limit_ = 0;  // most bytes of shared memory per block
  int multiprocessors_ = 0;
  cudaStream_t stream_ = nullptr;
  cudaStream_t upload_stream_ = nullptr;
  cudaEvent_t downloaded_[kSlots] = {}, uploaded_[kSlots] = {}, taken_[kSlots] = {};
  std::unique_ptr<GemmPlans> gemms_;
  std::unique_ptr<CudnnChoice> cudnn_;  // null: our own attention only
  std::uint32_t* step_word_ = nullptr;  // on the device: the step number
  std::uint32_t step_ = 0;              // value of *step_word_
  float* partials_ = nullptr;
  std::size_t partials_committed_ = 0;
  std::map<std::string, Recording> recordings_;
  std::map<const float*, ParameterTable> tables_;
  bool capturing_ = false;
  std::vector<cudaEvent_t> marks_;
};

}  // namespace cdt
