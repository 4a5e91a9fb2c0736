#include "apps/train/trace_figure.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "engine/error.h"

namespace cdt {
namespace {

constexpr double kMargin = 30, kColumn = 236, kBetweenColumns = 56, kBandMargin = 14;
constexpr double kHead = 118, kFoot = 62;
constexpr double kDataHeight = 36, kBoxHeight = 92, kBetweenRows = 44;

using Pairs = std::array<std::pair<const char*, const char*>, 11>;
constexpr Pairs kOpWords = {{{"linear", "linear"},
                             {"layer_norm", "norm"},
                             {"add_norm", "norm"},
                             {"feed_forward", "feed-forward"},
                             {"self_attention", "attention"},
                             {"attention", "attention"},
                             {"attention_pool", "attention"},
                             {"gelu_dropout", "GELU"},
                             {"concat", "concat"},
                             {"select", "the gene of each pair"},
                             {"huber", "Huber loss"}}};

std::string in_words(const std::string& op) {
  for (const auto& [name, words] : kOpWords) {
    if (op == name) return words;
  }
  return op;
}

class Layout {
 public:
  explicit Layout(const StepTrace& trace) : trace_(trace) {}

  Figure make() {
    add_data();
    for (std::size_t i = 0; i < trace_.modules.size(); ++i) add_module(i);
    lower_what_meets();
    place();
    return std::move(figure_);
  }

 private:
  using Box = Figure::Box;

  // A column starts with data that is the only input of a module.
  void add_data() {
    for (const StepTrace::Module& module : trace_.modules) {
      if (module.entries.size() != 1 || module.entries[0].source.op >= 0) continue;
      Box box;
      box.name = module.entries[0].source.data;
      box.title = data_title(box.name) + " embeddings";
      box.column = columns_++;
      figure_.boxes.push_back(box);
    }
    CDT_CHECK(columns_ > 0, "a model reads data");
  }

  std::size_t box_of(const std::string& name) const {
    const auto same = [&](const Box& box) { return box.name == name; };
    const auto found = std::find_if(figure_.boxes.begin(), figure_.boxes.end(), same);
    return static_cast<std::size_t>(found - figure_.boxes.begin());
  }

  void add_module(std::size_t index) {
    const StepTrace::Module& module = trace_.modules[index];
    Box box;
    box.name = module.name;
    box.module = static_cast<int>(index);
    std::set<int> columns;
    for (const StepTrace::Entry& entry : module.entries) {
      const std::size_t from = box_of(trace_.origin(entry.source));
      if (from == figure_.boxes.size()) continue;  // genes and targets are not shown
      const Box& source = figure_.boxes[from];
      figure_.arrows.push_back(
          {from, figure_.boxes.size(), entry.role, entry.source.tensor.shape, false});
      box.row = std::max(box.row, source.row + 1);
      if (entry.role != StepTrace::kContext) columns.insert(source.column);
    }
    box.column = columns.size() == 1 ? *columns.begin() : Figure::kNoColumn;
    box.title = title_of(module, box);
    box.inside = inside(module);
    figure_.boxes.push_back(box);
  }

  bool has(const StepTrace::Module& module, const char* op) const {
    return std::any_of(module.ops.begin(), module.ops.end(),
                       [&](std::size_t i) { return trace_.ops[i].name == op; });
  }

  std::string title_of(const StepTrace::Module& module, const Box& box) const {
    if (has(module, "self_attention")) return "Self-attention";
    if (has(module, "attention_pool")) return "Attention pooling";
    if (has(module, "attention")) return "Cross-attention " + way_of(module);
    if (has(module, "concat")) return "Virtual Cell Embedding";
    if (has(module, "huber")) return "Loss";
    return box.column == Figure::kNoColumn ? "Task head" : "Projection";
  }

  // "DNA → RNA": from the column of the keys to that of the queries.
  std::string way_of(const StepTrace::Module& module) const {
    std::string from, to;
    for (const StepTrace::Entry& entry : module.entries) {
      const int column = figure_.boxes[box_of(trace_.origin(entry.source))].column;
      (entry.role == StepTrace::kContext ? from : to) =
          data_title(figure_.boxes[static_cast<std::size_t>(column)].name);
    }
    return from + " → " + to;
  }

  // The linear maps around an attention are left out.
  std::string inside(const StepTrace::Module& module) const {
    const bool attends = has(module, "self_attention") || has(module, "attention");
    std::string out;
    for (const std::size_t i : module.ops) {
      const std::string& op = trace_.ops[i].name;
      if (attends && op == "linear") continue;
      out += (out.empty() ? "" : ", ") + in_words(op);
    }
    return out;
  }

  // A module whose output meets the other columns is placed just above that point.
  void lower_what_meets() {
    for (const Figure::Arrow& arrow : figure_.arrows) {
      Box& from = figure_.boxes[arrow.from];
      const Box& to = figure_.boxes[arrow.to];
      if (to.column == Figure::kNoColumn && from.column != to.column) from.row = to.row - 1;
    }
  }

  void place() {
    const double columns = columns_;
    const double all = columns * kColumn + (columns - 1) * kBetweenColumns;
    int rows = 0;
    for (Box& box : figure_.boxes) {
      const bool data = box.module < 0;
      const bool wide = is_wide(box);
      box.width = wide ? all + 2 * kBandMargin : kColumn;
      box.x = wide ? kMargin
              : box.column == Figure::kNoColumn
                  ? kMargin + kBandMargin + (all - kColumn) / 2
                  : kMargin + kBandMargin + box.column * (kColumn + kBetweenColumns);
      box.height = data ? kDataHeight : kBoxHeight;
      box.y = data ? kHead : kHead + kDataHeight + kBetweenRows + (box.row - 1) * kPitch;
      rows = std::max(rows, box.row);
    }
    for (Figure::Arrow& arrow : figure_.arrows) {
      arrow.sideways = figure_.boxes[arrow.from].column != figure_.boxes[arrow.to].column &&
                       figure_.boxes[arrow.to].column != Figure::kNoColumn;
    }
    figure_.margin = kMargin;
    figure_.width = all + 2 * kBandMargin + 2 * kMargin;
    figure_.height = kHead + kDataHeight + rows * kPitch + kFoot;
    place_bands();
  }

  /// Whether several columns meet in the box.
  bool is_wide(const Box& box) const {
    const std::size_t at = box_of(box.name);
    return box.column == Figure::kNoColumn &&
           std::count_if(figure_.arrows.begin(), figure_.arrows.end(),
                         [&](const auto& arrow) { return arrow.to == at; }) > 1;
  }

  void place_bands() {
    for (int column = 0; column < columns_; ++column) {
      const Box& top = figure_.boxes[static_cast<std::size_t>(column)];
      double bottom = 0;
      for (const Box& box : figure_.boxes) {
        if (box.column == column) bottom = std::max(bottom, box.bottom());
      }
      figure_.bands.push_back({top.x - kBandMargin, top.y - kBandMargin,
                               top.width + 2 * kBandMargin, bottom - top.y + 2 * kBandMargin});
    }
  }

  static constexpr double kPitch = kBoxHeight + kBetweenRows;

  const StepTrace& trace_;
  Figure figure_;
  int columns_ = 0;
};

}  // namespace

std::string data_title(const std::string& data) {
  if (data == "dna") return "DNA";
  if (data == "rna") return "RNA";
  return data == "protein" ? "Protein" : data;
}

Figure lay_out(const StepTrace& trace) { return Layout(trace).make(); }

}  // namespace cdt
