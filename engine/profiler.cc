#include "engine/profiler.h"

#include "engine/backend.h"
#include "engine/error.h"

namespace cdt {
namespace {

// Spans outside recorded steps are collected in groups of this size, so that the host waits rarely.
constexpr std::size_t kMostSpans = 1024;

double bytes_in(const Tensor& t) { return t.empty() ? 0.0 : static_cast<double>(t.bytes()); }

/// Bytes of a matrix with `count` elements: once if the batch shares it, else once per problem.
double matrix_bytes(const Operand& x, std::int64_t count, std::int64_t batch, std::int64_t stride) {
  const std::int64_t problems = stride == 0 ? 1 : batch;
  return x ? static_cast<double>(problems * count * bytes_of(x.dtype)) : 0.0;
}

/// Bytes of an attention operand with `rows` rows per sample.
double view_bytes(const HeadsView& view, const Attention& a, std::int64_t rows) {
  if (view.data == nullptr) return 0.0;
  const std::int64_t samples = is_shared(view, a.batch) ? 1 : a.batch;
  return static_cast<double>(samples * rows * a.heads * a.head_dim * bytes_of(view.dtype));
}

double operand_bytes(const Attention& a) {
  return view_bytes(a.q, a, a.queries) + view_bytes(a.k, a, a.keys) + view_bytes(a.v, a, a.keys);
}

/// Flop of one product over all scores of a sample.
double score_flop(const Attention& a) {
  return 2.0 * static_cast<double>(a.heads * a.queries * a.keys * a.head_dim);
}

double samples_with_scores(const Attention& a) {
  return scores_shared(a) ? 1.0 : static_cast<double>(a.batch);
}

}  // namespace

Work traffic(std::initializer_list<Tensor> tensors) {
  Work work;
  for (const Tensor& t : tensors) work.bytes += bytes_in(t);
  return work;
}

Work add_norm_backward_work(const AddNormBackward& g) {
  const Tensor none;
  return traffic({g.sum, g.gamma, g.stats, g.dy, g.dx, g.add_dx ? g.dx : none, g.da,
                  g.add_da ? g.da : none, g.dgamma, g.dbeta, g.dbias});
}

Work product_work(const Gemm& g) {
  Work work;
  work.flop = 2.0 * static_cast<double>(g.m) * static_cast<double>(g.n) * static_cast<double>(g.k) *
              static_cast<double>(g.batch);
  work.bytes = matrix_bytes(g.a, g.m * g.k, g.batch, g.stride_a) +
               matrix_bytes(g.b, g.k * g.n, g.batch, g.stride_b) + matrix_bytes(g.bias, g.n, 1, 0) +
               (g.beta == 0.0F ? 1.0 : 2.0) * matrix_bytes(g.c, g.m * g.n, g.batch, g.stride_c);
  return work;
}

Work attention_work(const Attention& a) {
  Work work = traffic({a.out, a.log_sum_exp, a.probabilities});
  work.bytes += operand_bytes(a);
  work.flop = score_flop(a) * (samples_with_scores(a) + static_cast<double>(a.batch));
  return work;
}

Work attention_backward_work(const AttentionBackward& a) {
  const Attention f = forward_of(a);
  const double samples = static_cast<double>(f.batch);
  const double with_scores = samples_with_scores(a.forward);
  // Several cotangents share the scores, but each has gradients of its own.
  const double with_gradients = a.cotangents > 1 ? samples : with_scores;
  double products = with_scores + samples;  // scores, gradients of the probabilities
  if (a.dq.data != nullptr) products += with_gradients;
  if (a.dk.data != nullptr) products += with_gradients;
  if (a.dv.data != nullptr) products += samples;
  Work work = traffic({f.out, f.log_sum_exp, a.dout});
  work.flop = products * score_flop(f);
  work.bytes += operand_bytes(f) + view_bytes(a.dq, f, f.queries) + view_bytes(a.dk, f, f.keys) +
                view_bytes(a.dv, f, f.keys);
  return work;
}

Work pool_work(const Tensor& coefficients, const Tensor& x, int products,
               std::initializer_list<Tensor> others) {
  Work work = traffic(others);
  work.bytes += bytes_in(coefficients) + bytes_in(x);
  work.flop = 2.0 * products * static_cast<double>(coefficients.count() * x.cols());
  return work;
}

Work clip_work(std::span<const AdamWTensors> parameters, const Tensor& clip) {
  Work work = traffic({clip});
  for (const AdamWTensors& p : parameters) work += traffic({p.grad});
  return work;
}

Work adamw_work(std::span<const AdamWTensors> parameters) {
  Work work;
  for (const AdamWTensors& p : parameters) {
    work += traffic({p.w, p.w, p.grad, p.first, p.first, p.second, p.second, p.rounded});
  }
  return work;
}

std::int64_t Profiler::next_mark() {
  Section& s = *section_;
  if (s.used == s.marks.size()) s.marks.push_back(marks_++);
  const std::int64_t mark = s.marks[s.used++];
  device_.mark(mark);
  return mark;
}

void Profiler::enter(ProfilePass pass, const char* name) {
  if (depth_++ > 0) return;
  if (section_ == &between_ && between_.spans.size() >= kMostSpans) collect(between_);
  Span span;
  span.key = {pass, name};
  span.from = next_mark();
  section_->spans.push_back(std::move(span));
}

void Profiler::add(const Work& work) {
  CDT_CHECK(depth_ > 0, "work belongs to a row of the profile");
  Span& span = section_->spans.back();
  ++span.kernels;
  span.work += work;
}

void Profiler::leave() {
  if (--depth_ > 0) return;
  Section& s = *section_;
  if (s.spans.back().kernels == 0) {  // an op that launched no kernel
    s.spans.pop_back();
    --s.used;
    return;
  }
  s.spans.back().to = next_mark();
  s.pending = true;
  if (listener_) listener_(s.spans.back().key, s.spans.back().work);
}

void Profiler::collect(Section& section) {
  if (section.pending) {
    device_.synchronize();
    for (const Span& span : section.spans) {
      Row& row = rows_[span.key];
      ++row.calls;
      row.seconds += device_.seconds_between(span.from, span.to);
      row.work += span.work;
    }
    section.pending = false;
  }
  if (&section == &between_) {
    section.spans.clear();
    section.used = 0;
  }
}

void Profiler::run_recorded(const std::string& name, const std::function<void()>& work,
                            const std::function<void(const std::function<void()>&)>& launch) {
  CDT_CHECK(depth_ == 0, "a recorded step is not part of an op");
  Section& section = recorded_[name];
  collect(section);  // before a replay overwrites its marks
  try {
    launch([&] {
      section.spans.clear();
      section.used = 0;
      section_ = &section;
      work();
      section_ = &between_;
    });
  } catch (...) {
    section_ = &between_;
    throw;
  }
  section.pending = !section.spans.empty();
}

const std::map<Profiler::Key, Profiler::Row>& Profiler::rows() {
  collect(between_);
  for (auto& [name, section] : recorded_) collect(section);
  return rows_;
}

double Profiler::wall_seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
}

void Profiler::clear() {
  rows();
  rows_.clear();
  began_ = std::chrono::steady_clock::now();
}

}  // namespace cdt
