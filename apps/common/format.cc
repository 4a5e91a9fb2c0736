#include "apps/common/format.h"

#include <cstdarg>
#include <cstdio>

#include "engine/error.h"

namespace cdt {

std::string text(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::va_list again;
  va_copy(again, arguments);
  const int size = std::vsnprintf(nullptr, 0, format, arguments);
  va_end(arguments);
  std::string out(size < 0 ? 0 : static_cast<std::size_t>(size) + 1, '\0');
  if (size >= 0) std::vsnprintf(out.data(), out.size(), format, again);
  va_end(again);
  CDT_CHECK(size >= 0, "vsnprintf failed");
  out.pop_back();
  return out;
}

}  // namespace cdt
