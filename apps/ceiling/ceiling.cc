// cdt-ceiling: how well two measurements of the same rows agree, and what that bounds.
#include <algorithm>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/ceiling/measured.h"
#include "apps/common/cli.h"
#include "apps/common/output_folder.h"
#include "apps/common/program.h"
#include "apps/common/tables.h"
#include "apps/programs.h"
#include "engine/error.h"
#include "io/format/json.h"
#include "io/format/json_fields.h"
#include "io/format/output.h"
#include "io/format/text.h"
#include "model/stats/agreement.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEnhancer = "enhancer";
constexpr const char* kGene = "gene";
constexpr const char* kSample = "sample";
constexpr std::int32_t kFewClusters = 20;  // intervals that resample fewer are too narrow

struct CeilingOptions {
  CommonOptions common;  // config, out, overwrite, seed
  fs::path first, second;
  std::string key, value = "beta", second_value, cluster;
};

bool parse_options(int argc, char** argv, CeilingOptions* options) {
  Cli cli("cdt-ceiling",
          "Compares two tables of measurements over the rows that both have: Pearson's and "
          "Spearman's correlation with 95 % intervals, and what their agreement bounds. Tables "
          "are tab-separated with a header line, plain or gzip.");
  cli.positional("A", &options->first, "table of the first measurement");
  cli.positional("B", &options->second, "table of the second measurement");
  cli.option("key", &options->key,
             "columns that name a row, separated by commas; default: enhancer,gene if both tables "
             "have them, or else the first column");
  cli.option("value", &options->value, "column of the measurement");
  cli.option("value-b", &options->second_value, "the same in B; default: as in A");
  cli.option("cluster", &options->cluster,
             "column of A whose equal values mark rows that belong together; the bootstrap draws "
             "them together. Default: enhancer if A has it, or else every row on its own");
  cli.common(&options->common, {"out-file", "seed"});
  if (!cli.parse(argc, argv)) return false;
  if (options->second_value.empty()) options->second_value = options->value;
  return true;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Columns of the two tables: those that the options name, or the defaults.
struct TableColumns {
  MeasuredColumns first, second;
};

TableColumns choose_columns(const CeilingOptions& options) {
  const std::vector<std::string> a = header_of(options.first);
  const std::vector<std::string> b = header_of(options.second);
  TableColumns out{{{}, options.value, options.cluster}, {{}, options.second_value, ""}};
  if (!options.key.empty()) {
    for (const std::string_view name : split(options.key, ',')) {
      if (name.empty()) throw InputError("command line", "--key", "names an empty column");
      out.first.key.emplace_back(name);
    }
    out.second.key = out.first.key;
  } else if (has(a, kEnhancer) && has(a, kGene) && has(b, kEnhancer) && has(b, kGene)) {
    out.first.key = out.second.key = {kEnhancer, kGene};
    if (has(a, kSample) && has(b, kSample)) {
      out.first.advice = out.second.advice = ": give --key enhancer,gene,sample";
    }
  } else {
    out.first.key = {a.front()};
    out.second.key = {b.front()};
  }
  if (out.first.cluster.empty() && has(a, kEnhancer)) out.first.cluster = kEnhancer;
  return out;
}

/// Numbers of ceiling.json.
struct Ceiling {
  struct Table {
    std::string file, value;
    std::vector<std::string> key;
    std::int64_t rows = 0, only_here = 0;

    template <class V>
    void fields(V& v) {
      v("file", file);
      v("value", value);
      v("key", key);
      v("rows", rows);
      v("only_here", only_here);
    }
  };

  Table a, b;
  std::int64_t n = 0, missing = 0, clusters = 0;
  Nullable<std::string> cluster;
  BootstrapOptions bootstrap;
  Estimate pearson, spearman, limit;
  bool identical = false;

  template <class V>
  void fields(V& v) {
    std::string format = "cdt-ceiling", program = "cdt-ceiling " + version();
    std::int64_t number = 1;
    v("format", format);
    v("version", number);
    v("program", program);
    v("a", a);
    v("b", b);
    v("n", n);
    v("missing_values_left_out", missing);
    v.group("interval", [&](auto& in) {
      in("level", bootstrap.level);
      in("bootstrap_over", cluster);
      in("clusters", clusters);
      in("replicates", bootstrap.replicates);
      in("seed", bootstrap.seed);
    });
    v("pearson", pearson);
    v("spearman", spearman);
    v("noise_free_limit", limit);
    v("identical", identical);
  }
};

void expect_comparable(const Ceiling& c, const CommonRows& rows) {
  if (rows.first.size() < kFewestMeasuredTwice) {
    throw InputError(
        c.b.file, "rows",
        expected_got("too few in common with " + c.a.file,
                     "at least " + std::to_string(kFewestMeasuredTwice) + " with both values",
                     std::to_string(c.n) + " of " + number_of(c.b.rows, "row") +
                         (c.missing > 0 ? ", and " + std::to_string(c.missing) + " with NA" : "")));
  }
  for (const auto& [table, values] :
       {std::pair(&c.a, &rows.first), std::pair(&c.b, &rows.second)}) {
    if (std::adjacent_find(values->begin(), values->end(), std::not_equal_to<>()) !=
        values->end()) {
      continue;
    }
    throw InputError(
        table->file, "column " + table->value,
        "all " + number_of(c.n, "common row") + " have one value, so there is no correlation");
  }
}

Ceiling compare(const CeilingOptions& options) {
  const TableColumns columns = choose_columns(options);
  const std::vector<MeasuredRow> first = read_measured(options.first, columns.first);
  const std::vector<MeasuredRow> second = read_measured(options.second, columns.second);
  const CommonRows rows = common_rows(first, second);
  Ceiling out;
  out.a = {path_text(options.first), columns.first.value, columns.first.key, std::ssize(first),
           rows.only_first};
  out.b = {path_text(options.second), columns.second.value, columns.second.key, std::ssize(second),
           rows.only_second};
  out.n = std::ssize(rows.first);
  out.missing = rows.missing;
  out.clusters = rows.clusters;
  if (!columns.first.cluster.empty()) out.cluster = columns.first.cluster;
  expect_comparable(out, rows);
  out.bootstrap.seed = static_cast<std::uint64_t>(options.common.seed);
  out.pearson = measured_pearson(rows.first, rows.second, rows.cluster, out.bootstrap);
  out.spearman = measured_spearman(rows.first, rows.second, rows.cluster, out.bootstrap);
  out.limit = noise_free_limit(out.pearson);
  out.identical = rows.first == rows.second;
  return out;
}

std::string with_interval(const Estimate& e) {
  return number_cell(e.value, 0, 3) + " " + interval_cell(e.interval, 0, 3);
}

std::string table_row(const char* name, const Ceiling::Table& table) {
  return text("%-13s %s, column %s: ", name, table.file.c_str(), table.value.c_str()) +
         number_of(table.rows, "row") + ", " + std::to_string(table.only_here) + " only here\n";
}

std::string numbers_text(const Ceiling& c) {
  std::string out = table_row("A", c.a) + table_row("B", c.b);
  out += text("%-13s ", "compared") + number_of(c.n, "common row");
  if (c.missing > 0) out += ", " + std::to_string(c.missing) + " more left out for a missing value";
  out += "\n" + text("%-13s ", "Pearson r") + with_interval(c.pearson) + "\n";
  out += text("%-13s ", "Spearman rho") + with_interval(c.spearman) + "\n";
  const std::string unit =
      c.cluster ? number_of(c.clusters, "group") + " of equal " + *c.cluster : "rows, one by one";
  out += "95 % intervals: bootstrap of " + std::to_string(c.bootstrap.replicates) +
         " draws, over " + unit + "\n";
  if (c.clusters < kFewClusters) {
    out += "With fewer than " + std::to_string(kFewClusters) +
           " of them the intervals are too narrow.\n";
  }
  return out;
}

/// What the agreement bounds, one sentence per line.
std::string bounds_text(const Ceiling& c) {
  std::string out = "\nWhat this bounds\n";
  if (c.identical) {
    return out +
           "Nothing: the values are equal in all common rows, as of one measurement given twice.\n";
  }
  if (!(c.pearson.interval.low > 0)) {
    out += "Nothing: r is not clearly above 0, so the tables may share no signal at all.\n";
  } else {
    out +=
        "If A and B measure the same quantity, with independent and equally strong noise, a "
        "prediction\nwithout any error would correlate with either by the square root of r: " +
        with_interval(c.limit) +
        ".\nNo model can be expected to do better than that on rows like these; a third "
        "measurement\nwith as much noise would reach r itself.\n";
  }
  return out +
         "\nWhat it does not bound\n"
         "Noise that A and B share (cells, guides, batches, normalisation) raises r, and the true "
         "limit is lower.\nIf one of them is noisier, the limit against it is lower, and against "
         "the other higher.\nThe agreement of another quantity is no ceiling: how well two "
         "experiments agree on which genes\nare expressed does not limit how well effects of "
         "enhancers can be predicted, nor the reverse.\nOther rows, such as only significant "
         "effects, have another r.\n";
}

}  // namespace

int ceiling_main(int argc, char** argv) {
  CeilingOptions options;
  if (!parse_options(argc, argv, &options)) return kExitDone;
  catch_interrupts("cdt-ceiling");
  Inputs inputs(options.common);
  inputs.add_file("A", options.first);
  inputs.add_file("B", options.second);
  std::optional<OutputFile> out;
  if (!options.common.out.empty()) {
    out.emplace("an output of cdt-ceiling", "\"cdt-ceiling\"", options.common, inputs);
  }
  const Ceiling result = compare(options);
  if (out) write_file(out->path(), json_text(fields_json(result)));
  std::cout << numbers_text(result) << bounds_text(result);
  return kExitDone;
}

}  // namespace cdt
