#include "apps/train/trace_text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <sstream>

#include "apps/common/progress.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::size_t kNameWidth = 16, kCountWidth = 11, kWorkWidth = 7;
constexpr double kThousand = 1000.0;

std::string left(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, text.size()), ' ');
}

std::string right(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

std::string work_text(const Work& work) {
  return right(short_number(work.flop), kWorkWidth) + right(short_number(work.bytes), kWorkWidth);
}

std::string work_headings() { return right("FLOP", kWorkWidth) + right("bytes", kWorkWidth); }

/// The table of ops; the columns of shapes are as wide as the widest shape.
class OpTable {
 public:
  OpTable(std::ostream& out, const StepTrace& trace) : out_(out), trace_(trace) {
    for (const StepTrace::Op& op : trace.ops) {
      out_width_ = std::max(out_width_, shape_of(op.output).size() + 1);
      for (const auto& input : op.inputs) {
        in_width_ = std::max(in_width_, shape_of(input.tensor).size() + 1);
      }
    }
  }

  void print() {
    const std::size_t before = kNameWidth + in_width_ + out_width_ + kCountWidth;
    const std::size_t pass = 2 * kWorkWidth;
    out_ << left("", before) << right("forward", pass) << right("backward", pass) << '\n'
         << left("module, op", kNameWidth) << left(" in", in_width_) << left(" out", out_width_)
         << right("parameters", kCountWidth) << work_headings() << work_headings() << '\n';
    for (const StepTrace::Module& module : trace_.modules) {
      print_sums(module.name, module.parameters, module.forward, module.backward);
      for (const std::size_t i : module.ops) print_op(trace_.ops[i]);
    }
    print_sums("all modules", trace_.parameters(), trace_.forward(), trace_.backward());
  }

 private:
  static std::string shape_of(const Tensor& t) { return dimensions(t.shape, "x"); }

  void print_sums(const std::string& name, std::int64_t parameters, const Work& forward,
                  const Work& backward) {
    out_ << left(name, kNameWidth + in_width_ + out_width_)
         << right(short_count(parameters), kCountWidth) << work_text(forward) << work_text(backward)
         << '\n';
  }

  // Each further input is on a line of its own below the first.
  void print_op(const StepTrace::Op& op) {
    const auto in = [&](std::size_t i) {
      return left(" " + shape_of(op.inputs[i].tensor), in_width_);
    };
    out_ << left("  " + op.name, kNameWidth) << in(0) << left(" " + shape_of(op.output), out_width_)
         << right(short_count(op.parameter_count), kCountWidth) << work_text(op.forward)
         << work_text(op.backward) << '\n';
    for (std::size_t i = 1; i < op.inputs.size(); ++i) {
      out_ << left("", kNameWidth) << " " << shape_of(op.inputs[i].tensor) << '\n';
    }
  }

  std::ostream& out_;
  const StepTrace& trace_;
  std::size_t in_width_ = 0, out_width_ = 0;
};

std::string profile_row(const std::string& pass, const std::string& op, const std::string& calls,
                        const std::string& work) {
  constexpr std::size_t kPassWidth = 10, kOpWidth = 22, kCallsWidth = 7;
  return left(pass, kPassWidth) + left(op, kOpWidth) + right(calls, kCallsWidth) + work + "\n";
}

/// "released form", "paper form extended by gene readout, bin position"
std::string form_text(const CdtConfig& config) {
  const std::string form = std::string(variant_name(config.variant)) + " form";
  const std::string extensions = extensions_text(config);
  return extensions.empty() ? form : form + " extended by " + extensions;
}

}  // namespace

std::string dimensions(const Shape& shape, const std::string& sign) {
  std::string out;
  for (int i = 0; i < shape.rank(); ++i) out += (i > 0 ? sign : "") + std::to_string(shape[i]);
  return out;
}

std::string short_number(double value) {
  constexpr std::array<const char*, 9> kUnits = {"", "k", "M", "G", "T", "P", "E", "Z", "Y"};
  constexpr double kRoundsUp = 999.95;
  if (value <= 0.0) return "-";
  std::size_t unit = 0;
  for (; value >= kRoundsUp && unit + 1 < kUnits.size(); ++unit) value /= kThousand;
  const int decimals = unit == 0 ? 0 : value < 9.9995 ? 3 : value < 99.995 ? 2 : 1;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f%s", decimals, value, kUnits[unit]);
  return text.data();
}

std::string short_count(std::int64_t count) {
  constexpr std::int64_t kMostInFull = 99'999'999;
  const bool in_full = count > 0 && count <= kMostInFull;
  return in_full ? format_with_commas(count) : short_number(static_cast<double>(count));
}

std::string trace_text(const StepTrace& trace) {
  std::ostringstream out;
  out << "A training step as it runs, op by op\n"
      << form_text(trace.config) << "\nbatch " << trace.batch << ", " << trace.bins << " bins, "
      << trace.config.genes << " genes, " << trace.precision << " on " << trace.device
      << "\n\nFLOP: of matrix products, two for a multiply-add. bytes: each operand read once,\n"
         "each result written once. Both as --profile counts them.\n\n";
  OpTable(out, trace).print();
  out << "\nThe same step in the rows of --profile; outside: kernels of no op\n";
  out << profile_row("pass", "op", "calls", work_headings());
  for (const auto& [key, row] : trace.profile) {
    out << profile_row(pass_name(key.first), key.second, std::to_string(row.calls),
                       work_text(row.work));
  }
  out << profile_row("all", "", "", work_text(trace.total()));
  return out.str();
}

}  // namespace cdt
