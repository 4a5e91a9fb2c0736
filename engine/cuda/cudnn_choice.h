// Decides which attentions cuDNN computes: bfloat16, without dropout, of a shape whose result
// matched our own kernels' when it first occurred. All others run on our kernels, and a note says
// why.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "engine/cuda/cudnn_attention.h"

namespace cdt {

/// Largest relative difference, in norm, allowed between the two implementations. out: each rounds
/// probabilities and results to bfloat16. log_sum_exp: float32, as in tests/kernels.
constexpr double kCudnnOutBound = 4.0 / 256.0;
constexpr double kCudnnSumsBound = 64.0 / (1U << 23U);

struct AttentionDifference {
  double out = 0, log_sum_exp = 0;  // relative to the norm; infinite if a number is not finite
  bool in_bounds() const { return out <= kCudnnOutBound && log_sum_exp <= kCudnnSumsBound; }
};
/// Returns the difference of `a` from `own`; waits for the device.
AttentionDifference difference(Backend& backend, const Attention& a, const Attention& own);

/// True if --attention auto uses cuDNN on this GPU.
bool cudnn_is_faster(const std::string& gpu);

class CudnnChoice {
 public:
  explicit CudnnChoice(cudaStream_t stream) : stream_(stream) {}

  enum class Form { kUnknown, kOwn, kCudnn };
  Form form(const Attention& a) const;
  /// Decides the form of a new shape: cuDNN computes `a`, `compute_own` computes the same as `own`
  /// with our kernels, and the results are compared. Not during a capture.
  void decide(Backend& backend, const Attention& a, const Attention& own,
              const std::function<void()>& compute_own);
  /// Decides for our own kernels and notes why.
  void refuse(const Attention& a, const std::string& why);
  /// Runs cuDNN; the shape's form must be kCudnn.
  void run(const Attention& a) { library_->run(a); }

  /// Version of the library; "" as long as it is not open.
  std::string version() const { return library_ == nullptr ? "" : library_->version(); }
  /// One sentence per shape, and one if the library cannot be used.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  void settle(const Attention& a, Form form, const std::string& why);
  void note(const std::string& text);

  cudaStream_t stream_;
  std::unique_ptr<CudnnAttention> library_;
  bool usable_ = true;  // until proven otherwise
  std::map<AttentionKey, Form> forms_;
  std::vector<std::string> notes_;
};

}  // namespace cdt
