// Streams, events and captures. By default work runs when it is issued; in lazy mode (emulation.h)
// when something waits for it. A capturing stream records work in a graph instead.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "tests/emulation/include/cuda_runtime.h"

// NOLINTBEGIN(readability-identifier-naming): the toolkit's names
struct CUgraph_st {
  std::vector<std::function<void()>> nodes;  // in the order of issue
};

struct CUgraphExec_st {
  std::shared_ptr<const CUgraph_st> graph;
};
// NOLINTEND(readability-identifier-naming)

namespace cdt::emulation {

/// One cudaStreamBeginCapture until its end.
struct Capture {
  cudaStream_t origin = nullptr;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  std::uint64_t thread = 0;
  std::set<cudaStream_t> members;   // streams that joined through an event
  std::set<cudaStream_t> unjoined;  // those whose work the origin does not yet wait for
  CUgraph_st graph;
  bool invalid = false;
};

}  // namespace cdt::emulation

// NOLINTBEGIN(readability-identifier-naming): the toolkit's names
struct CUstream_st {
  int device = 0;
  bool blocking = true;  // synchronises with the null stream
  std::deque<std::function<void()>> queue;
  std::uint64_t submitted = 0, done = 0;
  std::shared_ptr<cdt::emulation::Capture> capture;
  std::uint64_t captured = 0;  // work recorded in captures
};

struct CUevent_st {
  int device = 0;
  cudaStream_t stream = nullptr;  // null: not recorded yet
  std::uint64_t ticket = 0;       // complete when the stream has executed, or captured, this many
  bool timing = true;
  std::shared_ptr<double> seconds = std::make_shared<double>(0.0);
  std::shared_ptr<cdt::emulation::Capture> capture;
};
// NOLINTEND(readability-identifier-naming)

namespace cdt::emulation {

/// The stream of a handle (null: the default stream), or null if it is not a live one.
CUstream_st* stream_of(cudaStream_t handle);
cudaStream_t new_stream(bool blocking);
void forget_stream(cudaStream_t handle);

/// Runs, queues or records `work`. Returns the error of a capture that it breaks, or of work that
/// ran.
cudaError_t submit(cudaStream_t handle, std::function<void()> work);

/// Runs what is queued in `stream`, up to work number `until`.
void flush(CUstream_st& stream, std::uint64_t until);
/// Runs everything that is queued anywhere.
void flush_all();

/// A call that must not happen while a stream is captured: breaks the captures that forbid it.
cudaError_t forbid_while_capturing(const char* call);
/// cudaErrorStreamCaptureImplicit if work of the null stream would depend on a capture.
cudaError_t forbid_null_stream_capture();

/// `waiting` joins the capture of `event`, or is joined by it.
cudaError_t wait_in_capture(CUstream_st& waiting, const CUevent_st& event);
void begin_capture(CUstream_st& stream, cudaStreamCaptureMode mode);
void end_capture(Capture& capture);

}  // namespace cdt::emulation
