// Command lines of all programs: long options, a configuration file, help. CLI11 splits the words;
// values, required options, ranges and the configuration file are checked here, because CLI11
// accepts unknown configuration keys and hexadecimal and partial numbers, and reports a misspelt
// option as another one missing.
//
// A mistake is an InputError, "command line: --flag: what", or "FILE: key: what" for a value from
// the file given with --config.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cdt {

/// How a program was called, as parse() found it.
struct Invocation {
  std::string program;
  std::string command_line;  // one line for a shell
  std::string options;       // all options with their values, as one JSON object
};

/// Options that mean the same in every program that has them.
struct CommonOptions {
  Invocation invocation;         // filled by parse()
  std::filesystem::path config;  // filled by parse(): the file of --config
  std::filesystem::path data, model, out;
  std::filesystem::path cache;     // for windows of DNA; empty: none
  double cache_size = 0.0;         // 10^9 bytes; 0: what the volume has, less a margin
  bool overwrite = false;          // added together with `out`
  std::string device = "auto";     // auto | cpu | cuda[:N]
  std::string precision = "fp32";  // one of kPrecisionWords (precision.h)
  std::string attention = "auto";  // auto | own | cudnn
  std::int64_t threads = 0;        // 0: OMP_NUM_THREADS, or else the cores this process may use
  std::int64_t seed = 0;
  bool quiet = false;
  bool no_graph = false;
  bool profile = false;
};

class Cli {
 public:
  /// Where a value is stored; what it holds before parse() is the default that --help shows. An
  /// option whose target is a vector may be repeated (in a configuration file: an array of
  /// strings).
  using Target = std::variant<std::string*, std::int64_t*, double*, std::vector<std::string>*,
                              std::filesystem::path*, bool*>;

  Cli(std::string program, std::string summary);
  ~Cli();
  Cli(const Cli&) = delete;
  Cli& operator=(const Cli&) = delete;

  /// Adds an option; long names are given without the dashes.
  void option(const std::string& long_name, Target target, const std::string& help,
              bool required = false);
  /// Adds a required word without dashes; such words are read in the order they are added.
  void positional(const std::string& name, std::filesystem::path* target, const std::string& help);
  /// Adds required words without dashes, one or more; after all other words without dashes.
  void positional(const std::string& name, std::vector<std::string>* target,
                  const std::string& help);
  void flag(const std::string& long_name, bool* target, const std::string& help);
  /// Adds a number with inclusive bounds; infinity for no bound.
  void number(const std::string& long_name, Target target, double min, double max,
              const std::string& help);
  /// Adds an option whose value is one of a few words.
  void choice(const std::string& long_name, std::string* target, std::vector<std::string> allowed,
              const std::string& help);
  /// Adds an option that may be repeated and takes a file or folder each time.
  void paths(const std::string& long_name, std::vector<std::string>* target,
             const std::string& help);
  /// Adds an option that takes several of a few names, separated by commas, or "all".
  /// names_of_list() reads its value.
  void names(const std::string& long_name, std::string* target, std::vector<std::string> known,
             const std::string& help);
  void require(std::initializer_list<const char*> long_names);

  /// Adds the common options: all those of a program with a model, or only those named.
  void common(CommonOptions* options);
  void common(CommonOptions* options, std::initializer_list<std::string_view> names);

  /// Parses the words into the targets; the command line overrides the configuration file. False if
  /// --help or --version was printed and the program is done. Throws InputError for a mistake.
  bool parse(int argc, char** argv);
  /// Takes options from what values() returned in a program with the same options; `source` names
  /// their file in messages. A value of null and --config are left out.
  void adopt(const nlohmann::json& values, const std::string& source);
  /// Whether the option was given, on the command line or in the configuration file.
  bool was_set(const std::string& long_name) const;
  /// All options and their values, by long name in the order they were added; paths and other text
  /// as escape_bytes() writes them.
  nlohmann::ordered_json values() const;

 private:
  struct Option;
  Option& find(const std::string& long_name) const;
  std::vector<std::string> flags() const;
  std::string help() const;
  void refuse_empty_values(int argc, char** argv) const;
  std::string read_command_line(int argc, char** argv);
  void assign_words(Option* option, const std::vector<std::string>& words) const;
  void read_config();
  void check_required() const;

  std::string program_, summary_;
  std::filesystem::path config_;
  CommonOptions* common_ = nullptr;
  std::vector<std::unique_ptr<Option>> options_;
};

}  // namespace cdt
