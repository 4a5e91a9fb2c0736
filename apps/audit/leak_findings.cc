#include <algorithm>
#include <array>

#include "apps/audit/findings.h"
#include "apps/common/window_sketch.h"
#include "io/dataset/loci.h"
#include "io/format/text.h"

namespace cdt {
namespace {

struct LeakKind {
  const char* name;  // of the finding
  Severity severity;
  std::int64_t Leakage::*count;
  const char* what;  // follows "996 of 996 val pairs (100 %) "
};

constexpr std::array<LeakKind, 5> kLeakKinds{
    {{"pairs_in_train", Severity::kWarning, &Leakage::pair,
      "are training pairs too (same enhancer and gene), so remembering them is enough to predict "
      "them."},
     {"enhancers_in_train", Severity::kWarning, &Leakage::enhancer,
      "have an enhancer that is in training too, so a score on them is not of new enhancers."},
     {"loci_in_train", Severity::kWarning, &Leakage::locus,
      "have a DNA window that overlaps one of training, directly or through others, so part of "
      "their sequence is not new to the model."},
     {"windows_in_train", Severity::kWarning, &Leakage::content,
      "have a DNA window nearly identical in content to one of training, which is the same "
      "enhancer or a copy elsewhere, so the model may recognise it."},
     {"genes_in_train", Severity::kNote, &Leakage::gene,
      "have a gene with training pairs, so the mean of each gene alone predicts part of them: "
      "compare a model with the baseline gene mean."}}};

void report(const LeakKind& kind, const std::vector<Leakage>& leaks, Findings* out) {
  std::vector<std::string> parts;
  nlohmann::ordered_json numbers;
  for (const Leakage& leak : leaks) {
    const std::int64_t shared = leak.*kind.count;
    numbers[leak.name] = {{"pairs", leak.pairs}, {"shared", shared}};
    if (shared == 0) continue;
    parts.push_back(format_with_commas(shared) + " of " + format_with_commas(leak.pairs) +
                    " pairs (" + percent_text(share_of(shared, leak.pairs)) + ") of " + leak.name);
  }
  const bool only_same = std::all_of(leaks.begin(), leaks.end(), [](const Leakage& leak) {
    return leak.content <= leak.enhancer;
  });
  if (parts.empty() || (kind.count == &Leakage::content && only_same)) return;
  out->push_back({kind.name, kind.severity, listed(parts) + " " + kind.what, numbers});
}

}  // namespace

std::vector<Leakage> leakages_of(const AuditInput& input) {
  const Dataset& data = input.data;
  SharedDna shared{loci_of(data), {}};
  if (input.dna != nullptr) shared.content_of = near_identical(input.dna->sketches());
  return leakages(data.pairs, data.use.fold == 0 ? data.folds : 0, shared);
}

void find_leaks(const std::vector<Leakage>& leaks, Findings* out) {
  for (const LeakKind& kind : kLeakKinds) report(kind, leaks, out);
}

}  // namespace cdt
