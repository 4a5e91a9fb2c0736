#include "tests/emulation/journal.h"

#include <utility>

#include "tests/emulation/device.h"
#include "tests/emulation/program.h"
#include "tests/emulation/stream.h"

namespace cdt::emulation {
namespace {

struct Journal {
  bool on = false, dry = false;
  std::vector<Issue> issues;
};

Journal& journal() {
  static Journal j;
  return j;
}

std::string name_of(cudaDataType type, cublasComputeType_t compute) {
  if (type == CUDA_R_16BF) return "bf16";
  return compute == CUBLAS_COMPUTE_32F_FAST_TF32 ? "tf32" : "fp32";
}

}  // namespace

void set_dry(bool on) {
  const auto lock = lock_runtime();
  journal().dry = on;
}

bool dry() { return journal().dry; }

void start_journal() {
  const auto lock = lock_runtime();
  journal().on = true;
  journal().issues.clear();
}

std::size_t journal_size() {
  const auto lock = lock_runtime();
  return journal().issues.size();
}

std::vector<Issue> take_journal() {
  const auto lock = lock_runtime();
  journal().on = false;
  return std::exchange(journal().issues, {});
}

cudaError_t issue(cudaStream_t handle, std::function<void()> work,
                  const std::function<Issue()>& describe) {
  const CUstream_st* const stream = stream_of(handle);
  if (journal().on && stream != nullptr) {
    Issue said = describe();
    said.recorded = stream->capture != nullptr;
    journal().issues.push_back(std::move(said));
  }
  if (dry()) work = [] {};
  return submit(handle, std::move(work));
}

Issue describe_kernel(const void* kernel, dim3 grid, dim3 block, std::size_t shared) {
  Issue said;
  said.name = function_name(kernel);
  said.grid = {grid.x, grid.y, grid.z};
  said.threads = block.x * block.y * block.z;
  said.shared = shared;
  return said;
}

// The library's products are column-major: its m is the n of engine/backend.h.
Issue describe_product(const MatmulShape& shape) {
  Issue said;
  said.kind = IssueKind::kProduct;
  said.name = name_of(shape.a.type, shape.desc.compute) + " to " +
              (shape.d.type == CUDA_R_16BF ? "bf16" : "fp32");
  said.m = shape.n();
  said.n = shape.m();
  said.k = shape.k();
  said.batch = shape.d.batch_count;
  for (const MatrixLayout* l : {&shape.a, &shape.b, &shape.d}) {
    const std::int64_t problems = l->batch_offset == 0 ? 1 : l->batch_count;
    said.bytes += static_cast<std::size_t>(problems) * l->rows * l->cols * element_bytes(l->type);
  }
  return said;
}

}  // namespace cdt::emulation
