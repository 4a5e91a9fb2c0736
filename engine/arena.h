// Arenas: memory by lifetime. One for what lasts (parameters, optimiser state), one per step
// (activations, their gradients), one scratch inside an op. A tensor is a range of an arena; an
// arena grows as tensors are asked for. Allocation order is a function of the program alone, so the
// addresses of a step repeat from step to step.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/tensor.h"

namespace cdt {

class Backend;

/// First-fit ranges, 128-byte aligned, in pieces of address space: where no hole of a piece takes a
/// tensor, a further piece as large as all before is reserved. Pieces stay until the arena goes,
/// and holes are tried in the order of the pieces, so a step that has run once finds its ranges
/// again at the same addresses. Not thread safe.
class Arena {
 public:
  /// Reserves nothing yet. Address space becomes memory when it is first handed out (GPU) or first
  /// written (CPU).
  Arena(Backend& backend, std::string name);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Uninitialised tensor. Error naming the arena and what was asked for if the device has no room.
  Tensor tensor(const Shape& shape, Dtype dtype = Dtype::kFloat32);
  /// Gives a range back before the step ends; the next tensor may reuse it. Must be a pointer that
  /// tensor() returned.
  void give_back(const Tensor& t);
  /// Ends the lifetime of everything in the arena. Debug builds fill used memory with NaN.
  void reset();

  /// Bytes in use now, and the most ever in use at once.
  std::size_t used() const { return used_; }
  std::size_t peak() const { return peak_; }
  /// Bytes ever handed out, holes between them included: what the arena takes of the device.
  std::size_t held() const;

 private:
  using Ranges = std::map<std::size_t, std::size_t>;  // offset -> bytes
  struct Piece {
    float* base;
    std::size_t bytes;
    Ranges holes;  // coalesced
    Ranges live;
    std::size_t committed = 0;  // bytes from the start ever handed out
  };

  /// A piece with a hole of `bytes`, and the first such hole.
  std::pair<Piece*, Ranges::iterator> find_hole(std::size_t bytes);
  /// One more piece with room for `bytes`.
  Piece& grow(std::size_t bytes);
  [[noreturn]] void fail(std::size_t bytes, const std::string& why) const;
  /// Debug builds (CDT_DEBUG) fill a range with NaN and its last 128 bytes with a canary, which
  /// check_canary() wants to find again. Nothing otherwise, or on a backend that holds no values.
  void poison(const Piece& piece, std::size_t offset, std::size_t bytes);
  void check_canary(const Piece& piece, std::size_t offset, std::size_t bytes) const;

  Backend& backend_;
  std::string name_;
  std::vector<Piece> pieces_;
  std::size_t used_ = 0;
  std::size_t peak_ = 0;
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
