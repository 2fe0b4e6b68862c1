#include "bin/runsc-create/json/value.h"

#include <nlohmann/json.hpp>

namespace runsc::json {
namespace {

// Builds the tree from the library's events. A handler that returns false
// stops the parser.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return Add({}); }
  bool boolean(bool value) override { return Add({.kind = Value::Kind::kBool, .boolean = value}); }
  bool number_integer(number_integer_t value) override {
    if (value >= 0) return number_unsigned(static_cast<uint64_t>(value));
    return Add({.kind = Value::Kind::kNegative, .negative_number = value});
  }
  bool number_unsigned(number_unsigned_t value) override {
    return Add({.kind = Value::Kind::kUnsigned, .unsigned_number = value});
  }
  bool number_float(number_float_t value, const string_t&) override {
    return Add({.kind = Value::Kind::kFloat, .float_number = value});
  }
  bool string(string_t& value) override {
    return Add({.kind = Value::Kind::kString, .string = std::move(value)});
  }
  bool binary(binary_t&) override { return Fail("binary value"); }
  bool start_object(size_t) override { return Open({.kind = Value::Kind::kObject}); }
  bool end_object() override { return Close(); }
  bool start_array(size_t) override { return Open({.kind = Value::Kind::kArray}); }
  bool end_array() override { return Close(); }

  bool key(string_t& name) override {
    if (open_.back().Find(name) != nullptr) return Fail("name \"" + name + "\" is there twice");
    names_.back() = std::move(name);
    return true;
  }

  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception& why) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
    std::string_view text = why.what();
    if (size_t end = text.find("] "); end != text.npos) text.remove_prefix(end + 2);
    return Fail(std::string(text));
  }

  const std::string& error() const { return error_; }
  Value TakeRoot() { return std::move(root_); }

 private:
  bool Fail(std::string why) {
    error_ = std::move(why);
    return false;
  }

  bool Open(Value container) {
    if (open_.size() == kMaxDepth) return Fail("nested too deeply");
    open_.push_back(std::move(container));
    names_.emplace_back();
    return true;
  }

  bool Close() {
    Value done = std::move(open_.back());
    open_.pop_back();
    names_.pop_back();
    return Add(std::move(done));
  }

  bool Add(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().kind == Value::Kind::kArray) {
      open_.back().items.push_back(std::move(value));
    } else {
      open_.back().members.push_back({std::move(names_.back()), std::move(value)});
    }
    return true;
  }

  std::vector<Value> open_;         // containers that are not complete yet
  std::vector<std::string> names_;  // of the member that comes next, for each
  Value root_;
  std::string error_;
};

}  // namespace

const Value* Value::Find(std::string_view name) const {
  for (const auto& [member, value] : members) {
    if (member == name) return &value;
  }
  return nullptr;
}

std::string_view Value::Name(Kind kind) {
  switch (kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBool:
      return "a boolean";
    case Kind::kUnsigned:
    case Kind::kNegative:
      return "an integer";
    case Kind::kFloat:
      return "a fraction";
    case Kind::kString:
      return "a string";
    case Kind::kArray:
      return "an array";
    case Kind::kObject:
      return "an object";
  }
  return "unknown";
}

Result<Value> Parse(std::string_view text) {
  Builder builder;
  if (!nlohmann::json::sax_parse(text, &builder)) return Error(EINVAL, builder.error());
  return builder.TakeRoot();
}

}  // namespace runsc::json
