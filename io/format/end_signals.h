// The signals by which a user ends a program.
#pragma once

#include <array>
#include <csignal>

namespace cdt {

inline constexpr std::array<int, 3> kEndSignals = {SIGINT, SIGTERM, SIGHUP};

}  // namespace cdt
