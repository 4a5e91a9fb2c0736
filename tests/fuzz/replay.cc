// fuzz_replay CORPUS: reads every input of a corpus, a folder with one folder for each target, and
// prints for each target how many were accepted and refused.
// fuzz_replay TARGET FILE...: reads these inputs of one target, and prints why they are refused.
// Both end with exit code 1 at the first input that shows a mistake of its reader. They need no
// fuzzer: any compiler, with or without sanitizers.
//
// fuzz_replay --list: prints the targets with the longest input, dictionary and sources of each.
#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "engine/error.h"
#include "io/format/text.h"
#include "tests/fuzz/target.h"

namespace cdt::test {
namespace {

namespace fs = std::filesystem;

void print_targets() {
  for (const FuzzTarget& t : fuzz_targets()) {
    std::cout << t.name << '\t' << t.longest << '\t' << t.dictionary << '\t' << t.sources << '\n';
  }
}

/// The bytes of a file at the end of an allocation of their size, so that a sanitizer sees a read
/// beyond them.
std::vector<char> exact_bytes(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(file.string() + ": cannot be read");
  std::vector<char> bytes(fs::file_size(file));
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

/// Reads an input as refusal() does; an Error names the file.
std::string replay(const FuzzTarget& target, const fs::path& file) {
  const std::vector<char> bytes = exact_bytes(file);
  try {
    return refusal(target, {bytes.data(), bytes.size()});
  } catch (const std::exception& error) {
    throw Error(std::string(target.name) + ": " + file.string() + ": " + error.what());
  }
}

void replay_files(const FuzzTarget& target, std::span<const std::string> files) {
  for (const std::string& file : files) {
    const std::string message = replay(target, file);
    std::cout << file << ": " << (message.empty() ? "accepted" : "refused: " + message)
              << std::endl;
  }
}

void replay_corpus(const fs::path& corpus) {
  for (const FuzzTarget& target : fuzz_targets()) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(corpus / target.name)) {
      files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    int accepted = 0, refused = 0;
    for (const fs::path& file : files) ++(replay(target, file).empty() ? accepted : refused);
    std::cout << target.name << '\t' << accepted << '\t' << refused << std::endl;
  }
}

int run(const std::vector<std::string>& words) {
  if (words.size() == 1 && words[0] == "--list") {
    print_targets();
  } else if (words.size() == 1) {
    replay_corpus(words[0]);
  } else if (words.size() > 1) {
    replay_files(fuzz_target(words[0]), std::span(words).subspan(1));
  } else {
    throw InputError("command line", "usage", "fuzz_replay CORPUS | TARGET FILE... | --list");
  }
  return 0;
}

}  // namespace
}  // namespace cdt::test

int main(int argc, char** argv) {
  cdt::silence_notes();
  try {
    return cdt::test::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "fuzz_replay: " << error.what() << "\n";
    return dynamic_cast<const cdt::InputError*>(&error) != nullptr ? 2 : 1;
  }
}
