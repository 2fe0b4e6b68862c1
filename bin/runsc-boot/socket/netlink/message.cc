#include "bin/runsc-boot/socket/netlink/message.h"

#include <algorithm>
#include <utility>

namespace runsc::boot::netlink {

std::optional<Request> TakeRequest(std::string_view& text) {
  Request request;
  if (text.size() < sizeof(request.header)) return std::nullopt;
  memcpy(&request.header, text.data(), sizeof(request.header));
  const size_t size = request.header.nlmsg_len;
  if (size < sizeof(request.header) || size > text.size()) return std::nullopt;
  request.payload = text.substr(sizeof(request.header), size - sizeof(request.header));
  text.remove_prefix(std::min<size_t>(NLMSG_ALIGN(size), text.size()));
  return request;
}

Attributes ParseAttributes(std::string_view payload, size_t skip) {
  Attributes attributes;
  payload.remove_prefix(std::min<size_t>(NLMSG_ALIGN(skip), payload.size()));
  nlattr header;
  while (payload.size() >= sizeof(header)) {
    memcpy(&header, payload.data(), sizeof(header));
    if (header.nla_len < sizeof(header) || header.nla_len > payload.size()) break;
    attributes[header.nla_type & NLA_TYPE_MASK] =
        payload.substr(sizeof(header), header.nla_len - sizeof(header));
    payload.remove_prefix(std::min<size_t>(NLA_ALIGN(header.nla_len), payload.size()));
  }
  return attributes;
}

std::optional<uint32_t> NumberOf(const Attributes& attributes, unsigned type) {
  auto found = attributes.find(type);
  uint32_t number;
  if (found == attributes.end() || found->second.size() < sizeof(number)) return std::nullopt;
  memcpy(&number, found->second.data(), sizeof(number));
  return number;
}

std::optional<std::string_view> TextOf(const Attributes& attributes, unsigned type) {
  auto found = attributes.find(type);
  if (found == attributes.end()) return std::nullopt;
  return found->second.substr(0, found->second.find('\0'));
}

Writer::Writer(uint16_t type, uint16_t flags, uint32_t sequence, uint32_t port) {
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  header.nlmsg_seq = sequence;
  header.nlmsg_pid = port;
  Body(header);
}

Writer& Writer::Append(std::string_view bytes) {
  bytes_ += bytes;
  bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  return *this;
}

Writer& Writer::Attribute(uint16_t type, std::string_view value) {
  nlattr header{};
  header.nla_len = static_cast<uint16_t>(sizeof(header) + value.size());
  header.nla_type = type;
  Body(header);
  return Append(value);
}

std::string Writer::Finish() && {
  const auto size = static_cast<uint32_t>(bytes_.size());
  memcpy(bytes_.data() + offsetof(nlmsghdr, nlmsg_len), &size, sizeof(size));
  return std::move(bytes_);
}

}  // namespace runsc::boot::netlink
