// The runtime's calls for streams and events.
#include <chrono>

#include "tests/emulation/device.h"
#include "tests/emulation/stream.h"

using namespace cdt::emulation;  // NOLINT(google-build-using-namespace)

// NOLINTBEGIN(readability-identifier-naming): the toolkit's names
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The live stream of the thread's device that is not captured, or the error in `error`.
CUstream_st* waitable(cudaStream_t handle, const char* call, cudaError_t& error) {
  CUstream_st* const stream = stream_of(handle);
  error = cudaSuccess;
  if (stream == nullptr) {
    error = report(cudaErrorInvalidResourceHandle, std::string(call) + ": no such stream");
  } else if (stream->capture) {
    stream->capture->invalid = true;
    error = report(cudaErrorStreamCaptureUnsupported, std::string(call) + " of a captured stream");
  } else if (handle != nullptr) {
    error = check_device(stream->device, std::string(call) + ": a stream");
  }
  return error == cudaSuccess ? stream : nullptr;
}

bool complete(const CUevent_st& event) {
  return event.stream == nullptr || event.stream->done >= event.ticket;
}

}  // namespace

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  const auto lock = lock_runtime();
  if (device_count() == 0) return set_last_error(cudaErrorNoDevice);
  const cudaError_t unchosen = check_chosen("cudaStreamCreate");
  if (unchosen != cudaSuccess) return unchosen;
  *stream = new_stream((flags & cudaStreamNonBlocking) == 0);
  return sticky_error();
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  const auto lock = lock_runtime();
  cudaError_t error;
  CUstream_st* const stream = waitable(handle, "cudaStreamDestroy", error);
  if (stream == nullptr) return error;
  flush(*stream, stream->submitted);
  forget_stream(handle);
  return sticky_error();
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  const auto lock = lock_runtime();
  cudaError_t error;
  CUstream_st* const stream = waitable(handle, "cudaStreamSynchronize", error);
  if (stream == nullptr) return error;
  flush(*stream, stream->submitted);
  return sticky_error();
}

cudaError_t cudaStreamQuery(cudaStream_t handle) {
  const auto lock = lock_runtime();
  cudaError_t error;
  CUstream_st* const stream = waitable(handle, "cudaStreamQuery", error);
  if (stream == nullptr) return error;
  const bool done = stream->done == stream->submitted;
  flush(*stream, stream->submitted);  // the caller polls: finish before the next call
  return done || sticky_error() != cudaSuccess ? sticky_error() : cudaErrorNotReady;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned /*flags*/) {
  const auto lock = lock_runtime();
  CUstream_st* const waiting = stream_of(handle);
  if (waiting == nullptr || event == nullptr) {
    return report(cudaErrorInvalidResourceHandle, "cudaStreamWaitEvent: no such stream or event");
  }
  if (waiting->capture || event->capture) return wait_in_capture(*waiting, *event);
  if (event->stream == nullptr) return cudaSuccess;  // never recorded: nothing to wait for
  return submit(handle, [other = event->stream, ticket = event->ticket] { flush(*other, ticket); });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  const auto lock = lock_runtime();
  if (device_count() == 0) return set_last_error(cudaErrorNoDevice);
  const cudaError_t unchosen = check_chosen("cudaEventCreate");
  if (unchosen != cudaSuccess) return unchosen;
  *event = std::make_unique<CUevent_st>().release();
  (*event)->device = current_device();
  (*event)->timing = (flags & cudaEventDisableTiming) == 0;
  return sticky_error();
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const auto lock = lock_runtime();
  const std::unique_ptr<CUevent_st> owner(event);
  return event == nullptr ? set_last_error(cudaErrorInvalidResourceHandle) : sticky_error();
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle) {
  const auto lock = lock_runtime();
  CUstream_st* const stream = stream_of(handle);
  if (stream == nullptr || event == nullptr) {
    return report(cudaErrorInvalidResourceHandle, "cudaEventRecord: no such stream or event");
  }
  const cudaError_t elsewhere = check_device(event->device, "cudaEventRecord: an event");
  if (elsewhere != cudaSuccess) return elsewhere;
  event->capture = stream->capture;
  event->stream = stream;
  if (stream->capture) {
    event->ticket = stream->captured;
    return cudaSuccess;
  }
  const cudaError_t error = submit(handle, [seconds = event->seconds] { *seconds = now(); });
  event->ticket = stream->submitted;
  return error;
}

cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t handle, unsigned flags) {
  if (flags == cudaEventRecordDefault) return cudaEventRecord(event, handle);
  const auto lock = lock_runtime();
  CUstream_st* const stream = stream_of(handle);
  if (stream == nullptr || event == nullptr || flags != cudaEventRecordExternal ||
      !stream->capture) {
    return report(cudaErrorInvalidResourceHandle,
                  "cudaEventRecordWithFlags: an external record belongs to a captured stream");
  }
  // A node of the graph: the event is recorded whenever the graph runs, on the stream it runs in.
  event->stream = stream;
  event->ticket = 0;
  event->capture = nullptr;
  return submit(handle, [seconds = event->seconds] { *seconds = now(); });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const auto lock = lock_runtime();
  if (event == nullptr) return set_last_error(cudaErrorInvalidResourceHandle);
  if (event->capture) {
    return report(cudaErrorCapturedEvent, "cudaEventSynchronize of an event that was captured");
  }
  const cudaError_t elsewhere = check_device(event->device, "cudaEventSynchronize: an event");
  if (elsewhere != cudaSuccess) return elsewhere;
  if (event->stream != nullptr) flush(*event->stream, event->ticket);
  return sticky_error();
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  const auto lock = lock_runtime();
  if (event == nullptr) return set_last_error(cudaErrorInvalidResourceHandle);
  if (event->capture) {
    return report(cudaErrorCapturedEvent, "cudaEventQuery of an event that was captured");
  }
  const cudaError_t elsewhere = check_device(event->device, "cudaEventQuery: an event");
  if (elsewhere != cudaSuccess) return elsewhere;
  const bool done = complete(*event);
  if (!done) flush(*event->stream, event->ticket);  // the caller polls: finish before the next call
  return done || sticky_error() != cudaSuccess ? sticky_error() : cudaErrorNotReady;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t stop) {
  const auto lock = lock_runtime();
  if (start == nullptr || stop == nullptr || !start->timing || !stop->timing ||
      start->stream == nullptr || stop->stream == nullptr) {
    return set_last_error(cudaErrorInvalidResourceHandle);
  }
  if (!complete(*start) || !complete(*stop)) return set_last_error(cudaErrorNotReady);
  constexpr double kMilli = 1e3;
  *milliseconds = static_cast<float>((*stop->seconds - *start->seconds) * kMilli);
  return sticky_error();
}
// NOLINTEND(readability-identifier-naming)
