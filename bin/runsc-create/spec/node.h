// Typed access to a JSON document whose errors name the field:
//
//   Node root(value, "config.json");
//   TRY_ASSIGN(Node process, root.Required("process"));
//   TRY_ASSIGN(std::string cwd, process.RequiredString("cwd"));
//   // "config.json: process.cwd: must be a string, not an integer"
//
// A member that is null counts as absent, as in the Go programs that write
// these files.
#ifndef RUNSC_CREATE_SPEC_NODE_H_
#define RUNSC_CREATE_SPEC_NODE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bin/runsc-create/json/value.h"
#include "common/result.h"

namespace runsc::spec {

class Node {
 public:
  // `file` is put in front of every error. The value must outlive the node.
  Node(const json::Value& value, std::string file) : value_(&value), file_(std::move(file)) {}

  // EINVAL: "<file>: <field>: <why>".
  Error Wrong(std::string_view why) const;
  // The same about a member of this object.
  Error WrongMember(std::string_view name, std::string_view why) const;

  Status ExpectObject() const;
  bool Has(std::string_view name) const { return Get(name).has_value(); }
  std::optional<Node> Get(std::string_view name) const;
  // An object; nothing when it is absent.
  Result<std::optional<Node>> Object(std::string_view name) const;
  Result<Node> RequiredObject(std::string_view name) const;
  // The elements of an array; none when it is absent.
  Result<std::vector<Node>> Array(std::string_view name) const;
  // The members of an object, with their names; none when it is absent.
  Result<std::vector<std::pair<std::string, Node>>> Map(std::string_view name) const;

  // Strings never contain a zero byte.
  Result<std::string> AsString() const;
  Result<bool> AsBool() const;
  Result<uint64_t> AsUnsigned(uint64_t max = UINT64_MAX) const;
  Result<int64_t> AsInteger(int64_t min = INT64_MIN, int64_t max = INT64_MAX) const;

  Result<std::string> RequiredString(std::string_view name) const;
  // "" when it is absent.
  Result<std::string> StringOrEmpty(std::string_view name) const;
  Result<std::vector<std::string>> Strings(std::string_view name) const;
  Result<bool> BoolOr(std::string_view name, bool fallback) const;
  Result<uint32_t> Unsigned32Or(std::string_view name, uint32_t fallback) const;
  Result<std::optional<uint64_t>> OptionalUnsigned(std::string_view name,
                                                   uint64_t max = UINT64_MAX) const;
  Result<std::optional<int64_t>> OptionalInteger(std::string_view name) const;

 private:
  Node(const json::Value& value, std::string file, std::string path)
      : value_(&value), file_(std::move(file)), path_(std::move(path)) {}
  Node Child(std::string_view name, const json::Value& value) const;
  Error WrongKind(std::string_view expected) const;

  const json::Value* value_;
  std::string file_;
  std::string path_;
};

}  // namespace runsc::spec

#endif  // RUNSC_CREATE_SPEC_NODE_H_
