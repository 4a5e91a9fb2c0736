#include "engine/profiler.h"

#include "engine/backend.h"
#include "engine/error.h"

namespace cdt {
namespace {

// Between recorded steps, spans wait for each other: their marks are read together.
constexpr std::size_t kMostSpans = 1024;

}  // namespace

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
  if (s.spans.back().kernels == 0) {  // an op that had nothing to do
    s.spans.pop_back();
    --s.used;
    return;
  }
  s.spans.back().to = next_mark();
  s.pending = true;
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
  collect(section);  // before a replay notes its marks anew
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
