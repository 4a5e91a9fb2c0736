#include "engine/trace.h"

#include <utility>

#include "engine/error.h"
#include "engine/tape.h"

namespace cdt {

OpInput::OpInput(Variable* v) : value(v), tensor(v == nullptr ? Tensor{} : v->value) {}

Trace::Trace(Profiler& profiler) : profiler_(profiler) {
  profiler_.listen([this](const Profiler::Key& key, const Work& work) { add(key, work); });
}

void Trace::start(const char* name, std::string_view module, const std::vector<OpInput>& inputs) {
  next_ = {};
  next_.name = name;
  next_.module = module;
  for (const OpInput& input : inputs) {
    if (input.tensor.empty()) continue;
    const auto maker = maker_.find(input.value);
    next_.inputs.push_back({input.tensor, maker == maker_.end() ? -1 : maker->second});
  }
  started_ = true;
}

std::int64_t Trace::made(Variable* out) {
  if (started_) ops_.push_back(std::exchange(next_, {}));
  started_ = false;
  CDT_CHECK(!ops_.empty(), "an op starts before it makes something");
  current_ = static_cast<std::int64_t>(ops_.size()) - 1;
  ops_.back().output = out->value;
  maker_[out] = current_;
  return current_;
}

// A span of the profile ends with its op: forward the one made last, backward the one whose rule
// ran.
void Trace::add(const Profiler::Key& key, const Work& work) {
  const auto& [pass, name] = key;
  if (pass == ProfilePass::kOutside) return;
  CDT_CHECK(current_ >= 0, "work belongs to an op");
  Op& op = ops_[static_cast<std::size_t>(current_)];
  CDT_CHECK(op.name == name, "work of " + name + " is counted as that of " + op.name);
  (pass == ProfilePass::kForward ? op.forward : op.backward) += work;
}

}  // namespace cdt
