// Errors travel as values: every function that can fail returns Result<T>.
//
//   Result<FileDescriptor> OpenConfig(const std::string& bundle) {
//     std::string path = bundle + "/config.json";
//     int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
//     if (fd < 0) return ErrnoError("open bundle configuration", path);
//     return FileDescriptor(fd);
//   }
//
//   TRY_ASSIGN(FileDescriptor config, OpenConfig(bundle));
//
// An Error always has an errno value. It has a message where a person will
// read it (controller, set-up); the application kernel's system calls leave it
// empty, since the application sees only the number.
#ifndef RUNSC_COMMON_RESULT_H_
#define RUNSC_COMMON_RESULT_H_

#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace runsc {

class [[nodiscard]] Error {
 public:
  // `code` is an errno value (or one of the kernel-internal restart codes,
  // which are above 511 and never leave the sandbox); it is never 0.
  explicit Error(int code) : code_(code) {}
  Error(int code, std::string message) : code_(code), message_(std::move(message)) {}

  int code() const { return code_; }
  // What failed, on what, and why; empty when there is only a number.
  const std::string& message() const { return message_; }
  // The message, or strerror's text when there is none.
  std::string ToString() const;
  // Puts "context: " in front of the message, for the caller's point of view.
  Error WithContext(std::string_view context) &&;

 private:
  int code_;
  std::string message_;
};

// "<what> <object>: <strerror(errno)>", with errno as the code. Call it right
// after the failed call.
Error ErrnoError(std::string_view what, std::string_view object = {});
// The same for a given errno value.
Error MakeError(int code, std::string_view what, std::string_view object = {});

template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T value_or(T fallback) && { return ok() ? std::move(*this).value() : std::move(fallback); }

  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }
  // 0 on success, else the errno value.
  int code() const { return ok() ? 0 : error().code(); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const& { return *error_; }
  Error&& error() && { return *std::move(error_); }
  int code() const { return ok() ? 0 : error_->code(); }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;
inline Status Ok() { return {}; }

}  // namespace runsc

#define RUNSC_CONCAT_INNER(a, b) a##b
#define RUNSC_CONCAT(a, b) RUNSC_CONCAT_INNER(a, b)

// Returns from the enclosing function with the error of `expr`, if it has one.
#define TRY(expr)                                                                         \
  do {                                                                                    \
    if (auto try_result = (expr); !try_result.ok()) return std::move(try_result).error(); \
  } while (false)

// Like TRY; on success assigns the value: TRY_ASSIGN(auto file, Open(path));
#define TRY_ASSIGN(target, expr) \
  RUNSC_TRY_ASSIGN_INNER(RUNSC_CONCAT(try_result_, __LINE__), target, expr)
#define RUNSC_TRY_ASSIGN_INNER(result, target, expr)  \
  auto result = (expr);                               \
  if (!result.ok()) return std::move(result).error(); \
  target = std::move(result).value()

#endif  // RUNSC_COMMON_RESULT_H_
