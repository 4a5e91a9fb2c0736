#include "tests/emulation/program.h"

#include <cxxabi.h>
#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/error.h"

namespace cdt::emulation {
namespace {

using Header = ElfW(Ehdr);
using Section = ElfW(Shdr);
using Symbol = ElfW(Sym);

struct Program {
  std::map<std::uintptr_t, std::string> functions;
  std::vector<SharedVariable> shared;
};

// The address where the kernel loaded this program, relative to the addresses in its file.
std::uintptr_t load_bias() {
  std::uintptr_t bias = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* out) {
        *static_cast<std::uintptr_t*>(out) = info->dlpi_addr;
        return 1;  // the first one is the program itself
      },
      &bias);
  return bias;
}

template <class T>
std::vector<T> table_at(const std::vector<char>& file, std::size_t offset, std::size_t count) {
  CDT_CHECK(offset + count * sizeof(T) <= file.size(), "the program's symbol table");
  std::vector<T> table(count);
  if (count > 0) std::memcpy(table.data(), file.data() + offset, count * sizeof(T));
  return table;
}

void add_symbol(Program& program, const Symbol& symbol, const char* name, std::uintptr_t bias) {
  const unsigned type = symbol.st_info & 0xFU;
  if (symbol.st_value == 0 || symbol.st_size == 0) return;
  if (type == STT_FUNC) program.functions.emplace(bias + symbol.st_value, name);
  // _ZZ: a local variable of a function; the tag comes from __shared__ (include/device_language.h).
  const std::string_view view(name);
  const bool is_variable = type == STT_OBJECT && view.substr(0, 3) == "_ZZ";
  if (is_variable && view.find("B10cdt_shared") != std::string_view::npos) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address that came as a number
    program.shared.push_back({reinterpret_cast<char*>(bias + symbol.st_value), symbol.st_size});
  }
}

Program read_program() {
  std::ifstream stream("/proc/self/exe", std::ios::binary);
  const std::vector<char> file{std::istreambuf_iterator<char>(stream), {}};
  CDT_CHECK(file.size() > sizeof(Header), "cannot read the program's symbol table");
  const Header header = table_at<Header>(file, 0, 1)[0];
  const auto sections = table_at<Section>(file, header.e_shoff, header.e_shnum);
  const std::uintptr_t bias = load_bias();
  Program program;
  for (const Section& section : sections) {
    if (section.sh_type != SHT_SYMTAB) continue;
    const std::size_t names = sections[section.sh_link].sh_offset;
    for (const Symbol& s :
         table_at<Symbol>(file, section.sh_offset, section.sh_size / sizeof(Symbol))) {
      add_symbol(program, s, file.data() + names + s.st_name, bias);
    }
  }
  CDT_CHECK(!program.functions.empty(), "the program has been stripped of its symbols");
  return program;
}

const Program& program() {
  static const Program p = read_program();
  return p;
}

/// The "(" that opens the parameters, not one in the arguments of a template.
std::size_t start_of_parameters(const std::string& name) {
  int depth = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '<') ++depth;
    if (name[i] == '>') --depth;
    if (name[i] == '(' && depth == 0) return i;
  }
  return name.size();
}

}  // namespace

std::string function_name(const void* address) {
  const auto found = program().functions.find(reinterpret_cast<std::uintptr_t>(address));
  if (found == program().functions.end()) return "kernel without a name";
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(found->second.c_str(), nullptr, nullptr, &status), &std::free);
  if (status != 0) return found->second;
  std::string name(text.get());
  const std::size_t anonymous = name.find("(anonymous namespace)::");
  if (anonymous != std::string::npos) name.erase(anonymous, sizeof("(anonymous namespace)::") - 1);
  name = name.substr(0, start_of_parameters(name));
  return name.rfind("void ", 0) == 0 ? name.substr(5) : name;
}

const std::vector<SharedVariable>& shared_variables() { return program().shared; }

}  // namespace cdt::emulation
