#include "tests/emulation/stream.h"

#include <algorithm>
#include <string>
#include <thread>

#include "tests/emulation/device.h"
#include "tests/emulation/emulation.h"

namespace cdt::emulation {
namespace {

struct Streams {
  CUstream_st null_stream;
  std::set<cudaStream_t> live;
  std::vector<std::unique_ptr<CUstream_st>> all;  // kept, so that a stale handle is recognised
  std::set<std::shared_ptr<Capture>> captures;
  bool lazy = false;
};

Streams& streams() {
  static Streams s;
  return s;
}

std::uint64_t this_thread() { return std::hash<std::thread::id>{}(std::this_thread::get_id()); }

/// The default stream and the blocking ones run one after the other.
void add_null_stream_order(CUstream_st& stream) {
  CUstream_st& null_stream = streams().null_stream;
  if (&stream == &null_stream) {
    for (const cudaStream_t other : streams().live) {
      if (other->blocking) flush(*other, other->submitted);
    }
  } else if (stream.blocking) {
    flush(null_stream, null_stream.submitted);
  }
}

}  // namespace

CUstream_st* stream_of(cudaStream_t handle) {
  if (handle == nullptr) return &streams().null_stream;
  return streams().live.count(handle) != 0 ? handle : nullptr;
}

cudaStream_t new_stream(bool blocking) {
  streams().all.push_back(std::make_unique<CUstream_st>());
  const cudaStream_t s = streams().all.back().get();
  s->device = current_device();
  s->blocking = blocking;
  streams().live.insert(s);
  return s;
}

void forget_stream(cudaStream_t handle) { streams().live.erase(handle); }

cudaError_t submit(cudaStream_t handle, std::function<void()> work) {
  CUstream_st* const stream = stream_of(handle);
  if (stream == nullptr) {
    return report(cudaErrorInvalidResourceHandle, "work for a stream that does not exist");
  }
  if (handle != nullptr) {
    const cudaError_t elsewhere = check_device(stream->device, "work for a stream");
    if (elsewhere != cudaSuccess) return elsewhere;
  }
  if (stream->capture) {
    Capture& capture = *stream->capture;
    if (capture.invalid) return set_last_error(cudaErrorStreamCaptureInvalidated);
    capture.graph.nodes.push_back(std::move(work));
    ++stream->captured;
    if (stream != capture.origin) capture.unjoined.insert(stream);
    return cudaSuccess;
  }
  if (sticky_error() != cudaSuccess) return sticky_error();
  if (stream == &streams().null_stream) {
    const cudaError_t implicit = forbid_null_stream_capture();
    if (implicit != cudaSuccess) return implicit;
  }
  add_null_stream_order(*stream);
  stream->queue.push_back(std::move(work));
  ++stream->submitted;
  if (!streams().lazy) flush(*stream, stream->submitted);
  return cudaSuccess;  // an error of the work itself comes with the next call, as on a GPU
}

void flush(CUstream_st& stream, std::uint64_t until) {
  while (stream.done < until && !stream.queue.empty()) {
    const std::function<void()> work = std::move(stream.queue.front());
    stream.queue.pop_front();
    work();
    ++stream.done;
  }
}

void flush_all() {
  for (const cudaStream_t s : streams().live) flush(*s, s->submitted);
  flush(streams().null_stream, streams().null_stream.submitted);
}

void set_lazy(bool on) {
  const auto lock = lock_runtime();
  flush_all();
  streams().lazy = on;
}

cudaError_t forbid_while_capturing(const char* call) {
  bool broken = false;
  for (const auto& capture : streams().captures) {
    const bool other_thread =
        capture->mode == cudaStreamCaptureModeThreadLocal && capture->thread != this_thread();
    if (capture->mode == cudaStreamCaptureModeRelaxed || other_thread) continue;
    capture->invalid = broken = true;
  }
  if (!broken) return cudaSuccess;
  return report(cudaErrorStreamCaptureUnsupported,
                std::string(call) + " while a stream is captured");
}

cudaError_t forbid_null_stream_capture() {
  bool broken = false;
  for (const auto& capture : streams().captures) {
    if (!capture->origin->blocking) continue;
    capture->invalid = broken = true;
  }
  if (!broken) return cudaSuccess;
  return report(cudaErrorStreamCaptureImplicit,
                "the default stream is used while a stream that waits for it is captured");
}

void begin_capture(CUstream_st& stream, cudaStreamCaptureMode mode) {
  auto capture = std::make_shared<Capture>();
  capture->origin = &stream;
  capture->mode = mode;
  capture->thread = this_thread();
  streams().captures.insert(capture);
  stream.capture = std::move(capture);
}

void end_capture(Capture& capture) {
  const std::shared_ptr<Capture> held = capture.origin->capture;
  for (const cudaStream_t member : held->members) member->capture = nullptr;
  held->origin->capture = nullptr;
  streams().captures.erase(held);
}

cudaError_t wait_in_capture(CUstream_st& waiting, const CUevent_st& event) {
  if (!event.capture) {
    waiting.capture->invalid = true;
    return report(cudaErrorStreamCaptureIsolation,
                  "a captured stream waits for an event from outside the capture");
  }
  if (waiting.capture && waiting.capture != event.capture) {
    waiting.capture->invalid = event.capture->invalid = true;
    return report(cudaErrorStreamCaptureMerge, "two captures wait for each other");
  }
  if (event.stream->capture != event.capture) {
    return report(cudaErrorInvalidValue, "an event of a capture that has ended");
  }
  Capture& capture = *event.capture;
  if (!waiting.capture) {
    waiting.capture = event.capture;
    capture.members.insert(&waiting);
  }
  // Joined if the event comes after everything that its stream has recorded.
  if (event.ticket == event.stream->captured) capture.unjoined.erase(event.stream);
  if (&waiting != capture.origin) capture.unjoined.insert(&waiting);
  return cudaSuccess;
}

}  // namespace cdt::emulation
