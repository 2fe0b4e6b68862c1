#include "bin/runsc-create/spec/node.h"

#include "absl/strings/str_cat.h"

namespace runsc::spec {

using json::Value;

Error Node::Wrong(std::string_view why) const {
  if (path_.empty()) return Error(EINVAL, absl::StrCat(file_, ": ", std::string(why)));
  return Error(EINVAL, absl::StrCat(file_, ": ", path_, ": ", std::string(why)));
}

Error Node::WrongMember(std::string_view name, std::string_view why) const {
  return Child(name, *value_).Wrong(why);
}

Error Node::WrongKind(std::string_view expected) const {
  return Wrong(absl::StrCat("must be ", std::string(expected), ", not ",
                            std::string(Value::Name(value_->kind))));
}

Node Node::Child(std::string_view name, const Value& value) const {
  std::string path(name);
  return Node(value, file_, path_.empty() ? path : absl::StrCat(path_, ".", path));
}

Status Node::ExpectObject() const {
  if (value_->kind != Value::Kind::kObject) return WrongKind("an object");
  return Ok();
}

std::optional<Node> Node::Get(std::string_view name) const {
  const Value* member = value_->Find(name);
  if (member == nullptr || member->kind == Value::Kind::kNull) return std::nullopt;
  return Child(name, *member);
}

Result<std::optional<Node>> Node::Object(std::string_view name) const {
  std::optional<Node> member = Get(name);
  if (member) TRY(member->ExpectObject());
  return member;
}

Result<Node> Node::RequiredObject(std::string_view name) const {
  TRY_ASSIGN(std::optional<Node> member, Object(name));
  if (!member) return WrongMember(name, "missing");
  return *std::move(member);
}

Result<std::vector<Node>> Node::Array(std::string_view name) const {
  std::vector<Node> elements;
  std::optional<Node> member = Get(name);
  if (!member) return elements;
  if (member->value_->kind != Value::Kind::kArray) return member->WrongKind("an array");
  for (const Value& item : member->value_->items) {
    elements.push_back(Node(item, file_, absl::StrCat(member->path_, "[", elements.size(), "]")));
  }
  return elements;
}

Result<std::vector<std::pair<std::string, Node>>> Node::Map(std::string_view name) const {
  std::vector<std::pair<std::string, Node>> members;
  TRY_ASSIGN(std::optional<Node> member, Object(name));
  if (!member) return members;
  for (const auto& [key, value] : member->value_->members) {
    members.emplace_back(key, member->Child(absl::StrCat("\"", key, "\""), value));
  }
  return members;
}

Result<std::string> Node::AsString() const {
  if (value_->kind != Value::Kind::kString) return WrongKind("a string");
  if (value_->string.find('\0') != std::string::npos) {
    return Wrong("must not contain a zero byte");
  }
  return value_->string;
}

Result<bool> Node::AsBool() const {
  if (value_->kind != Value::Kind::kBool) return WrongKind("a boolean");
  return value_->boolean;
}

Result<uint64_t> Node::AsUnsigned(uint64_t max) const {
  if (value_->kind == Value::Kind::kNegative) return Wrong("must not be negative");
  if (value_->kind != Value::Kind::kUnsigned) return WrongKind("an integer");
  if (value_->unsigned_number > max) return Wrong(absl::StrCat("must be at most ", max));
  return value_->unsigned_number;
}

Result<int64_t> Node::AsInteger(int64_t min, int64_t max) const {
  int64_t number = 0;
  if (value_->kind == Value::Kind::kNegative) {
    number = value_->negative_number;
  } else if (value_->kind != Value::Kind::kUnsigned) {
    return WrongKind("an integer");
  } else if (value_->unsigned_number > INT64_MAX) {
    return Wrong(absl::StrCat("must be at most ", max));
  } else {
    number = static_cast<int64_t>(value_->unsigned_number);
  }
  if (number < min) return Wrong(absl::StrCat("must be at least ", min));
  if (number > max) return Wrong(absl::StrCat("must be at most ", max));
  return number;
}

Result<std::string> Node::RequiredString(std::string_view name) const {
  std::optional<Node> member = Get(name);
  if (!member) return WrongMember(name, "missing");
  TRY_ASSIGN(std::string text, member->AsString());
  if (text.empty()) return member->Wrong("must not be empty");
  return text;
}

Result<std::string> Node::StringOrEmpty(std::string_view name) const {
  std::optional<Node> member = Get(name);
  if (!member) return std::string();
  return member->AsString();
}

Result<std::vector<std::string>> Node::Strings(std::string_view name) const {
  std::vector<std::string> strings;
  TRY_ASSIGN(std::vector<Node> elements, Array(name));
  for (const Node& element : elements) {
    TRY_ASSIGN(std::string text, element.AsString());
    strings.push_back(std::move(text));
  }
  return strings;
}

Result<bool> Node::BoolOr(std::string_view name, bool fallback) const {
  std::optional<Node> member = Get(name);
  if (!member) return fallback;
  return member->AsBool();
}

Result<uint32_t> Node::Unsigned32Or(std::string_view name, uint32_t fallback) const {
  TRY_ASSIGN(std::optional<uint64_t> number, OptionalUnsigned(name, UINT32_MAX));
  return static_cast<uint32_t>(number.value_or(fallback));
}

Result<std::optional<uint64_t>> Node::OptionalUnsigned(std::string_view name, uint64_t max) const {
  std::optional<Node> member = Get(name);
  if (!member) return std::optional<uint64_t>();
  TRY_ASSIGN(uint64_t number, member->AsUnsigned(max));
  return std::optional<uint64_t>(number);
}

Result<std::optional<int64_t>> Node::OptionalInteger(std::string_view name) const {
  std::optional<Node> member = Get(name);
  if (!member) return std::optional<int64_t>();
  TRY_ASSIGN(int64_t number, member->AsInteger());
  return std::optional<int64_t>(number);
}

}  // namespace runsc::spec
