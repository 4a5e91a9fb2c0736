#include "tests/emulation/matmul.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

namespace cdt::emulation {
namespace {

float from_bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

/// Rounds to the nearest with `dropped` low bits of the mantissa cleared, ties to even.
float round_mantissa(float x, unsigned dropped) {
  if (!std::isfinite(x)) return x;
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t odd = bits >> dropped & 1U;
  const std::uint32_t half = (1U << (dropped - 1)) - 1 + odd;
  return std::bit_cast<float>((bits + half) >> dropped << dropped);
}

std::uint16_t to_bfloat16(float x) {
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(round_mantissa(x, 16)) >> 16U);
}

float load(const void* base, cudaDataType type, std::int64_t i) {
  if (type == CUDA_R_32F) return static_cast<const float*>(base)[i];
  return from_bfloat16(static_cast<const std::uint16_t*>(base)[i]);
}

void store(void* base, cudaDataType type, std::int64_t i, double value) {
  if (type == CUDA_R_32F) {
    static_cast<float*>(base)[i] = static_cast<float>(value);
  } else {
    static_cast<std::uint16_t*>(base)[i] = to_bfloat16(static_cast<float>(value));
  }
}

float as_operand(float x, cublasComputeType_t compute) {
  constexpr unsigned kTf32Dropped = 13;
  constexpr unsigned kBfloat16Dropped = 16;
  if (compute == CUBLAS_COMPUTE_32F_FAST_TF32) return round_mantissa(x, kTf32Dropped);
  if (compute == CUBLAS_COMPUTE_32F_FAST_16BF) return round_mantissa(x, kBfloat16Dropped);
  return x;
}

/// op(X) with its columns (the summed index, first) side by side: element (i, p) at i * k + p.
std::vector<float> packed(const void* base, const MatrixLayout& layout, bool rows_outer,
                          std::int64_t batch, cublasComputeType_t compute) {
  const auto rows = static_cast<std::int64_t>(layout.rows);
  const auto cols = static_cast<std::int64_t>(layout.cols);
  std::vector<float> out(static_cast<std::size_t>(rows * cols));
  for (std::int64_t j = 0; j < cols; ++j) {
    for (std::int64_t i = 0; i < rows; ++i) {
      const float x = load(base, layout.type, batch * layout.batch_offset + j * layout.ld + i);
      const std::int64_t at = rows_outer ? i * cols + j : j * rows + i;
      out[static_cast<std::size_t>(at)] = as_operand(x, compute);
    }
  }
  return out;
}

double dot(const float* a, const float* b, std::int64_t k) {
  constexpr std::int64_t kLanes = 8;
  double sums[kLanes] = {};
  std::int64_t p = 0;
  for (; p + kLanes <= k; p += kLanes) {
    for (std::int64_t l = 0; l < kLanes; ++l) sums[l] += static_cast<double>(a[p + l]) * b[p + l];
  }
  for (; p < k; ++p) sums[0] += static_cast<double>(a[p]) * b[p];
  double sum = 0.0;
  for (const double s : sums) sum += s;
  return sum;
}

void multiply_one(const MatmulShape& s, const MatmulData& data, std::int64_t batch) {
  const auto compute = s.desc.compute;
  const auto a = packed(data.a, s.a, s.desc.trans_a == CUBLAS_OP_N, batch, compute);
  const auto b = packed(data.b, s.b, s.desc.trans_b != CUBLAS_OP_N, batch, compute);
  const bool biased = s.desc.epilogue == CUBLASLT_EPILOGUE_BIAS;
  const auto bias_type =
      s.desc.bias_type < 0 ? s.d.type : static_cast<cudaDataType>(s.desc.bias_type);
  const std::int64_t k = s.k();
#pragma omp parallel for if (s.m() * s.n() * k > 1'000'000)
  for (std::int64_t j = 0; j < s.n(); ++j) {
    for (std::int64_t i = 0; i < s.m(); ++i) {
      double value = data.alpha * dot(&a[static_cast<std::size_t>(i * k)],
                                      &b[static_cast<std::size_t>(j * k)], k);
      const std::int64_t at_c = batch * s.c.batch_offset + j * s.c.ld + i;
      if (data.beta != 0.0F) value += static_cast<double>(data.beta) * load(data.c, s.c.type, at_c);
      if (biased) value += load(s.desc.bias, bias_type, batch * s.desc.bias_batch_stride + i);
      store(data.d, s.d.type, batch * s.d.batch_offset + j * s.d.ld + i, value);
    }
  }
}

std::string check_layout(const MatrixLayout& l, const char* name) {
  if (l.order != CUBLASLT_ORDER_COL) return std::string(name) + " is not in column order";
  if (l.rows == 0 || l.cols == 0) return std::string(name) + " has no elements";
  if (l.ld < static_cast<std::int64_t>(l.rows)) {
    return std::string(name) + ": leading dimension " + std::to_string(l.ld) + " below its " +
           std::to_string(l.rows) + " rows";
  }
  if (l.batch_count < 1) {
    return std::string(name) + ": batch count " + std::to_string(l.batch_count);
  }
  return "";
}

/// Matrices of a batch may follow each other, or be side by side within a leading dimension.
bool batch_overlaps(const MatrixLayout& l) {
  const auto rows = static_cast<std::int64_t>(l.rows);
  const bool apart = l.batch_offset >= static_cast<std::int64_t>(l.cols - 1) * l.ld + rows;
  const bool beside = l.batch_offset >= rows && (l.batch_count - 1) * l.batch_offset + rows <= l.ld;
  return !apart && !beside;
}

std::string sizes(const MatrixLayout& l) {
  return "(" + std::to_string(l.rows) + ", " + std::to_string(l.cols) + ")";
}

std::string check_types(const MatmulShape& s) {
  const auto compute = s.desc.compute;
  const bool fast =
      compute == CUBLAS_COMPUTE_32F_FAST_TF32 || compute == CUBLAS_COMPUTE_32F_FAST_16BF;
  if (compute != CUBLAS_COMPUTE_32F && compute != CUBLAS_COMPUTE_32F_PEDANTIC && !fast) {
    return "compute type " + std::to_string(compute);
  }
  if (s.desc.scale != CUDA_R_32F) return "the scale type is not float32";
  if (s.a.type != s.b.type) return "A and B differ in type";
  if (s.c.type != s.d.type) return "C and D differ in type";
  const bool float32 = s.a.type == CUDA_R_32F && s.d.type == CUDA_R_32F;
  const bool bfloat16 =
      s.a.type == CUDA_R_16BF && (s.d.type == CUDA_R_16BF || s.d.type == CUDA_R_32F);
  if (!float32 && !bfloat16) return "types of A and D that do not go together";
  if (fast && !float32) return "a fast float32 compute type with other operands";
  // The bias of a bfloat16 product is bfloat16; with a float32 result it is float32 (or, for
  // bfloat16 operands, bfloat16).
  const auto bias = s.desc.bias_type < 0 ? s.d.type : static_cast<cudaDataType>(s.desc.bias_type);
  const bool goes = bias == s.d.type || (bias == CUDA_R_16BF && s.a.type == CUDA_R_16BF);
  if (s.desc.epilogue == CUBLASLT_EPILOGUE_BIAS && !goes) return "the bias has the wrong type";
  return "";
}

}  // namespace

std::size_t element_bytes(cudaDataType type) {
  return type == CUDA_R_32F ? sizeof(float) : sizeof(std::uint16_t);
}

std::size_t span_bytes(const MatrixLayout& l) {
  const auto last =
      static_cast<std::int64_t>(l.cols - 1) * l.ld + (l.batch_count - 1) * l.batch_offset;
  return (static_cast<std::size_t>(last) + l.rows) * element_bytes(l.type);
}

std::string check_shape(const MatmulShape& s) {
  const MatrixLayout* const layouts[] = {&s.a, &s.b, &s.c, &s.d};
  constexpr const char* kNames[] = {"A", "B", "C", "D"};
  for (int i = 0; i < 4; ++i) {
    std::string wrong = check_layout(*layouts[i], kNames[i]);
    if (wrong.empty() && layouts[i]->batch_count != s.d.batch_count) wrong = "batch counts differ";
    if (!wrong.empty()) return wrong;
  }
  const auto& op = s.desc;
  const std::uint64_t a_rows = op.trans_a == CUBLAS_OP_N ? s.a.rows : s.a.cols;
  const std::uint64_t b_rows = op.trans_b == CUBLAS_OP_N ? s.b.rows : s.b.cols;
  const std::uint64_t b_cols = op.trans_b == CUBLAS_OP_N ? s.b.cols : s.b.rows;
  if (a_rows != s.d.rows || b_cols != s.d.cols || b_rows != static_cast<std::uint64_t>(s.k()) ||
      s.c.rows != s.d.rows || s.c.cols != s.d.cols) {
    return "sizes do not fit: A " + sizes(s.a) + ", B " + sizes(s.b) + ", C " + sizes(s.c) +
           ", D " + sizes(s.d);
  }
  if (s.d.batch_count > 1 && batch_overlaps(s.d)) return "the matrices of batch D overlap";
  if (op.epilogue != CUBLASLT_EPILOGUE_DEFAULT && op.epilogue != CUBLASLT_EPILOGUE_BIAS) {
    return "epilogue " + std::to_string(op.epilogue) + " is not emulated";
  }
  if (op.pointer_mode != CUBLASLT_POINTER_MODE_HOST) return "alpha and beta are not on the host";
  return check_types(s);
}

void multiply(const MatmulShape& shape, const MatmulData& data) {
  for (std::int64_t b = 0; b < shape.d.batch_count; ++b) multiply_one(shape, data, b);
}

}  // namespace cdt::emulation
