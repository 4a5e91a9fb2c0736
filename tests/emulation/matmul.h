// Matrix products of cuBLASLt: the problem of a call, whether the library would accept it, the
// product.
#pragma once

#include <cstdint>
#include <string>

#include "tests/emulation/include/cublasLt.h"

// NOLINTBEGIN(readability-identifier-naming): the toolkit's names
struct cublasLtMatmulDescOpaque_t {
  cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
  cudaDataType_t scale = CUDA_R_32F;
  std::int32_t pointer_mode = CUBLASLT_POINTER_MODE_HOST;
  std::int32_t trans_a = CUBLAS_OP_N, trans_b = CUBLAS_OP_N;
  std::uint32_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const void* bias = nullptr;
  std::int64_t bias_batch_stride = 0;
  std::int32_t bias_type = -1;  // by default the type of D
};
struct cublasLtMatrixLayoutOpaque_t {
  cudaDataType type = CUDA_R_32F;
  std::uint64_t rows = 0, cols = 0;
  std::int64_t ld = 0;
  std::int32_t order = CUBLASLT_ORDER_COL;
  std::int32_t batch_count = 1;
  std::int64_t batch_offset = 0;
};
// NOLINTEND(readability-identifier-naming)

namespace cdt::emulation {

using MatmulDesc = cublasLtMatmulDescOpaque_t;
using MatrixLayout = cublasLtMatrixLayoutOpaque_t;

/// D = alpha op(A) op(B) + beta C (+ bias down every column of D): types and sizes.
struct MatmulShape {
  MatmulDesc desc;
  MatrixLayout a, b, c, d;

  std::int64_t m() const { return static_cast<std::int64_t>(d.rows); }
  std::int64_t n() const { return static_cast<std::int64_t>(d.cols); }
  std::int64_t k() const {
    return static_cast<std::int64_t>(desc.trans_a == CUBLAS_OP_N ? a.cols : a.rows);
  }
};

struct MatmulData {
  float alpha = 1, beta = 0;
  const void *a = nullptr, *b = nullptr, *c = nullptr;
  void* d = nullptr;
};

std::size_t element_bytes(cudaDataType type);
/// Bytes from the first element of the matrix, or batch of them, to the end of the last.
std::size_t span_bytes(const MatrixLayout& layout);

/// "", or why the library refuses the shape.
std::string check_shape(const MatmulShape& shape);

/// Computes on the host. Operands are rounded to TF32 or bfloat16 if the compute type says that the
/// tensor cores would do so; products are summed in float64 and rounded once to D's type.
void multiply(const MatmulShape& shape, const MatmulData& data);

}  // namespace cdt::emulation
