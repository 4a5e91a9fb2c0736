// GPU memory: reserved address space that is backed by memory piece by piece, so that an arena
// keeps its addresses as it grows and takes no more memory than it ever used.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

namespace cdt {

class DeviceMemory {
 public:
  explicit DeviceMemory(int device);
  ~DeviceMemory();
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  /// Returns null if there is not enough address space.
  float* reserve(std::size_t bytes);
  /// Backs bytes [0, to) of the reservation at base with memory. Throws Error if the device has too
  /// little.
  void commit(float* base, std::size_t to);
  void release(float* base);

  /// Total bytes committed in all reservations.
  std::size_t committed() const { return committed_; }

 private:
  struct Reservation {
    std::size_t bytes = 0, committed = 0;
    std::vector<std::size_t> pieces;          // bytes of each piece of memory, in order
    std::vector<unsigned long long> handles;  // driver handles, one per piece
  };

  int device_;
  std::size_t piece_ = 0;  // the driver's granularity in bytes
  std::size_t committed_ = 0;
  std::map<float*, Reservation> reservations_;
};

}  // namespace cdt
