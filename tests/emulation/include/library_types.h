// Replaces the CUDA toolkit's header of this name; see tests/emulation/emulation.h.
#pragma once

// NOLINTBEGIN(readability-identifier-naming, modernize-use-using): the toolkit's names
enum cudaDataType_t { CUDA_R_32F = 0, CUDA_R_64F = 1, CUDA_R_16F = 2, CUDA_R_16BF = 14 };
using cudaDataType = cudaDataType_t;
// NOLINTEND(readability-identifier-naming, modernize-use-using)
