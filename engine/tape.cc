#include "engine/tape.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "engine/error.h"

namespace cdt {

bool any_needs_grad(std::initializer_list<Var> inputs) {
  return std::any_of(inputs.begin(), inputs.end(), [](Var v) { return v->needs_grad; });
}

Tensor weight_as(Var parameter, Dtype dtype) {
  const bool rounded = dtype != parameter->value.dtype;
  CDT_CHECK(!rounded || !parameter->rounded.empty(), "a parameter without its rounded copy");
  return rounded ? parameter->rounded : parameter->value;
}

void Tape::train(std::uint64_t seed, std::uint32_t step, std::int64_t first_sample) {
  CDT_CHECK(first_sample >= 0, "samples are numbered from 0");
  training_ = true;
  seed_ = seed;
  step_number_ = step;
  next_site_ = 0;
  first_sample_ = first_sample;
}

void Tape::eval() { training_ = false; }

DropoutKey Tape::next_dropout(float p, const Shape& mask, MaskPer per) {
  DropoutKey key{seed_, step_number_, next_site_++, training_ ? p : 0.0F};
  if (key.p <= 0.0F) return key;
  constexpr std::int64_t kRows = std::int64_t{1} << 32U;
  const bool shared = per == MaskPer::kBatch;
  const std::int64_t samples = shared ? 1 : mask[0];
  const std::int64_t rows = mask.count() / mask[-1] / samples;  // of a sample
  const std::int64_t first = shared ? 0 : first_sample_;
  if (first + samples > kRows / rows) {
    throw Error("dropout: " + std::to_string(first + samples) + " samples of " +
                std::to_string(rows) + " rows each; a mask has 2^32 rows at most");
  }
  key.first_row = static_cast<std::uint32_t>(first * rows);
  return key;
}

Var Tape::constant(const Tensor& value) {
  variables_.push_back({.value = value, .grad = {}, .keep = true});
  return &variables_.back();
}

Var Tape::input(const Tensor& value) {
  variables_.push_back({.value = value, .grad = {}, .needs_grad = true, .keep = true});
  return &variables_.back();
}

Var Tape::rows_of(Var parameter, std::int64_t begin, std::int64_t end) {
  CDT_CHECK(parameter->lasting, "rows_of() takes a parameter");
  Variable view{.value = parameter->value.slice(begin, end),
                .grad = {},
                .needs_grad = parameter->needs_grad,
                .lasting = true};
  if (!parameter->grad.empty()) view.grad = parameter->grad.slice(begin, end);
  if (!parameter->rounded.empty()) view.rounded = parameter->rounded.slice(begin, end);
  variables_.push_back(view);
  return &variables_.back();
}

Var Tape::output(const Shape& shape, bool needs_grad, Dtype dtype) {
  return output_in(step_.tensor(shape, dtype), needs_grad);
}

Var Tape::output_in(const Tensor& memory, bool needs_grad) {
  variables_.push_back({.value = memory, .grad = {}, .needs_grad = needs_grad, .owned = true});
  return &variables_.back();
}

Tensor Tape::take_value(Var consumed) {
  if (consumed->owned && !consumed->keep) {
    const Tensor memory = consumed->value;
    consumed->value.data = nullptr;
    consumed->owned = false;
    return memory;
  }
  const Tensor copy = step_.tensor(consumed->value.shape, consumed->value.dtype);
  backend_.copy(copy, consumed->value);
  return copy;
}

void Tape::drop(Var v) {
  if (!v->owned || v->keep) return;
  step_.give_back(v->value);
  v->value.data = nullptr;
  v->owned = false;
}

void Tape::record(Var out, std::vector<Tensor> saved, std::function<void()> rule,
                  CotangentOrder order) {
  const std::int64_t traced = trace_ != nullptr ? trace_->made(out) : -1;
  if (values_ != nullptr && out->value.data != nullptr) {
    values_->computed(ProfilePass::kForward, op_, module_, out->value);
  }
  if (out->needs_grad) {
    rules_.push_back(
        {out, std::move(saved), std::move(rule), order, op_, traced, module_, parameters_});
    return;
  }
  for (const Tensor& t : saved) step_.give_back(t);
}

GradTarget Tape::gradient(Var v) {
  if (v->lasting) {
    CDT_CHECK(!v->grad.empty(), "a trainable parameter has a gradient from the start");
    return {v->grad, true};
  }
  if (v->grad.empty()) {
    v->grad = step_.tensor(with_first(v->value.shape, count_ * v->value.shape[0]), v->value.dtype);
    v->written = 0;
  }
  CDT_CHECK(v->grad.shape[0] == count_ * v->value.shape[0],
            "gradients of another number of losses are still there");
  const std::int64_t reached = current_ == kAll ? count_ : current_ + 1;
  const bool accumulate = v->written >= reached;
  if (!accumulate) v->written = reached;
  CDT_CHECK(!accumulate || !v->bias_summed, "a gradient whose column sums are taken is added to");
  if (values_ != nullptr) written_.push_back(visible(v->grad));
  return {visible(v->grad), accumulate};
}

Tensor Tape::bias_gradient(Var v, const GradTarget& target) {
  const bool alone = v->value.data == nullptr && !target.grad.empty() && !target.accumulate;
  if (!alone || v->bias == nullptr || !v->bias->needs_grad) return {};
  v->bias_summed = true;
  return v->bias->grad;
}

void Tape::write_gradient(Var v, const std::function<void(const Tensor&)>& write,
                          const Tensor& spare) {
  if (!v->needs_grad) return write({});
  const GradTarget target = gradient(v);
  if (!target.accumulate) return write(target.grad);
  if (!spare.empty()) {
    write(spare);
    backend_.add_to(target.grad, spare);
    return;
  }
  const Scratch part(scratch_, target.grad.shape, target.grad.dtype);
  write(*part);
  backend_.add_to(target.grad, *part);
}

Tensor Tape::visible(const Tensor& gradient) const {
  if (count_ == 1 || current_ == kAll) return gradient;
  const std::int64_t rows = gradient.shape[0] / count_;
  return gradient.slice(current_ * rows, (current_ + 1) * rows);
}

void Tape::free_gradient(Variable& v) {
  if (v.lasting || v.grad.empty()) return;
  step_.give_back(v.grad);
  v.grad = {};
  v.written = 0;
  v.bias_summed = false;
}

void Tape::backward(Var out, float cotangent) {
  expect_shape("backward", "loss", out->value, {1});
  const Scratch start(scratch_, {1});
  backend_.fill(*start, cotangent);
  backward(out, *start);
}

void Tape::backward(Var out, const Tensor& cotangent, bool retain) {
  backward({{out, cotangent}}, 1, retain);
}

void Tape::run(const Rule& rule) {
  if (trace_ != nullptr) trace_->rule_runs(rule.traced);
  const ProfileScope time(profiler_, ProfilePass::kBackward, rule.op);
  Variable& v = *rule.out;
  const Tensor whole = v.grad;
  current_ = rule.order == CotangentOrder::kTogether ? kAll : 0;
  do {
    v.grad = visible(whole);
    written_.clear();
    rule.run();
    if (values_ != nullptr) show_gradients(rule);
  } while (current_ != kAll && ++current_ < count_);
  v.grad = whole;
}

void Tape::note_parameters(const std::vector<OpInput>& inputs) {
  parameters_.clear();
  for (const OpInput& input : inputs) {
    const Variable* v = input.value;
    if (v != nullptr && v->lasting && v->needs_grad) parameters_.push_back(v->grad);
  }
}

void Tape::show_gradients(const Rule& rule) {
  const auto show = [&](const std::vector<Tensor>& gradients) {
    for (const Tensor& gradient : gradients) {
      if (gradient.data == nullptr) continue;
      values_->computed(ProfilePass::kBackward, rule.op, rule.module, gradient);
    }
  };
  show(written_);
  show(rule.parameters);
}

void Tape::note_uses(const std::vector<OpInput>& inputs) {
  for (const OpInput& input : inputs) {
    const Variable* v = input.value;
    if (v == nullptr || !v->lasting || !v->needs_grad || v->grad.empty()) continue;
    const bool known =
        std::any_of(first_uses_.begin(), first_uses_.end(),
                    [v](const FirstUse& use) { return use.gradient.data == v->grad.data; });
    if (!known) first_uses_.push_back({v->grad, rules_.size()});
  }
}

void Tape::report_complete(std::size_t i) {
  while (!first_uses_.empty() && first_uses_.back().rules >= i) {
    const Tensor gradient = first_uses_.back().gradient;
    first_uses_.pop_back();
    if (watch_ != nullptr) watch_->complete(gradient);
  }
}

void Tape::backward(const std::vector<Cotangent>& cotangents, std::int64_t count, bool retain) {
  count_ = count;
  current_ = kAll;
  for (const Cotangent& c : cotangents) {
    const Shape& shape = c.out->value.shape;
    expect_shape("backward", "cotangent", c.gradient, with_first(shape, count * shape[0]));
    CDT_CHECK(c.out->needs_grad, "nothing behind this value needs a gradient");
    backend_.copy(gradient(c.out).grad, c.gradient);
  }
  for (std::size_t i = rules_.size(); i-- > 0;) {
    const Rule& rule = rules_[i];
    Variable& v = *rule.out;
    if (!v.grad.empty()) run(rule);
    if (!v.keep) free_gradient(v);
    if (retain) continue;
    for (const Tensor& t : rule.saved) step_.give_back(t);
    drop(rule.out);
    report_complete(i);
  }
  if (!retain) rules_.clear();
  count_ = 1;
  current_ = 0;
}

void Tape::reset_gradients() {
  for (Variable& v : variables_) free_gradient(v);
}

void Tape::clear() {
  rules_.clear();
  first_uses_.clear();
  variables_.clear();
  step_.reset();
}

}  // namespace cdt
