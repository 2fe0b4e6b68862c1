// A JSON document as a tree of plain values, and the parser that makes it.
//
// The JSON library is confined to value.cc. Numbers keep their sign and exact
// value, since OCI uses 64-bit integers.
#ifndef RUNSC_CREATE_JSON_VALUE_H_
#define RUNSC_CREATE_JSON_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace runsc::json {

struct Member;

struct Value {
  enum class Kind { kNull, kBool, kUnsigned, kNegative, kFloat, kString, kArray, kObject };

  Kind kind = Kind::kNull;
  bool boolean = false;
  uint64_t unsigned_number = 0;  // kUnsigned
  int64_t negative_number = 0;   // kNegative
  double float_number = 0;       // kFloat
  std::string string;
  std::vector<Value> items;     // kArray
  std::vector<Member> members;  // kObject, in order

  // The member, or null when there is none (or this is no object).
  const Value* Find(std::string_view name) const;
  // "a string", "an object", ... for messages.
  static std::string_view Name(Kind kind);
};

struct Member {
  std::string name;
  Value value;
};

// How deep arrays and objects may be nested.
inline constexpr size_t kMaxDepth = 64;

// EINVAL, with line, column and reason, for anything that is not exactly one
// well-formed document in UTF-8, for nesting beyond kMaxDepth and for an
// object that has a name twice.
Result<Value> Parse(std::string_view text);

}  // namespace runsc::json

#endif  // RUNSC_CREATE_JSON_VALUE_H_
