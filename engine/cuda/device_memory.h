// Memory of the GPU: reservations of address space that become memory piece by piece, so that an
// arena keeps its addresses while it grows and takes no more than it ever used.
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

  /// Null where there is not so much address space.
  float* reserve(std::size_t bytes);
  /// Bytes [0, to) of the reservation at base are memory when it returns. Error if the device has
  /// not so much.
  void commit(float* base, std::size_t to);
  void release(float* base);

  /// Bytes committed over all reservations.
  std::size_t committed() const { return committed_; }

 private:
  struct Reservation {
    std::size_t bytes = 0, committed = 0;
    std::vector<std::size_t> pieces;          // bytes of each piece of memory, in order
    std::vector<unsigned long long> handles;  // of the driver, one each
  };

  int device_;
  std::size_t piece_ = 0;  // granularity of the driver
  std::size_t committed_ = 0;
  std::map<float*, Reservation> reservations_;
};

}  // namespace cdt
