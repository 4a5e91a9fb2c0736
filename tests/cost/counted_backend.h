// A backend in front of the emulated GPU that records, for each kernel and product, which function
// of the backend requested it and with what operands: the input of tests/cuda_cost.awk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/forwarding_backend.h"
#include "engine/profiler.h"
#include "tests/emulation/journal.h"

namespace cdt {

/// One call of a function of engine/backend_functions.inc.
struct CountedCall {
  std::string function = "-";  // of that name; "-": what is asked for outside of them
  Work work;                   // as counted in profiles
  // Of its largest tensor, or of its product; then those of an attention.
  std::int64_t elements = 0, columns = 0;
  std::int64_t batch = 0, heads = 0, width = 0, queries = 0, keys = 0;
};

/// A node of a step, and the call that it belongs to.
struct CountedIssue {
  emulation::Issue issue;
  CountedCall call;
  std::size_t number = 0;  // of the call; what belongs to none has one of its own
};

class CountedBackend : public ForwardingBackend {
 public:
  using ForwardingBackend::ForwardingBackend;
  /// Starts a new list of everything that is issued.
  virtual void start() = 0;
  /// Returns the list and stops recording.
  virtual std::vector<CountedIssue> take() = 0;
};

std::unique_ptr<CountedBackend> make_counted_backend(std::unique_ptr<Backend> device);

}  // namespace cdt
