// Writes files that torch.load(weights_only=True) reads: a tree of dicts, lists, numbers and
// float32 tensors, in pickle protocol 2, as a zip archive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/format/safetensors.h"

namespace cdt {

/// Writes a tree in depth-first order; in a dict each value follows its key(). Once everything that
/// was begun has been ended the object is complete, and write() makes the file.
class PtWriter {
 public:
  PtWriter();

  void begin_dict();
  void begin_ordered_dict();
  /// Ends the dict. `attributes`, if any, become its attribute cdt_metadata, which PyTorch keeps
  /// and ignores.
  void end_ordered_dict(const std::map<std::string, std::string>& attributes = {});
  void end_dict() { add('u'); }
  void begin_list();
  void end_list() { add('e'); }
  void begin_tuple() { add('('); }
  void end_tuple() { add('t'); }
  void key(std::string_view text) { this->text(text); }
  void key(std::int64_t number) { integer(number); }
  void text(std::string_view value);
  void integer(std::int64_t value);
  void real(double value);
  void boolean(bool value) { add(value ? '\x88' : '\x89'); }
  void none() { add('N'); }
  // Adds an entry of a dict.
  void text(std::string_view key, std::string_view value) { this->key(key), text(value); }
  void integer(std::string_view key, std::int64_t value) { this->key(key), integer(value); }
  void real(std::string_view key, double value) { this->key(key), real(value); }
  void boolean(std::string_view key, bool value) { this->key(key), boolean(value); }
  void none(std::string_view key) { this->key(key), none(); }
  /// Adds a float32 tensor in C order; its name is not used. write() asks for `fill` or `data`.
  void tensor(TensorToWrite tensor);

  /// Writes the file, completely or not at all; only one tensor at a time is in memory.
  void write(const std::filesystem::path& path);

 private:
  void add(char op) { pickle_ += op; }
  void add(char op, std::uint64_t value, int bytes);
  void global(std::string_view module, std::string_view name);

  std::string pickle_;
  std::vector<TensorToWrite> tensors_;
};

}  // namespace cdt
