// The runtime's calls for graphs.
#include "tests/emulation/device.h"
#include "tests/emulation/stream.h"

using namespace cdt::emulation;  // NOLINT(google-build-using-namespace)

// NOLINTBEGIN(readability-identifier-naming): the toolkit's names
struct CUgraphNode_st {};

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  const auto lock = lock_runtime();
  CUstream_st* const stream = stream_of(handle);
  if (stream == nullptr) return report(cudaErrorInvalidResourceHandle, "capture: no such stream");
  if (handle == nullptr) {
    return report(cudaErrorStreamCaptureUnsupported, "the default stream cannot be captured");
  }
  if (stream->capture) return report(cudaErrorInvalidValue, "the stream is captured already");
  begin_capture(*stream, mode);
  return sticky_error();
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  const auto lock = lock_runtime();
  *graph = nullptr;
  CUstream_st* const stream = stream_of(handle);
  if (stream == nullptr || !stream->capture) {
    return report(cudaErrorInvalidValue, "the end of a capture that did not begin");
  }
  const std::shared_ptr<Capture> capture = stream->capture;
  if (capture->origin != stream) {
    return report(cudaErrorStreamCaptureUnmatched,
                  "a capture ends on a stream it did not begin on");
  }
  end_capture(*capture);
  if (capture->invalid) {
    return report(cudaErrorStreamCaptureInvalidated, "the capture was broken before");
  }
  if (!capture->unjoined.empty()) {
    return report(cudaErrorStreamCaptureUnjoined,
                  "a stream that the capture drew in is not waited for at its end");
  }
  *graph = std::make_unique<CUgraph_st>(std::move(capture->graph)).release();
  return sticky_error();
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  const auto lock = lock_runtime();
  const CUstream_st* const stream = stream_of(handle);
  if (stream == nullptr) return set_last_error(cudaErrorInvalidResourceHandle);
  *status = !stream->capture           ? cudaStreamCaptureStatusNone
            : stream->capture->invalid ? cudaStreamCaptureStatusInvalidated
                                       : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, CUgraphNode_st** nodes, std::size_t* count) {
  const auto lock = lock_runtime();
  if (graph == nullptr || nodes != nullptr) return set_last_error(cudaErrorInvalidValue);
  *count = graph->nodes.size();
  return sticky_error();
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph,
                                 unsigned long long /*flags*/) {
  const auto lock = lock_runtime();
  if (graph == nullptr) return set_last_error(cudaErrorInvalidValue);
  *exec = std::make_unique<CUgraphExec_st>(CUgraphExec_st{std::make_shared<CUgraph_st>(*graph)})
              .release();
  return sticky_error();
}

cudaError_t cudaGraphUpload(cudaGraphExec_t exec, cudaStream_t /*stream*/) {
  const auto lock = lock_runtime();
  return exec == nullptr ? set_last_error(cudaErrorInvalidValue) : sticky_error();
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  const auto lock = lock_runtime();
  if (exec == nullptr) return set_last_error(cudaErrorInvalidValue);
  return submit(stream, [graph = exec->graph] {
    for (const auto& node : graph->nodes) node();
  });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const auto lock = lock_runtime();
  const std::unique_ptr<CUgraph_st> owner(graph);
  return graph == nullptr ? set_last_error(cudaErrorInvalidValue) : sticky_error();
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  const auto lock = lock_runtime();
  const std::unique_ptr<CUgraphExec_st> owner(exec);
  return exec == nullptr ? set_last_error(cudaErrorInvalidValue) : sticky_error();
}
// NOLINTEND(readability-identifier-naming)
