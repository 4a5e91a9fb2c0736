// Owner of one HDF5 identifier (file, data set, type, space or property list).
#pragma once

#include <hdf5.h>

#include <utility>

namespace cdt {

class Hdf5Handle {
 public:
  using Closer = herr_t (*)(hid_t);

  Hdf5Handle() = default;
  /// Takes over `id`; a negative one (a failed call) is kept as "not valid".
  Hdf5Handle(hid_t id, Closer closer) : id_(id), closer_(closer) {}
  ~Hdf5Handle() { reset(); }
  Hdf5Handle(Hdf5Handle&& other) noexcept
      : id_(std::exchange(other.id_, -1)), closer_(other.closer_) {}
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
    if (this != &other) {
      reset();
      id_ = std::exchange(other.id_, -1);
      closer_ = other.closer_;
    }
    return *this;
  }
  Hdf5Handle(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(const Hdf5Handle&) = delete;

  bool valid() const { return id_ >= 0; }
  hid_t get() const { return id_; }

 private:
  void reset() {
    if (id_ >= 0) closer_(id_);
    id_ = -1;
  }

  hid_t id_ = -1;
  Closer closer_ = nullptr;
};

}  // namespace cdt
