#include "apps/common/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iterator>
#include <nlohmann/json.hpp>

#include "apps/common/cli_words.h"
#include "apps/common/precision.h"
#include "apps/common/program.h"
#include "engine/error.h"
#include "io/format/json.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr const char* kCommandLine = "command line";
constexpr double kMaxThreads = 4096;
constexpr double kMaxGigabytes = 1e9;

[[noreturn]] void refuse(const std::string& field, const std::string& what) {
  throw InputError(kCommandLine, field, what);
}

/// "--name=value" -> "--name"
std::string flag_part(const std::string& word) { return word.substr(0, word.find('=')); }

}  // namespace

Cli::Cli(std::string program, std::string summary)
    : program_(std::move(program)), summary_(std::move(summary)) {
  option("config", &config_,
         "JSON file of options by long name; the command line takes precedence");
}

Cli::~Cli() = default;

Cli::Option& Cli::find(const std::string& long_name) const {
  for (const auto& option : options_) {
    if (option->name == long_name) return *option;
  }
  throw Error("no option --" + long_name + " in " + program_);
}

std::vector<std::string> Cli::flags() const {
  std::vector<std::string> flags{"help", "version"};
  for (const auto& option : options_) {
    if (!option->positional) flags.push_back(option->name);
  }
  return flags;
}

void Cli::option(const std::string& long_name, Target target, const std::string& help,
                 bool required) {
  auto option = std::make_unique<Option>();
  option->name = long_name;
  option->target = target;
  option->help = help;
  option->required = required;
  options_.push_back(std::move(option));
}

void Cli::positional(const std::string& name, std::filesystem::path* target,
                     const std::string& help) {
  option(name, target, help, true);
  options_.back()->positional = true;
}

void Cli::positional(const std::string& name, std::vector<std::string>* target,
                     const std::string& help) {
  option(name, target, help, true);
  options_.back()->positional = true;
}

void Cli::flag(const std::string& long_name, bool* target, const std::string& help) {
  option(long_name, target, help);
}

void Cli::number(const std::string& long_name, Target target, double min, double max,
                 const std::string& help) {
  option(long_name, target, help);
  options_.back()->min = min;
  options_.back()->max = max;
}

void Cli::choice(const std::string& long_name, std::string* target,
                 std::vector<std::string> allowed, const std::string& help) {
  option(long_name, target, help);
  options_.back()->choices = std::move(allowed);
}

void Cli::paths(const std::string& long_name, std::vector<std::string>* target,
                const std::string& help) {
  option(long_name, target, help);
  options_.back()->shown = "PATH";
}

void Cli::names(const std::string& long_name, std::string* target, std::vector<std::string> known,
                const std::string& help) {
  option(long_name, target, help);
  options_.back()->known = std::move(known);
}

void Cli::require(std::initializer_list<const char*> long_names) {
  for (const char* name : long_names) find(name).required = true;
}

nlohmann::ordered_json Cli::values() const {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const auto& option : options_) {
    std::visit(
        [&](const auto* value) {
          using Value = std::remove_cvref_t<decltype(*value)>;
          if constexpr (std::is_same_v<Value, std::filesystem::path>) {
            out[option->name] = path_text(*value);
          } else if constexpr (std::is_same_v<Value, std::string>) {
            out[option->name] = escape_bytes(*value);
          } else if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
            out[option->name] = nlohmann::ordered_json::array();
            for (const std::string& word : *value) out[option->name].push_back(escape_bytes(word));
          } else {
            out[option->name] = *value;
          }
        },
        option->target);
  }
  return out;
}

bool Cli::was_set(const std::string& long_name) const { return find(long_name).set; }

void Cli::common(CommonOptions* options) {
  common(options, {"data", "cache", "model", "out", "device", "precision", "threads", "seed",
                   "quiet", "profile"});
}

void Cli::common(CommonOptions* options, std::initializer_list<std::string_view> names) {
  common_ = options;
  for (const std::string_view name : names) {
    if (name == "data") {
      option("data", &options->data, "data set directory");
    } else if (name == "cache") {
      option(
          "cache", &options->cache,
          "folder on a local disk for copies of the DNA that is read, which later reads and runs "
          "use: for a data set on a network file system");
      number("cache-size", &options->cache_size, 0, kMaxGigabytes,
             "GB that all copies in --cache may take; 0: all but 5 % of the volume");
    } else if (name == "model") {
      option("model", &options->model,
             "checkpoint: a .safetensors file, or one written by torch.save");
    } else if (name == "out" || name == "out-file") {
      option("out", &options->out,
             name == "out" ? "folder to write the results to" : "file to write");
      flag("overwrite", &options->overwrite,
           "replace the results of an earlier run of this program in --out");
    } else if (name == "device") {
      option("device", &options->device, "where to compute");
      options_.back()->shown = "auto|cpu|cuda|cuda:N";
    } else if (name == "precision") {
      choice("precision", &options->precision,
             {std::begin(kPrecisionWords), std::end(kPrecisionWords)},
             "arithmetic of matrix products");
      flag("no-graph", &options->no_graph,
           "GPU: launch kernels one at a time instead of as a recorded step (for debugging)");
    } else if (name == "attention") {
      choice(
          "attention", &options->attention, {"auto", "own", "cudnn"},
          "GPU, bf16: which kernels compute attention; cuDNN's only where they agree with our own");
    } else if (name == "threads") {
      number("threads", &options->threads, 0, kMaxThreads, "CPU threads; 0: all");
    } else if (name == "seed") {
      number("seed", &options->seed, 0, std::numeric_limits<double>::infinity(),
             "seed of all random numbers");
    } else if (name == "quiet") {
      flag("quiet", &options->quiet, "do not print progress on stderr");
    } else if (name == "profile") {
      flag("profile", &options->profile,
           "measure time by op: print a table at the end, write OUT/profile.json");
    } else {
      throw Error("no common option " + std::string(name));
    }
  }
}

/// Refuses "--name=" without a value. CLI11 takes the next word as the value, so that an unset
/// shell variable after the equals sign would swallow the next option.
void Cli::refuse_empty_values(int argc, char** argv) const {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.find('=') != word.size() - 1) continue;
    const std::string flag = flag_part(word);
    if (flag == "--help" || flag == "--version") refuse(flag, "takes no value");
    for (const auto& option : options_) {
      if (flag != "--" + option->name) continue;
      if (option->is_flag()) refuse(flag, "takes no value");
      refuse(flag, expected_got("the value is empty", option->value_name(), "nothing after ="));
    }
  }
}

std::string Cli::read_command_line(int argc, char** argv) {
  refuse_empty_values(argc, argv);
  CLI::App app;
  app.allow_extras();
  app.set_help_flag("-h,--help");
  const auto* version = app.add_flag("--version");
  std::vector<CLI::Option*> parsed;
  for (const auto& option : options_) {
    const std::string flag = option->flag();
    if (option->is_flag()) {
      parsed.push_back(app.add_flag(flag)->take_all());
      continue;
    }
    const bool many = option->positional && option->is_list();
    parsed.push_back(app.add_option(flag)->type_size(1)->expected(many ? -1 : 1));
    parsed.back()->allow_extra_args(many)->take_all();
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return help();
  } catch (const CLI::ArgumentMismatch&) {
    refuse(argv[argc - 1], "a value is missing");  // only the last word can lack its value
  } catch (const CLI::ParseError& error) {
    refuse(error.get_name(), error.what());
  }
  for (const std::string& word : app.remaining()) {
    if (word.rfind('-', 0) != 0) refuse(word, "no option takes this word");
    const std::string bare = flag_part(word).substr(word.find_first_not_of('-') % word.size());
    refuse(flag_part(word), "no such option" + suggestion(bare, flags(), "--"));
  }
  if (version->count() > 0) return version_text(program_);
  for (std::size_t i = 0; i < parsed.size(); ++i) {
    assign_words(options_[i].get(), parsed[i]->results());
  }
  return "";
}

void Cli::assign_words(Option* option, const std::vector<std::string>& words) const {
  const std::string flag = option->flag();
  if (words.size() > 1 && !option->is_list()) refuse(flag, "given more than once");
  const std::vector<std::string> all = flags();
  for (const std::string& word : words) {
    if (option->is_flag() && word != "true") refuse(flag, "takes no value");
    const std::string other = flag_part(word);
    if (other.rfind("--", 0) == 0 &&
        std::find(all.begin(), all.end(), other.substr(2)) != all.end()) {
      refuse(flag, "a value is missing before " + other);
    }
    option->assign(word, kCommandLine, flag);
  }
}

void Cli::read_config() {
  if (config_.empty()) return;
  const std::string file = config_.string();
  const nlohmann::json config = parse_json_file(config_);
  if (!config.is_object()) {
    throw InputError(file, "file", expected_got("wrong type", "an object", config.type_name()));
  }
  std::vector<std::string> allowed;
  for (const auto& option : options_) {
    if (option->name != "config" && !option->positional) allowed.push_back(option->name);
  }
  for (const auto& [key, value] : config.items()) {
    if (std::find(allowed.begin(), allowed.end(), key) == allowed.end()) {
      throw InputError(file, key, "no such option" + suggestion(key, allowed));
    }
    Option& option = find(key);
    if (!option.set) option.assign_json(value, file);
  }
}

void Cli::adopt(const nlohmann::json& values, const std::string& source) {
  const nlohmann::ordered_json defaults = this->values();
  for (const auto& [name, value] : values.items()) {
    if (name == "config" || value.is_null()) continue;
    // A default need not be a value that can be given.
    if (defaults.contains(name) && dumped(defaults[name]) == dumped(value)) continue;
    const auto option = std::find_if(options_.begin(), options_.end(),
                                     [&name = name](const auto& o) { return o->name == name; });
    if (option == options_.end()) throw InputError(source, name, "no such option of " + program_);
    (*option)->assign_json(value, source);
  }
}

void Cli::check_required() const {
  for (const auto& option : options_) {
    if (option->required && !option->set) refuse(option->flag(), "required, but not given");
  }
}

bool Cli::parse(int argc, char** argv) {
  const std::string to_print = read_command_line(argc, argv);
  if (!to_print.empty()) {
    std::fputs(to_print.c_str(), stdout);
    return false;
  }
  read_config();
  check_required();
  if (common_ != nullptr) {
    common_->config = config_;
    common_->invocation = {program_, command_line(program_, argc, argv), dumped(values())};
  }
  return true;
}

}  // namespace cdt
