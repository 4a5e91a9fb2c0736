// A journal: a file to which records are appended while a program works, so that what a killed
// program had finished can be told from what it had not (docs/formats.md).
//
// After eight bytes that identify the format come frames: a head of 20 bytes (kind, CRC-32 of the
// content, length of the content, CRC-32 of these 16 bytes) and the content. The first frame is the
// header, then come the records, and the end of a finished journal counts them. Damage to any byte
// is found; a frame that the end of the file cuts short is where its writer was stopped, and so is
// one that becomes zeros up to the end of the file, which a power failure may leave.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "io/format/file.h"

namespace cdt {

/// Reads a journal from its beginning.
class JournalReader {
 public:
  /// Opens the file. Throws InputError naming it if it is not a journal.
  explicit JournalReader(std::filesystem::path path);

  const std::filesystem::path& path() const { return file_.path(); }
  /// Content of the first frame; nothing if it is not whole, and then there is no record either.
  bool has_header() const { return has_header_; }
  const std::string& header() const { return header_; }
  /// Whether the file ends as a finished journal does; does not read the records.
  bool is_finished() const { return finished_; }

  /// Reads the next record. Returns false after the last whole one: at the end of a finished
  /// journal or where its writer was stopped. Throws InputError naming the record if it is damaged,
  /// or if a finished journal has another number of records than its end says.
  bool next(std::string* record);
  /// Number of whole records read so far, and the bytes up to their end.
  std::uint64_t records() const { return records_; }
  std::uint64_t whole_bytes() const { return at_; }

 private:
  struct Head;
  bool read_frame(Head* head, std::string* content);
  /// Whether a damaged frame was never written to the disk: zeros from before its end on.
  bool is_lost(std::uint64_t end) const;
  [[noreturn]] void damaged(const std::string& how) const;

  InputFile file_;
  std::string header_;
  bool has_header_ = false, finished_ = false;
  std::uint64_t at_ = 0;       // end of the last whole frame
  std::uint64_t records_ = 0;  // before it
};

/// Appends to a journal. Every record is handed to the system before append() returns, and to the
/// disk now and then. Failures throw InputError(path, "write", ...).
class JournalWriter {
 public:
  /// Begins a journal, in place of a file of this name.
  JournalWriter(std::filesystem::path path, std::string_view header);
  /// Continues the journal after the records that `read` has returned; cuts off the rest.
  explicit JournalWriter(const JournalReader& read);

  void append(std::string_view record);
  /// Marks the end and syncs the file.
  void finish();

 private:
  void open(int flags);
  void write_frame(std::uint32_t kind, std::string_view content);
  void write_through(std::string_view bytes);
  void sync();

  std::filesystem::path path_;
  FileDescriptor file_;
  std::uint64_t records_ = 0;
  std::chrono::steady_clock::time_point synced_;
};

}  // namespace cdt
