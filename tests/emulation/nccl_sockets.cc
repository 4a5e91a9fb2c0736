#include "tests/emulation/nccl_sockets.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <thread>

namespace cdt::emulation {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;
constexpr seconds kPatience{30};

/// The address of a rank, in the namespace of sockets without a file.
struct Address {
  sockaddr_un place{};
  socklen_t size = 0;

  Address(const std::string& name, int rank) {
    const std::string text = name + "-" + std::to_string(rank);
    place.sun_family = AF_UNIX;
    text.copy(place.sun_path + 1, sizeof place.sun_path - 1);
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&place); }
};

int connected(const std::string& name, int own, int peer) {
  const Address address(name, peer);
  for (const auto end = steady_clock::now() + kPatience; steady_clock::now() < end;) {
    const int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(s, address.get(), address.size) == 0) {
      if (write(s, &own, sizeof own) == sizeof own) return s;
    }
    close(s);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  throw std::runtime_error("rank " + std::to_string(peer) + " does not listen");
}

/// Waits until one of the events of `polled` happens.
bool wait_for(std::vector<pollfd>* polled) {
  const int milliseconds = static_cast<int>(kPatience.count()) * 1000;
  int ready = 0;
  do {
    ready = poll(polled->data(), polled->size(), milliseconds);
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

}  // namespace

/// A message, of which `done` bytes have been moved; the first eight are its size.
struct RankSockets::Transfer {
  RankMessage message;
  std::size_t done = 0;
  std::uint64_t announced = 0;

  static constexpr std::size_t kHead = sizeof announced;
  bool complete() const { return done == kHead + message.bytes; }
  /// The bytes that come next.
  char* place() {
    return done < kHead ? reinterpret_cast<char*>(&announced) + done : message.data + done - kHead;
  }
  std::size_t left() const { return done < kHead ? kHead - done : kHead + message.bytes - done; }
};

RankSockets::RankSockets(const std::string& name, int rank, int ranks)
    : rank_(rank), peers_(static_cast<std::size_t>(ranks), -1) {
  const int door = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const Address own(name, rank);
  if (bind(door, own.get(), own.size) != 0 || listen(door, ranks) != 0) {
    close(door);
    throw std::runtime_error("rank " + std::to_string(rank) + " is there already");
  }
  for (int peer = 0; peer < rank; ++peer) {
    peers_[static_cast<std::size_t>(peer)] = connected(name, rank, peer);
  }
  for (int left = ranks - 1 - rank; left > 0; --left) {
    std::vector<pollfd> polled = {{door, POLLIN, 0}};
    int peer = -1;
    const int s = wait_for(&polled) ? accept4(door, nullptr, nullptr, SOCK_CLOEXEC) : -1;
    if (s < 0 || recv(s, &peer, sizeof peer, MSG_WAITALL) != sizeof peer) {
      close(door);
      throw std::runtime_error("a rank is missing");
    }
    peers_[static_cast<std::size_t>(peer)] = s;
  }
  close(door);
}

RankSockets::~RankSockets() {
  for (const int s : peers_) {
    if (s >= 0) close(s);
  }
}

std::string RankSockets::advance(Transfer* transfer) {
  RankMessage& m = transfer->message;
  const int s = peers_[static_cast<std::size_t>(m.peer)];
  constexpr int kFlags = MSG_DONTWAIT | MSG_NOSIGNAL;
  if (m.outgoing) transfer->announced = m.bytes;
  while (!transfer->complete()) {
    const ssize_t moved = m.outgoing ? send(s, transfer->place(), transfer->left(), kFlags)
                                     : recv(s, transfer->place(), transfer->left(), kFlags);
    if (moved < 0 && (errno == EAGAIN || errno == EINTR)) return "";
    if (moved <= 0) return "rank " + std::to_string(m.peer) + " has gone";
    transfer->done += static_cast<std::size_t>(moved);
    if (!m.outgoing && transfer->done == Transfer::kHead && transfer->announced != m.bytes) {
      return "rank " + std::to_string(m.peer) + " sends " + std::to_string(transfer->announced) +
             " bytes, " + std::to_string(m.bytes) + " are received";
    }
  }
  return "";
}

std::string RankSockets::move(const std::vector<RankMessage>& messages) {
  // By peer and direction, in the order of issue.
  std::vector<std::deque<Transfer>> queues(2 * peers_.size());
  for (const RankMessage& m : messages) {
    queues[2 * static_cast<std::size_t>(m.peer) + (m.outgoing ? 1 : 0)].push_back({m});
  }
  while (true) {
    std::vector<pollfd> polled;
    for (std::deque<Transfer>& queue : queues) {
      while (!queue.empty()) {
        std::string wrong = advance(&queue.front());
        if (!wrong.empty()) return wrong;
        if (!queue.front().complete()) break;
        queue.pop_front();
      }
      if (queue.empty()) continue;
      const RankMessage& m = queue.front().message;
      polled.push_back({peers_[static_cast<std::size_t>(m.peer)],
                        static_cast<short>(m.outgoing ? POLLOUT : POLLIN), 0});
    }
    if (polled.empty()) return "";
    if (!wait_for(&polled)) return "a rank does not answer";
  }
}

}  // namespace cdt::emulation
