// Attention as cuDNN's operation SDPA_FWD: tensors (B, H, N, K) over rows as the projections write
// them; keys laid out like values, not transposed; the scale is a host scalar; statistics (B, H,
// Nq, 1) are the natural logarithm of the sum of exponentials of the scaled scores. (SDPA_BWD is
// declared in the headers of 9.19 but not implemented in its library.)
#include "engine/cuda/cudnn_attention.h"

#include <array>
#include <map>

#include "engine/backend.h"
#include "engine/cuda/cudnn_graph.h"
#include "engine/error.h"

namespace cdt {
namespace {

/// Ids of the operation's tensors.
constexpr std::array<std::int64_t, 6> kIds{1, 2, 3, 4, 5, 6};
constexpr std::array kNames{
    CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC,     CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC,
    CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC,     CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC,
    CUDNN_ATTR_OPERATION_SDPA_FWD_STATSDESC, CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC};
static_assert(kNames.size() == kIds.size());

/// A library handle bound to one stream.
class Handle {
 public:
  Handle(const Cudnn& library, cudaStream_t stream) : library_(library) {
    library.check(library.create(&handle_), "cudnnCreate");
    library.check(library.set_stream(handle_, stream), "cudnnSetStream");
  }
  ~Handle() { library_.destroy(handle_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  cudnnHandle_t get() const { return handle_; }

 private:
  const Cudnn& library_;
  cudnnHandle_t handle_ = nullptr;
};

CudnnNode operand(const Cudnn& library, std::int64_t id, const Attention& a, const HeadsView& view,
                  std::int64_t rows) {
  const std::array dims{a.batch, a.heads, rows, a.head_dim};
  const std::array strides{view.batch_stride, a.head_dim, view.row_stride, std::int64_t{1}};
  return cudnn_tensor(library, id, CUDNN_DATA_BFLOAT16, dims, strides);
}

CudnnNode operation_of(const Cudnn& library, const Attention& a) {
  const std::array sums_dims{a.batch, a.heads, a.queries, std::int64_t{1}};
  const std::array sums_strides{a.heads * a.queries, a.queries, std::int64_t{1}, std::int64_t{1}};
  constexpr std::array<std::int64_t, 4> kOne{1, 1, 1, 1};
  const std::array tensors{
      operand(library, kIds[0], a, a.q, a.queries),
      operand(library, kIds[1], a, a.k, a.keys),
      operand(library, kIds[2], a, a.v, a.keys),
      operand(library, kIds[3], a, dense_view(a, a.out), a.queries),
      cudnn_tensor(library, kIds[4], CUDNN_DATA_FLOAT, sums_dims, sums_strides),
      cudnn_tensor(library, kIds[5], CUDNN_DATA_FLOAT, kOne, kOne, /*on_host=*/true)};
  CudnnNode operation(library, CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR);
  for (std::size_t i = 0; i < tensors.size(); ++i) operation.link(kNames[i], tensors[i]);
  operation.finalize();
  return operation;
}

class Library final : public CudnnAttention {
 public:
  explicit Library(cudaStream_t stream) : handle_(library_, stream) {}

  std::string version() const override { return library_.version_text(); }
  void prepare(const Attention& a) override {
    const AttentionKey key = attention_key(a);
    if (plans_.find(key) != plans_.end()) return;
    plans_.try_emplace(key, library_, handle_.get(), operation_of(library_, a));
  }
  void run(const Attention& a) override {
    float scale = score_scale(a);
    const std::array<void*, kIds.size()> data{a.q.data,   a.k.data,           a.v.data,
                                              a.out.data, a.log_sum_exp.data, &scale};
    plans_.at(attention_key(a)).run(kIds, data);
  }
  std::size_t workspace_bytes(const Attention& a) const override {
    return plans_.at(attention_key(a)).workspace_bytes();
  }

 private:
  Cudnn library_;
  Handle handle_;
  std::map<AttentionKey, CudnnPlan> plans_;
};

}  // namespace

bool cudnn_built() { return true; }

std::unique_ptr<CudnnAttention> make_cudnn_attention(cudaStream_t stream) {
  return std::make_unique<Library>(stream);
}

}  // namespace cdt
