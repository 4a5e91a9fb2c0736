#include "tests/cost/counted_backend.h"

#include <type_traits>
#include <utility>

namespace cdt {
namespace {

// Takes the sizes of a call from its operands, one after another.
void look_at(const Tensor& t, CountedCall* call) {
  if (t.empty() || t.count() <= call->elements) return;
  call->elements = t.count();
  call->columns = t.cols();
}

void look_at(const Gemm& g, CountedCall* call) {
  call->elements = g.batch * g.m * g.n;
  call->columns = g.n;
  call->width = g.k;
}

void look_at(const Attention& a, CountedCall* call) {
  call->elements = a.batch * a.queries * a.heads * a.head_dim;
  call->columns = a.heads * a.head_dim;
  call->batch = a.batch;
  call->heads = a.heads;
  call->width = a.head_dim;
  call->queries = a.queries;
  call->keys = a.keys;
}

void look_at(const AttentionBackward& a, CountedCall* call) { look_at(forward_of(a), call); }

void look_at(const AddNormBackward& a, CountedCall* call) { look_at(a.sum, call); }

void look_at(std::span<const AdamWTensors> parameters, CountedCall* call) {
  for (const AdamWTensors& p : parameters) call->elements += p.w.count();
  call->columns = call->elements;
}

// Operands without sizes. A new kind of operand does not compile until it has an overload.
template <class T>
requires std::is_arithmetic_v<T>
void look_at(T /*number*/, CountedCall* /*call*/) {}
void look_at(const DropoutKey& /*key*/, CountedCall* /*call*/) {}
void look_at(const Arena& /*scratch*/, CountedCall* /*call*/) {}

class Counted final : public CountedBackend {
 public:
  explicit Counted(std::unique_ptr<Backend> device)
      : CountedBackend(*device), owned_(std::move(device)) {}

  /// A debug build's arenas neither add fills to the list nor read memory that nothing has written.
  bool holds_values() const override { return false; }

  void start() override {
    calls_.clear();
    emulation::start_journal();
  }

  std::vector<CountedIssue> take() override {
    std::vector<CountedIssue> counted;
    auto call = calls_.begin();
    for (emulation::Issue& issue : emulation::take_journal()) {
      const std::size_t at = counted.size();
      while (call != calls_.end() && call->end <= at) ++call;
      if (call != calls_.end() && call->begin <= at) {
        counted.push_back({std::move(issue), call->call, call->begin});
      } else {
        counted.push_back({std::move(issue), CountedCall{}, at});
      }
    }
    return counted;
  }

#define CALL(type, name, parameters, arguments)
#define KERNEL(name, parameters, arguments, work)                                            \
  void name parameters override {                                                            \
    CountedCall call{#name, work, 0, 0, 0, 0, 0, 0, 0};                                      \
    const auto look = [&call](const auto&... operands) { (look_at(operands, &call), ...); }; \
    look arguments;                                                                          \
    const std::size_t begin = emulation::journal_size();                                     \
    device().name arguments;                                                                 \
    calls_.push_back({begin, emulation::journal_size(), call});                              \
  }
#include "engine/backend_functions.inc"

 private:
  struct Call {
    std::size_t begin, end;  // its range in the journal
    CountedCall call;
  };

  std::unique_ptr<Backend> owned_;
  std::vector<Call> calls_;
};

}  // namespace

std::unique_ptr<CountedBackend> make_counted_backend(std::unique_ptr<Backend> device) {
  return std::make_unique<Counted>(std::move(device));
}

}  // namespace cdt
