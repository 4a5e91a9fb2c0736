// Arenas: memory by lifetime. One for what lasts (parameters, optimiser state), one per step
// (activations, their gradients), one scratch inside an op. An arena is one reservation of address
// space; a tensor is a range in it. Allocation order is a function of the program alone, so the
// addresses of a step repeat from step to step.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "engine/tensor.h"

namespace cdt {

class Backend;

/// First-fit ranges in one reservation, 128-byte aligned. Not thread safe.
class Arena {
 public:
  /// Reserves `capacity` bytes of the backend's memory. This is address space only: pages become
  /// resident when they are first written (CPU) or first handed out (GPU).
  Arena(Backend& backend, std::string name, std::size_t capacity);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Uninitialised tensor. Throws Error naming the arena, the request and what is left.
  Tensor tensor(const Shape& shape, Dtype dtype = Dtype::kFloat32);
  /// Gives a range back before the step ends; the next tensor may reuse it. Must be a pointer that
  /// tensor() returned.
  void give_back(const Tensor& t);
  /// Ends the lifetime of everything in the arena. Debug builds fill used memory with NaN.
  void reset();

  /// Bytes in use now, and the most ever in use at once.
  std::size_t used() const { return used_; }
  std::size_t peak() const { return peak_; }

 private:
  /// Debug builds (CDT_DEBUG) fill a range with NaN and its last 128 bytes with a canary, which
  /// check_canary() wants to find again. Nothing otherwise.
  void poison(std::size_t offset, std::size_t bytes);
  void check_canary(std::size_t offset, std::size_t bytes) const;

  Backend& backend_;
  std::string name_;
  std::size_t capacity_;
  float* base_;
  std::map<std::size_t, std::size_t> holes_;  // offset -> bytes, coalesced
  std::map<std::size_t, std::size_t> live_;   // offset -> bytes
  std::size_t used_ = 0;
  std::size_t peak_ = 0;
  std::size_t committed_ = 0;  // bytes from the start ever handed out
};

/// A tensor of the scratch arena that goes back at the end of the scope.
class Scratch {
 public:
  Scratch(Arena& arena, const Shape& shape, Dtype dtype = Dtype::kFloat32)
      : arena_(arena), tensor_(arena.tensor(shape, dtype)) {}
  ~Scratch() { arena_.give_back(tensor_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const Tensor& operator*() const { return tensor_; }
  float* data() const { return tensor_.data; }

 private:
  Arena& arena_;
  Tensor tensor_;
};

}  // namespace cdt
