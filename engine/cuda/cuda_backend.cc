#include "engine/cuda/cuda_backend.h"

#include <limits>
#include <utility>

#include "engine/cuda/launch.h"
#include "engine/cuda/waves.h"
#include "engine/error.h"

namespace cdt {
namespace {

constexpr std::size_t kPartialsReserve = std::size_t{1} << 30U;
constexpr int kLeastCapability = 8;  // sm_80: bfloat16 and tf32 products

/// Returns the number of GPUs; if it is 0, sets `problem` to the reason.
int count_gpus(std::string* problem) {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess) {
    *problem = std::string("no usable GPU: ") + cudaGetErrorString(status);
    cudaGetLastError();
    return 0;
  }
  if (count == 0) *problem = "no GPU found";
  return count;
}

/// Returns why GPU `device` cannot be used, "" if it can; creates its context.
std::string problem_of(int device) {
  std::string problem;
  const int count = count_gpus(&problem);
  if (count == 0) return problem;
  if (device >= count) {
    return expected_got("no such GPU", "cuda:0 to cuda:" + std::to_string(count - 1),
                        "cuda:" + std::to_string(device));
  }
  int major = 0;
  int minor = 0;
  CDT_CUDA(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device));
  CDT_CUDA(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device));
  const std::string capability = std::to_string(major) + "." + std::to_string(minor);
  if (major < kLeastCapability) {
    return expected_got("the GPU is too old", "compute capability 8.0 or more", capability);
  }
  cudaError_t status = cudaSetDevice(device);
  if (status == cudaSuccess) status = cudaFree(nullptr);  // creates the context
  if (status == cudaSuccess) status = find_kernels();
  if (status == cudaSuccess) return "";
  cudaGetLastError();
  if (status == cudaErrorNoKernelImageForDevice || status == cudaErrorUnsupportedPtxVersion) {
    return "this build has no kernels for the GPU's compute capability " + capability +
           " (make CUDA_ARCH=" + std::to_string(major) + std::to_string(minor) + ")";
  }
  return std::string("no usable GPU: ") + cudaGetErrorString(status);
}

int checked_device(int device) {
  const std::string problem = problem_of(device);
  if (!problem.empty()) {
    const bool hinted = problem.find("(expected ") != std::string::npos;
    const std::string wanted = "cuda:" + std::to_string(device);
    throw InputError("command line", "--device",
                     hinted ? problem : expected_got(problem, "auto or cpu", wanted));
  }
  return device;
}

bool wants_cudnn(const CudaOptions& options) {
  if (options.attention != AttentionChoice::kAuto) {
    return options.attention == AttentionChoice::kCudnn;
  }
  cudaDeviceProp properties{};
  CDT_CUDA(cudaGetDeviceProperties(&properties, options.device));
  return cudnn_built() && cudnn_is_faster(properties.name);
}

/// Throws unless every operand is where, and what, it was when the step was recorded.
void expect_recorded(const std::string& name, const std::vector<Tensor>& recorded,
                     const std::vector<Tensor>& now) {
  CDT_CHECK(recorded.size() == now.size(), "cuda: the recorded step '" + name + "' had " +
                                               std::to_string(recorded.size()) + " operands, not " +
                                               std::to_string(now.size()));
  for (std::size_t i = 0; i < now.size(); ++i) {
    const Tensor& was = recorded[i];
    const Tensor& is = now[i];
    CDT_CHECK(was.data == is.data && was.shape == is.shape && was.dtype == is.dtype,
              "cuda: operand " + std::to_string(i) + " of the recorded step '" + name +
                  "' is no longer where, or what, it was when the step was recorded");
  }
}

/// "13.0" of 13000, the newest CUDA that a driver supports or the version of the runtime.
std::string cuda_version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

// In a debug build arenas read memory between kernels, which a capture does not allow.
#ifdef CDT_DEBUG
constexpr bool kRecords = false;
#else
constexpr bool kRecords = true;
#endif

}  // namespace

CudaBackend::CudaBackend(const CudaOptions& options)
    : options_(options), memory_(checked_device(options.device)) {
  int shared = 0;
  CDT_CUDA(
      cudaDeviceGetAttribute(&shared, cudaDevAttrMaxSharedMemoryPerBlockOptin, options.device));
  shared_limit_ = static_cast<std::size_t>(shared);
  CDT_CUDA(
      cudaDeviceGetAttribute(&multiprocessors_, cudaDevAttrMultiProcessorCount, options.device));
  CDT_CUDA(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
  CDT_CUDA(cudaStreamCreateWithFlags(&upload_stream_, cudaStreamNonBlocking));
  for (auto* events : {downloaded_, uploaded_, taken_}) {
    for (int slot = 0; slot < kSlots; ++slot) {
      CDT_CUDA(cudaEventCreateWithFlags(&events[slot], cudaEventDisableTiming));
    }
  }
  gemms_ = std::make_unique<GemmPlans>(options.precision, options.any_reduction, stream_);
  if (wants_cudnn(options)) cudnn_ = std::make_unique<CudnnChoice>(stream_);
  CDT_CUDA(cudaMalloc(reinterpret_cast<void**>(&step_word_), sizeof *step_word_));
  CDT_CUDA(cudaMemsetAsync(step_word_, 0, sizeof *step_word_, stream_));
  partials_ = memory_.reserve(kPartialsReserve);
  if (partials_ == nullptr) throw Error("cuda: no address space for partial sums");
}

CudaBackend::~CudaBackend() {
  cudaStreamSynchronize(stream_);
  cudaStreamSynchronize(upload_stream_);
  for (const auto& [name, recording] : recordings_) {
    if (recording.graph != nullptr) cudaGraphExecDestroy(recording.graph);
  }
  for (const auto& [key, table] : tables_) {
    for (void* p : {table.parameters, table.chunks, static_cast<void*>(table.partial)}) {
      cudaFree(p);
    }
  }
  gemms_.reset();
  cudnn_.reset();
  memory_.release(partials_);
  cudaFree(step_word_);
  for (cudaEvent_t event : marks_) cudaEventDestroy(event);
  for (auto* events : {downloaded_, uploaded_, taken_}) {
    for (int slot = 0; slot < kSlots; ++slot) cudaEventDestroy(events[slot]);
  }
  cudaStreamDestroy(upload_stream_);
  cudaStreamDestroy(stream_);
}

Dtype CudaBackend::activations() const {
  return options_.precision == Precision::kBFloat16 ? Dtype::kBFloat16 : Dtype::kFloat32;
}

double CudaBackend::product_unit() const {
  switch (options_.precision) {
    case Precision::kBFloat16:
      return 0x1.0p-7;
    case Precision::kTf32:
      return 0x1.0p-10;
    default:
      return 0x1.0p-23;
  }
}

std::int64_t CudaBackend::feed_forward_rows(std::int64_t rows, std::int64_t width,
                                            std::int64_t inner) {
  return feed_forward_part(
      rows, width, inner, multiprocessors_,
      options_.precision == Precision::kBFloat16x3 ? kSplitParts : kLibraryParts);
}

dim3 CudaBackend::grid_of_rows(const Tensor& t) {
  CDT_CHECK(t.rows() <= std::numeric_limits<std::int32_t>::max(), "more rows than a grid has");
  return {static_cast<unsigned>(t.rows())};
}

std::vector<std::string> CudaBackend::notes() const {
  return cudnn_ == nullptr ? std::vector<std::string>{} : cudnn_->notes();
}

DeviceFacts CudaBackend::facts() const {
  DeviceFacts out = cpu_facts();
  cudaDeviceProp gpu{};
  int driver = 0;
  int runtime = 0;
  CDT_CUDA(cudaGetDeviceProperties(&gpu, options_.device));
  CDT_CUDA(cudaDriverGetVersion(&driver));
  CDT_CUDA(cudaRuntimeGetVersion(&runtime));
  out.kind = name();
  out.gpu = gpu.name;
  out.compute_capability = std::to_string(gpu.major) + "." + std::to_string(gpu.minor);
  out.driver = cuda_version_text(driver);
  out.libraries.emplace_back("CUDA runtime", cuda_version_text(runtime));
  out.libraries.emplace_back("cuBLASLt", std::to_string(cublasLtGetVersion()));
  if (cudnn_ != nullptr && !cudnn_->version().empty()) {
    out.libraries.emplace_back("cuDNN", cudnn_->version());
  }
  return out;
}

void CudaBackend::run_recorded(const std::string& name, const std::vector<Tensor>& operands,
                               const std::function<void()>& work) {
  Recording& recording = recordings_[name];
  if (!kRecords || !options_.graphs || !recording.ran) {
    // The first run is not recorded: memory grows and algorithms are chosen.
    work();
    recording.ran = true;
    return;
  }
  if (recording.graph == nullptr) {
    record(work, recording);
    recording.operands = operands;
  }
  expect_recorded(name, recording.operands, operands);
  CDT_CUDA(cudaGraphLaunch(recording.graph, stream_));
}

void CudaBackend::record(const std::function<void()>& work, Recording& recording) {
  CDT_CUDA(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal));
  capturing_ = true;
  cudaGraph_t graph = nullptr;
  try {
    work();
  } catch (...) {
    capturing_ = false;
    cudaStreamEndCapture(stream_, &graph);
    if (graph != nullptr) cudaGraphDestroy(graph);
    throw;
  }
  capturing_ = false;
  CDT_CUDA(cudaStreamEndCapture(stream_, &graph));
  const cudaError_t status = cudaGraphInstantiate(&recording.graph, graph, 0);
  cudaGraphDestroy(graph);
  CDT_CUDA(status);
}

void CudaBackend::mark(std::int64_t number) {
  const auto index = static_cast<std::size_t>(number);
  while (index >= marks_.size()) {
    cudaEvent_t event = nullptr;
    CDT_CUDA(cudaEventCreate(&event));
    marks_.push_back(event);
  }
  // During a capture this makes a node of the graph instead of a dependency within the capture.
  CDT_CUDA(cudaEventRecordWithFlags(marks_[index], stream_,
                                    capturing_ ? cudaEventRecordExternal : cudaEventRecordDefault));
}

double CudaBackend::seconds_between(std::int64_t from, std::int64_t to) {
  constexpr double kMilli = 1e-3;
  float milliseconds = 0;
  CDT_CUDA(cudaEventElapsedTime(&milliseconds, marks_[static_cast<std::size_t>(from)],
                                marks_[static_cast<std::size_t>(to)]));
  return kMilli * static_cast<double>(milliseconds);
}

bool cuda_built() { return true; }

bool cuda_available() { return cuda_problem().empty(); }

std::string cuda_problem() { return problem_of(0); }

std::unique_ptr<Backend> make_cuda_backend(const CudaOptions& options) {
  return std::make_unique<CudaBackend>(options);
}

}  // namespace cdt
