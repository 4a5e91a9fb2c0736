#include "apps/report/window_classes.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "io/format/text.h"

namespace cdt {
namespace {

// Colours that mean nothing else in the figure.
constexpr std::array<Ink, 7> kClassInks = {Ink::kRed,  Ink::kTeal,  Ink::kGold, Ink::kPurple,
                                           Ink::kPink, Ink::kBrown, Ink::kOlive};

}  // namespace

std::string class_name(const std::string& file, const std::string& name, std::size_t files) {
  return files < 2 || file == name ? name : file + ": " + name;
}

std::vector<ElementClass> classes_in(const Material& material, const Enhancer& enhancer,
                                     std::int64_t from, std::int64_t to) {
  std::map<std::pair<std::size_t, std::size_t>, ElementClass> by_class;  // by file and class
  const auto kb = [&](std::int64_t at) {
    return static_cast<double>(std::clamp(at, from, to) - enhancer.centre()) / 1e3;
  };
  for (std::size_t file = 0; file < material.annotations.size(); ++file) {
    const Annotations& annotations = material.annotations[file];
    const auto chromosome = annotations.chromosomes.find(enhancer.chrom);
    if (chromosome == annotations.chromosomes.end()) continue;
    for (const Element* element : chromosome->second.overlapping(from, to)) {
      for (const std::size_t c : annotations.classes_of_label[element->label]) {
        ElementClass& kind = by_class[{file, c}];
        kind.name =
            class_name(annotations.name, annotations.classes[c], material.annotations.size());
        kind.spans.push_back({kb(element->start), kb(element->end)});
      }
    }
  }
  std::vector<ElementClass> out;
  for (auto& [key, kind] : by_class) out.push_back(std::move(kind));
  std::stable_sort(out.begin(), out.end(), [](const ElementClass& a, const ElementClass& b) {
    return a.spans.size() > b.spans.size();
  });
  return out;
}

Ink class_ink(std::size_t row) { return kClassInks[row % kClassInks.size()]; }

void draw_classes(Plot& plot, const std::vector<ElementClass>& classes) {
  plot.axis("y", {-static_cast<double>(classes.size()), 0.0});
  plot.run("unset ytics").run("unset grid").run("set border 1");
  std::vector<std::string> layers;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const double y = -static_cast<double>(i) - 0.5;
    Rows boxes;
    for (const std::vector<double>& span : classes[i].spans) {
      boxes.push_back({(span[0] + span[1]) / 2.0, y, span[0], span[1], y - 0.32, y + 0.32});
    }
    const std::string colour = rgb(class_ink(i));
    layers.push_back(plot.data(boxes));
    layers.back() += " using 1:2:3:4:5:6 with boxxyerror fillstyle solid 1.0 border linecolor ";
    layers.back().append(colour).append(" fillcolor ").append(colour);
    if (classes.size() < 2) continue;
    plot.run("set label '" + std::to_string(i + 1) + "' at graph 0, first " + format_number(y) +
             " right offset -0.7,0 font ',11' textcolor " + rgb(Ink::kMuted));
  }
  plot.draw(layers);
}

}  // namespace cdt
