// Connections between the processes of an emulated NCCL communicator: Unix sockets whose names
// follow from its id.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cdt::emulation {

/// Bytes to or from a rank. A message has its size before it; the receiver must expect that many.
struct RankMessage {
  int peer = 0;
  bool outgoing = false;
  char* data = nullptr;
  std::size_t bytes = 0;
};

class RankSockets {
 public:
  /// Connects to all other ranks of `name`, which must do the same within some seconds. Throws
  /// std::runtime_error if they do not.
  RankSockets(const std::string& name, int rank, int ranks);
  ~RankSockets();
  RankSockets(const RankSockets&) = delete;
  RankSockets& operator=(const RankSockets&) = delete;

  int ranks() const { return static_cast<int>(peers_.size()); }
  int rank() const { return rank_; }
  /// Moves all messages, those of a peer in their order. Returns "" or what went wrong.
  std::string move(const std::vector<RankMessage>& messages);

 private:
  struct Transfer;
  std::string advance(Transfer* transfer);

  int rank_;
  std::vector<int> peers_;  // a socket for each rank; -1 for this one
};

}  // namespace cdt::emulation
