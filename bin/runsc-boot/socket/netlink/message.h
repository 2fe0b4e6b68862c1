// Netlink messages (netlink(7)): a header, a structure of the message's type, and
// attributes, each aligned to four bytes.
#ifndef RUNSC_BOOT_SOCKET_NETLINK_MESSAGE_H_
#define RUNSC_BOOT_SOCKET_NETLINK_MESSAGE_H_

#include <linux/netlink.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace runsc::boot::netlink {

// One message of an application. Views of the caller's copy.
struct Request {
  nlmsghdr header{};
  std::string_view payload;  // behind the header

  // The structure at the payload's beginning; nothing when it is too short.
  template <typename T>
  std::optional<T> Body() const {
    if (payload.size() < sizeof(T)) return std::nullopt;
    T body;
    memcpy(&body, payload.data(), sizeof(body));
    return body;
  }
};

// Takes the first message off `text`. Nothing: what is left is none.
std::optional<Request> TakeRequest(std::string_view& text);

// Attributes by their types (the last of each counts), without the flags in them.
using Attributes = std::map<unsigned, std::string_view>;
// Those behind the first `skip` bytes of a payload. What is malformed ends them.
Attributes ParseAttributes(std::string_view payload, size_t skip);
// A number; nothing when there is no such attribute or it is too short.
std::optional<uint32_t> NumberOf(const Attributes& attributes, unsigned type);
// A name, up to its zero.
std::optional<std::string_view> TextOf(const Attributes& attributes, unsigned type);

// Builds one message.
class Writer {
 public:
  Writer(uint16_t type, uint16_t flags, uint32_t sequence, uint32_t port);

  template <typename T>
  Writer& Body(const T& body) {
    return Append({reinterpret_cast<const char*>(&body), sizeof(body)});
  }
  Writer& Append(std::string_view bytes);
  Writer& Attribute(uint16_t type, std::string_view value);
  template <typename T>
  Writer& Number(uint16_t type, const T& value) {
    return Attribute(type, {reinterpret_cast<const char*>(&value), sizeof(value)});
  }
  // With a zero behind it.
  Writer& Text(uint16_t type, std::string value) {
    value.push_back(0);
    return Attribute(type, value);
  }
  std::string Finish() &&;

 private:
  std::string bytes_;
};

}  // namespace runsc::boot::netlink

#endif  // RUNSC_BOOT_SOCKET_NETLINK_MESSAGE_H_
