// What a process computes on and with, for records of what it made: the hardware, and the versions
// of the libraries as they are at run time.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace cdt {

struct DeviceFacts {
  std::string kind;          // cpu or cuda
  std::string cpu;           // model of the CPU as the system names it; "" if it does not
  std::string instructions;  // most recent instruction set that oneDNN uses
  int threads = 0;           // of the CPU
  // Of the GPU; all "" on the CPU. driver: the newest CUDA that it supports.
  std::string gpu, compute_capability, driver;
  std::vector<std::pair<std::string, std::string>> libraries;  // name and version
};

/// The facts of a process that computes on `threads` threads of the CPU; 0: default_threads().
DeviceFacts cpu_facts(int threads = 0);

}  // namespace cdt
