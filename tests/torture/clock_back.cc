// A library to preload: each look at the time of day finds it 10 minutes earlier than the last one.
// The monotonic clock is left alone.
#include <dlfcn.h>
#include <sys/time.h>

#include <atomic>
#include <ctime>

namespace {

std::atomic<time_t> set_back{0};

time_t earlier() {
  constexpr time_t kStep = 600;
  return set_back += kStep;
}

}  // namespace

// Declared under other names than the functions that they replace, which <ctime> declares.
extern "C" {
int set_back_clock_gettime(clockid_t clock, timespec* out) asm("clock_gettime");
time_t set_back_time(time_t* out) asm("time");
int set_back_gettimeofday(timeval* out, void* zone) asm("gettimeofday");
}

int set_back_clock_gettime(clockid_t clock, timespec* out) {
  using Function = int (*)(clockid_t, timespec*);
  static const auto next = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "clock_gettime"));
  const int status = next(clock, out);
  if (status == 0 && clock == CLOCK_REALTIME) out->tv_sec -= earlier();
  return status;
}

time_t set_back_time(time_t* out) {
  timespec now = {};
  set_back_clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

int set_back_gettimeofday(timeval* out, void* /*zone*/) {
  timespec now = {};
  const int status = set_back_clock_gettime(CLOCK_REALTIME, &now);
  *out = {now.tv_sec, now.tv_nsec / 1000};
  return status;
}
