#include "common/result.h"

#include <cstring>

namespace runsc {

std::string Error::ToString() const {
  if (!message_.empty()) return message_;
  return strerror(code_);
}

Error Error::WithContext(std::string_view context) && {
  std::string text(context);
  text += ": ";
  text += ToString();
  return Error(code_, std::move(text));
}

Error MakeError(int code, std::string_view what, std::string_view object) {
  std::string text(what);
  if (!object.empty()) {
    text += ' ';
    text += object;
  }
  text += ": ";
  text += strerror(code);
  return Error(code, std::move(text));
}

Error ErrnoError(std::string_view what, std::string_view object) {
  return MakeError(errno, what, object);
}

}  // namespace runsc
