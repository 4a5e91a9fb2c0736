// Compares the engine's two forms of attention on the shapes of CDT, bfloat16, with and without
// dropout: first whether the tiled kernels compute the same as score matrices, then how fast each
// is, also if the batch shares queries, keys and values (protein self-attention in training). The
// choice between them depends on this (docs/cuda.md). One JSON object on stdout; exit status 1 if
// values are out of bounds. Needs a GPU.
//
//   measure_forms [--batch 8] [--heads 8] [--head-dim 96] [--queries N --keys N]
#include <array>
#include <deque>
#include <iostream>
#include <limits>
#include <map>

#include "apps/common/cli.h"
#include "apps/common/program.h"
#include "io/format/text.h"
#include "tests/gpu/attention_problem.h"
#include "tests/support/relative_error.h"

namespace cdt::measure {
namespace {

struct Form {
  const char* name;
  bool fused, shared;  // shared: one q, k, v for the batch
};
constexpr std::array<Form, 4> kForms{{{"fused", true, false},
                                      {"scores", false, false},
                                      {"fused_shared", true, true},
                                      {"scores_shared", false, true}}};
constexpr std::array<float, 2> kDropouts{0.0F, 0.3F};

/// Allowed difference of two forms, relative to the norm, if each rounds to bfloat16: for out and
/// dv the probabilities and their products; for dq and dk these, the gradients of scores and their
/// products. (Score matrices round only their results.) Sums of exponentials are float32 on both
/// sides, as in tests/kernels.
constexpr double kTwoForms = 2.0;
const std::map<std::string, double> kBounds{
    {"out", kTwoForms * 2.0 * test::kBFloat16Rounding},
    {"log_sum_exp", 64.0 * std::numeric_limits<float>::epsilon()},
    {"dq", kTwoForms * 4.0 * test::kBFloat16Rounding},
    {"dk", kTwoForms * 4.0 * test::kBFloat16Rounding},
    {"dv", kTwoForms * 2.0 * test::kBFloat16Rounding}};

/// A backend for one form, and the scratch memory that its attentions use.
struct Runner {
  explicit Runner(bool fused)
      : backend(make_cuda_backend(
            {.precision = Precision::kBFloat16, .graphs = false, .fused_attention = fused})),
        scratch(*backend, "scratch") {
    backend->begin_step(0);
  }
  std::unique_ptr<Backend> backend;
  Arena scratch;
};

std::string shape_as_json(const AttentionSizes& s, bool shared, float dropout) {
  return std::string("\"shared\": ") + (shared ? "true" : "false") +
         ", \"queries\": " + std::to_string(s.queries) + ", \"keys\": " + std::to_string(s.keys) +
         ", \"dropout\": " + format_number(dropout);
}

std::vector<NamedValues> results_of(const AttentionProblem& problem, bool fused, bool shared,
                                    float dropout) {
  Runner runner(fused);
  problem.spoil_results();
  const AttentionBackward call = problem.call(dropout, shared);
  runner.backend->attention(call.forward, runner.scratch);
  runner.backend->attention_backward(call, runner.scratch);
  runner.backend->synchronize();
  return problem.results(shared);
}

/// Errors of the fused form relative to score matrices, one JSON object; counts those out of
/// bounds.
std::string compare(const AttentionProblem& problem, bool shared, float dropout, int* outside) {
  const auto fused = results_of(problem, true, shared, dropout);
  const auto scores = results_of(problem, false, shared, dropout);
  std::string text = "{" + shape_as_json(problem.sizes(), shared, dropout);
  for (std::size_t i = 0; i < fused.size(); ++i) {
    const double error = test::relative_error(fused[i].values, scores[i].values);
    if (!(error <= kBounds.at(fused[i].name))) ++*outside;
    text += std::string(", \"") + fused[i].name + "\": " + json_number(error);
  }
  return text + "}";
}

/// One JSON object. Useful work: 4 products of a score and a head's width forward, 10 backward.
std::string time(const AttentionProblem& problem, const Form& form, float dropout) {
  Runner runner(form.fused);
  const AttentionBackward call = problem.call(dropout, form.shared);
  const auto microseconds_of = [&](const std::function<void()>& launch) {
    return wall_microseconds(launch, [&] { runner.backend->synchronize(); });
  };
  const double forward =
      microseconds_of([&] { runner.backend->attention(call.forward, runner.scratch); });
  const double backward =
      microseconds_of([&] { runner.backend->attention_backward(call, runner.scratch); });
  const double products = problem.products();
  return std::string(R"({"form": ")") + form.name + "\", " +
         shape_as_json(problem.sizes(), form.shared, dropout) +
         ", \"forward_us\": " + format_number(forward) +
         ", \"forward_tflops\": " + format_number(4.0 * products / forward * 1e-6) +
         ", \"backward_us\": " + format_number(backward) +
         ", \"backward_tflops\": " + format_number(10.0 * products / backward * 1e-6) + "}";
}

/// Prints the objects of a list as they are produced.
class JsonList {
 public:
  explicit JsonList(const char* name) { std::cout << ", \"" << name << "\": ["; }
  void add(const std::string& object) {
    std::cout << separator_ << object << std::flush;
    separator_ = ",\n";
  }
  void end() { std::cout << "\n]"; }

 private:
  const char* separator_ = "\n";
};

std::string bounds_as_json() {
  std::string text;
  for (const auto& [name, bound] : kBounds) {
    text += (text.empty() ? "{\"" : ", \"") + name + "\": " + format_number(bound);
  }
  return text + "}";
}

/// Calls body(problem, dropout, shared) for every problem, with and without dropout, and, if
/// queries and keys are equally many, also with operands that the batch shares.
template <class Body>
void for_each(const std::deque<AttentionProblem>& problems, const Body& body) {
  for (const AttentionProblem& problem : problems) {
    for (const float dropout : kDropouts) {
      body(problem, dropout, false);
      if (problem.sizes().queries == problem.sizes().keys) body(problem, dropout, true);
    }
  }
}

int measure(const std::deque<AttentionProblem>& problems) {
  int outside = 0;
  JsonList values("values");
  for_each(problems, [&](const AttentionProblem& problem, float dropout, bool shared) {
    values.add(compare(problem, shared, dropout, &outside));
  });
  values.end();
  std::cout << ", \"out_of_bounds\": " << outside;
  JsonList forms("forms");
  for_each(problems, [&](const AttentionProblem& problem, float dropout, bool shared) {
    for (const Form& form : kForms) {
      if (form.shared == shared) forms.add(time(problem, form, dropout));
    }
  });
  forms.end();
  std::cout << "}\n";
  return outside == 0 ? 0 : 1;
}

int run(int argc, char** argv) {
  AttentionSizes sizes;
  Cli cli("measure_forms", "compares and times the engine's forms of attention");
  add_size_options(&cli, &sizes);
  if (!cli.parse(argc, argv)) return kExitDone;
  const std::deque<AttentionProblem> problems = make_problems(sizes);
  std::cout << "{\"gpu\": \"" << gpu_name() << "\", \"batch\": " << sizes.batch
            << ", \"heads\": " << sizes.heads << ", \"head_dim\": " << sizes.head_dim
            << ", \"bounds\": " << bounds_as_json();
  return measure(problems);
}

}  // namespace
}  // namespace cdt::measure

int main(int argc, char** argv) {
  return cdt::run_main("measure_forms", argc, argv, cdt::measure::run);
}
