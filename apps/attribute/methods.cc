#include "apps/attribute/methods.h"

#include <algorithm>
#include <array>

#include "apps/attribute/gradient_scorers.h"
#include "apps/attribute/random_control.h"
#include "apps/attribute/rollout_scorers.h"
#include "apps/common/name_list.h"

namespace cdt {
namespace {

constexpr std::array kMethods{
    Method{"attention", false, "attention of the gene to the DNA bins, mean over heads",
           &PairWindows::attention, nullptr},
    Method{"gradient", false, "norm of the gradient of the prediction to the DNA bins",
           &PairWindows::gradient, nullptr},
    Method{"attention_rollout", false,
           "attention of the gene, followed through the DNA self-attention layers", nullptr,
           make_rollout},
    Method{"attention_gmar", false, "the same with heads weighted by the gradient at their maps",
           nullptr, make_gmar},
    Method{"gradient_x_input", true,
           "inner product of the DNA bins with the gradient of the prediction to them",
           &PairWindows::gradient_x_input, nullptr},
    Method{"integrated_gradients", true,
           "share of each DNA bin in the prediction's change from the baseline", nullptr,
           make_integrated_gradients},
    Method{"smoothgrad", false, "norm of the mean gradient over noisy copies of the DNA", nullptr,
           make_smoothgrad},
    Method{"occlusion", true, "what the prediction loses when the DNA bins are replaced", nullptr,
           make_occlusion},
    Method{"random", false, "control: independent uniform scores", nullptr, make_random_control},
};

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const Method& method : kMethods) names.emplace_back(method.name);
  return names;
}

}  // namespace

std::span<const Method> all_methods() { return kMethods; }

std::vector<const Method*> choose_methods(const std::string& list) {
  const std::vector<std::string> names = names_of_list("methods", list, method_names());
  std::vector<const Method*> chosen;
  for (std::size_t i = 0; i < kMethods.size(); ++i) {
    if (i < kDefaultMethods ||
        std::find(names.begin(), names.end(), kMethods[i].name) != names.end()) {
      chosen.push_back(&kMethods[i]);
    }
  }
  return chosen;
}

}  // namespace cdt
