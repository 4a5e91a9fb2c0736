// Arenas: memory grouped by lifetime. One arena lasts (parameters, optimiser state), one holds a
// step (activations, their gradients), one is scratch inside an op. A tensor is a range of an
// arena, and an arena grows on demand. Allocation order is a function of the program alone, so a
// step uses the same addresses every time.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/tensor.h"

namespace cdt {

class Backend;

/// A first-fit allocator of 128-byte aligned ranges in pieces of address space. If no hole fits a
/// tensor, it reserves another piece as large as all pieces before it. Pieces live as long as the
/// arena and holes are searched in piece order, so a repeated step gets the same addresses. Not
/// thread safe.
class Arena {
 public:
  /// Reserves nothing yet. Address space becomes memory when it is first handed out (GPU) or first
  /// written (CPU).
  Arena(Backend& backend, std::string name);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Allocates an uninitialised tensor. Throws Error, naming the arena and the size, if the device
  /// has no room.
  Tensor tensor(const Shape& shape, Dtype dtype = Dtype::kFloat32);
  /// Frees a tensor that tensor() returned, before the step ends; a later tensor may reuse its
  /// range.
  void give_back(const Tensor& t);
  /// Ends the lifetime of everything in the arena. Debug builds fill used memory with NaN.
  void reset();

  /// Bytes in use now, and the peak.
  std::size_t used() const { return used_; }
  std::size_t peak() const { return peak_; }
  /// Bytes of device memory the arena occupies: everything ever handed out, including holes
  /// between.
  std::size_t held() const;

 private:
  using Ranges = std::map<std::size_t, std::size_t>;  // offset -> bytes
  struct Piece {
    float* base;
    std::size_t bytes;
    Ranges holes;  // coalesced
    Ranges live;
    std::size_t committed = 0;  // high-water mark: bytes from base ever handed out
  };

  /// Finds the first hole of at least `bytes`; returns its piece and the hole.
  std::pair<Piece*, Ranges::iterator> find_hole(std::size_t bytes);
  /// Adds a piece with room for `bytes`.
  Piece& grow(std::size_t bytes);
  [[noreturn]] void fail(std::size_t bytes, const std::string& why) const;
  /// Debug builds (CDT_DEBUG) fill a range with NaN and its last 128 bytes with a canary, which
  /// check_canary() verifies. No-ops otherwise, and on a backend that holds no values.
  void poison(const Piece& piece, std::size_t offset, std::size_t bytes);
  void check_canary(const Piece& piece, std::size_t offset, std::size_t bytes) const;

  Backend& backend_;
  std::string name_;
  std::vector<Piece> pieces_;
  std::size_t used_ = 0;
  std::size_t peak_ = 0;
};

/// A scratch tensor that is freed at the end of the scope.
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
