#include "tests/kernels/kernel_case.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "engine/bfloat16.h"
#include "engine/error.h"
#include "tests/support/relative_error.h"

namespace cdt::test {
namespace {

using Floats = std::vector<float>;

/// Where a tensor lies in its reservation: flush with the guard before or after it.
enum class Placement { kStart, kEnd };

constexpr std::size_t kPage = 4096;
constexpr std::uint16_t kAround = 0xFFF8;  // words around a tensor; NaN as bfloat16
constexpr std::size_t kAlignment = 16;  // every tensor of an arena has it, and kernels may use it

Floats values_for(const CaseTensor& t, RandomStream& random) {
  Floats v(static_cast<std::size_t>(t.shape.count()));
  for (float& x : v) {
    const auto normal = static_cast<float>(random.normal());
    switch (t.fill) {
      case Fill::kRandom:
        x = to_float(to_bfloat16(normal));
        break;
      case Fill::kLarge:
        x = to_float(to_bfloat16(8.0F * normal));
        break;
      case Fill::kFine:
        x = normal;
        break;
      case Fill::kPositive:
        x = to_float(to_bfloat16(0.5F + std::fabs(normal)));
        break;
      case Fill::kZero:
        x = 0.0F;
        break;
      case Fill::kIndex: {
        const std::int32_t index = normal > 0.0F ? 1 : 0;
        std::memcpy(&x, &index, sizeof x);
        break;
      }
    }
  }
  return v;
}

std::vector<BFloat16> narrowed(const Floats& v) {
  std::vector<BFloat16> out;
  for (const float x : v) out.push_back(to_bfloat16(x));
  return out;
}

/// A tensor in its own reservation, at one end of it.
class Placed {
 public:
  Placed(Backend& backend, const Shape& shape, Dtype dtype, Placement placement)
      : backend_(backend), tensor_{nullptr, shape, dtype} {
    const auto bytes = static_cast<std::size_t>(tensor_.bytes());
    whole_ = (bytes + kPage - 1) / kPage * kPage;
    base_ = backend.reserve(whole_);
    backend.commit(base_, 0, whole_);
    if (placement == Placement::kEnd) offset_ = (whole_ - bytes) / kAlignment * kAlignment;
    tensor_.data = base_ + offset_ / sizeof(float);
    const std::vector<std::uint16_t> around(whole_ / sizeof(kAround), kAround);
    backend.upload(everything(), around.data());
  }
  ~Placed() { backend_.release(base_, whole_); }
  Placed(const Placed&) = delete;
  Placed& operator=(const Placed&) = delete;

  const Tensor& tensor() const { return tensor_; }

  void upload(const Floats& v) {
    if (tensor_.dtype == Dtype::kBFloat16) {
      backend_.upload(tensor_, narrowed(v).data());
    } else {
      backend_.upload(tensor_, v.data());
    }
  }
  Floats download() const {
    const auto n = static_cast<std::size_t>(tensor_.count());
    Floats out(n);
    if (tensor_.dtype != Dtype::kBFloat16) {
      backend_.download(out.data(), tensor_);
      return out;
    }
    std::vector<BFloat16> narrow(n);
    backend_.download(narrow.data(), tensor_);
    for (std::size_t i = 0; i < n; ++i) out[i] = to_float(narrow[i]);
    return out;
  }
  /// True if the reservation around the tensor is unchanged.
  bool clean_beside() const {
    std::vector<std::uint16_t> all(whole_ / sizeof(std::uint16_t));
    backend_.download(all.data(), everything());
    const std::size_t begin = offset_ / sizeof(std::uint16_t);
    const std::size_t end =
        begin + static_cast<std::size_t>(tensor_.bytes()) / sizeof(std::uint16_t);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if ((i < begin || i >= end) && all[i] != kAround) return false;
    }
    return true;
  }

 private:
  Tensor everything() const { return {base_, {static_cast<std::int64_t>(whole_ / sizeof(float))}}; }

  Backend& backend_;
  Tensor tensor_;
  float* base_ = nullptr;
  std::size_t whole_ = 0, offset_ = 0;
};

std::vector<Floats> run_on_cpu(const KernelCase& c, const std::vector<Floats>& inputs) {
  const auto cpu = make_cpu_backend(1);
  Arena arena(*cpu, "tensors");
  Arena scratch(*cpu, "scratch");
  std::vector<Tensor> tensors;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool index = c.tensors[i].fill == Fill::kIndex;
    tensors.push_back(arena.tensor(c.tensors[i].shape, index ? Dtype::kInt32 : Dtype::kFloat32));
    cpu->upload(tensors.back(), inputs[i].data());
  }
  c.call(*cpu, tensors, scratch);
  std::vector<Floats> out;
  for (const Tensor& t : tensors) {
    out.emplace_back(static_cast<std::size_t>(t.count()));
    cpu->download(out.back().data(), t);
  }
  return out;
}

void run_and_compare(const KernelCase& c, const std::vector<Floats>& inputs,
                     const std::vector<Floats>& want, bool narrow, Placement placement) {
  const auto gpu = make_cuda_backend(c.options);
  Arena scratch(*gpu, "scratch");
  std::vector<std::unique_ptr<Placed>> placed;
  std::vector<Tensor> tensors;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const CaseTensor& t = c.tensors[i];
    const Dtype other = t.fill == Fill::kIndex ? Dtype::kInt32 : Dtype::kFloat32;
    const Dtype dtype = narrow && t.activation ? Dtype::kBFloat16 : other;
    placed.push_back(std::make_unique<Placed>(*gpu, t.shape, dtype, placement));
    placed.back()->upload(inputs[i]);
    tensors.push_back(placed.back()->tensor());
  }
  c.call(*gpu, tensors, scratch);
  gpu->synchronize();
  constexpr double kEpsilon = std::numeric_limits<float>::epsilon();
  const double in_float32 = c.epsilons * kEpsilon + kTf32Rounding * c.tf32_roundings;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const double tolerance = narrow ? kBFloat16Rounding * c.bfloat16_factor : in_float32;
    EXPECT_LE(relative_error(placed[i]->download(), want[i]), tolerance) << "tensor " << i;
    EXPECT_TRUE(placed[i]->clean_beside()) << "beside tensor " << i;
  }
}

/// A GPU error, which ends its context, is reported as a failure of the case that caused it.
void compare(const KernelCase& c, const std::vector<Floats>& inputs,
             const std::vector<Floats>& want, bool narrow, Placement placement) {
  try {
    run_and_compare(c, inputs, want, narrow, placement);
  } catch (const Error& error) {
    ADD_FAILURE() << error.what();
  }
}

}  // namespace

DropoutKey some_key(float p) { return {20241124, 5, 3, p, 70001}; }

void expect_agreement(const KernelCase& c) {
  RandomStream random(17, 1);
  std::vector<Floats> inputs;
  bool has_activations = false;
  for (const CaseTensor& t : c.tensors) {
    inputs.push_back(values_for(t, random));
    has_activations = has_activations || t.activation;
  }
  const std::vector<Floats> want = run_on_cpu(c, inputs);
  const bool float32_only =
      c.options.precision == Precision::kTf32 || c.options.precision == Precision::kBFloat16x3;
  for (const bool narrow : {false, true}) {
    if (narrow && (!has_activations || float32_only)) continue;
    for (const Placement placement : {Placement::kEnd, Placement::kStart}) {
      SCOPED_TRACE(c.name + (narrow ? " bfloat16" : " float32") +
                   (placement == Placement::kEnd ? ", guard behind" : ", guard before"));
      compare(c, inputs, want, narrow, placement);
    }
  }
}

}  // namespace cdt::test
