#include "engine/cuda/cudnn_choice.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "engine/error.h"
#include "engine/relative_error.h"

namespace cdt {
namespace {

/// GPUs, by their CUDA names, on which step `cudnn` of a GPU run (docs/results/gpu-pending.md)
/// found cuDNN faster than our kernels at every shape of the model. None has been measured. It is
/// not timed at the start of a run, because a choice that can vary changes the bits from run to
/// run.
constexpr std::array<std::string_view, 0> kFasterWithCudnn{};

std::string short_text(double x) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2g", x);
  return text.data();
}

std::string describe(const Attention& a) {
  return "attention of " + std::to_string(a.batch) + " x " + std::to_string(a.heads) +
         " heads of " + std::to_string(a.head_dim) + ", " + std::to_string(a.queries) +
         " queries, " + std::to_string(a.keys) + " keys";
}

}  // namespace

AttentionDifference difference(Backend& backend, const Attention& a, const Attention& own) {
  return {relative_error(to_host(backend, a.out), to_host(backend, own.out)),
          relative_error(to_host(backend, a.log_sum_exp), to_host(backend, own.log_sum_exp))};
}

bool cudnn_is_faster(const std::string& gpu) {
  return std::find(kFasterWithCudnn.begin(), kFasterWithCudnn.end(), gpu) != kFasterWithCudnn.end();
}

CudnnChoice::Form CudnnChoice::form(const Attention& a) const {
  if (!usable_) return Form::kOwn;
  const auto known = forms_.find(attention_key(a));
  return known == forms_.end() ? Form::kUnknown : known->second;
}

void CudnnChoice::decide(Backend& backend, const Attention& a, const Attention& own,
                         const std::function<void()>& compute_own) {
  try {
    if (library_ == nullptr) library_ = make_cudnn_attention(stream_);
  } catch (const Error& error) {
    usable_ = false;
    return note(std::string("attention: our own; cuDNN cannot be used: ") + error.what());
  }
  try {
    library_->prepare(a);
    library_->run(a);
  } catch (const Error& error) {
    cudaGetLastError();
    return refuse(a, "cuDNN " + library_->version() + " does not compute it: " + error.what());
  }
  compute_own();
  const AttentionDifference d = difference(backend, a, own);
  const std::string found = "cuDNN " + library_->version() + " differs by " + short_text(d.out) +
                            " of the norm, in log-sum-exp by " + short_text(d.log_sum_exp);
  if (!d.in_bounds()) {
    return refuse(a, found + " (at most " + short_text(kCudnnOutBound) + " and " +
                         short_text(kCudnnSumsBound) + ")");
  }
  settle(a, Form::kCudnn, "cuDNN's; " + found);
}

void CudnnChoice::refuse(const Attention& a, const std::string& why) {
  settle(a, Form::kOwn, "our own; " + why);
}

void CudnnChoice::settle(const Attention& a, Form form, const std::string& why) {
  if (forms_.try_emplace(attention_key(a), form).second) note(describe(a) + ": " + why);
}

void CudnnChoice::note(const std::string& text) {
  if (std::find(notes_.begin(), notes_.end(), text) == notes_.end()) notes_.push_back(text);
}

}  // namespace cdt
