// Which attentions cuDNN computes: those without dropout in bfloat16 whose shape it computed, when
// it first came, as our own kernels do. The rest is ours, and a note says why.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "engine/cuda/cudnn_attention.h"

namespace cdt {

/// How far two forms of one attention may be apart, relative to the norm. out: each form rounds
/// probabilities and results to bfloat16. log_sum_exp: float32, as in tests/kernels.
constexpr double kCudnnOutBound = 4.0 / 256.0;
constexpr double kCudnnSumsBound = 64.0 / (1U << 23U);

struct AttentionDifference {
  double out = 0, log_sum_exp = 0;  // relative to the norm; infinite where a number is not finite
  bool in_bounds() const { return out <= kCudnnOutBound && log_sum_exp <= kCudnnSumsBound; }
};
/// Of `a` against `own`; waits for the device.
AttentionDifference difference(Backend& backend, const Attention& a, const Attention& own);

/// Does --attention auto take cuDNN on this GPU?
bool cudnn_is_faster(const std::string& gpu);

class CudnnChoice {
 public:
  explicit CudnnChoice(cudaStream_t stream) : stream_(stream) {}

  enum class Form { kUnknown, kOwn, kCudnn };
  Form form(const Attention& a) const;
  /// Settles the form of a shape that is unknown so far: cuDNN computes `a`, `compute_own` the same
  /// as `own` by our kernels, and both are compared. Not during a capture.
  void decide(Backend& backend, const Attention& a, const Attention& own,
              const std::function<void()>& compute_own);
  /// Ours, and why.
  void refuse(const Attention& a, const std::string& why);
  /// By cuDNN, of a shape whose form that is.
  void run(const Attention& a) { library_->run(a); }

  /// A sentence on each shape, and on a library that cannot be used.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  void settle(const Attention& a, Form form, const std::string& why);
  void note(const std::string& text);

  cudaStream_t stream_;
  std::unique_ptr<CudnnAttention> library_;
  bool usable_ = true;  // as far as is known
  std::map<AttentionKey, Form> forms_;
  std::vector<std::string> notes_;
};

}  // namespace cdt
