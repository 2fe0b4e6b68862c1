#include <gtest/gtest.h>

#include "bin/runsc-create/json/value.h"
#include "bin/runsc-create/json/writer.h"

namespace runsc::json {
namespace {

TEST(Json, KeepsEveryKindOfValue) {
  auto value = Parse(R"({"a":[1,-2,1.5,"x",true,null],"b":{"c":18446744073709551615}})");
  ASSERT_TRUE(value.ok()) << value.error().ToString();
  const Value* a = value->Find("a");
  ASSERT_NE(a, nullptr);
  ASSERT_EQ(a->items.size(), 6u);
  EXPECT_EQ(a->items[0].unsigned_number, 1u);
  EXPECT_EQ(a->items[1].negative_number, -2);
  EXPECT_EQ(a->items[2].float_number, 1.5);
  EXPECT_EQ(a->items[3].string, "x");
  EXPECT_TRUE(a->items[4].boolean);
  EXPECT_EQ(a->items[5].kind, Value::Kind::kNull);
  EXPECT_EQ(value->Find("b")->Find("c")->unsigned_number, UINT64_MAX);
  EXPECT_EQ(value->Find("d"), nullptr);
}

TEST(Json, ErrorTellsLineAndColumn) {
  auto value = Parse("{\n  \"a\": ]\n}");
  ASSERT_FALSE(value.ok());
  EXPECT_NE(value.error().message().find("line 2, column 8"), std::string::npos)
      << value.error().message();
}

TEST(Json, RefusesWhatIsNotOneDocument) {
  for (const char* text : {"", "{} {}", "{", "[1,]", "{\"a\":1,\"a\":2}", "\"\xff\"", "nul"}) {
    EXPECT_FALSE(Parse(text).ok()) << text;
  }
}

TEST(Json, RefusesDeepNesting) {
  EXPECT_TRUE(Parse(std::string(kMaxDepth, '[') + std::string(kMaxDepth, ']')).ok());
  EXPECT_FALSE(Parse(std::string(100'000, '[')).ok());
}

TEST(Json, WriterEscapesAndIndents) {
  Writer writer;
  writer.BeginObject();
  writer.Name("a\"").String("x\n\x01\\");
  writer.Name("b").BeginArray();
  writer.EndArray();
  writer.Name("c").Number(-3);
  writer.EndObject();
  EXPECT_EQ(writer.text(), "{\n  \"a\\\"\": \"x\\n\\u0001\\\\\",\n  \"b\": [],\n  \"c\": -3\n}");
}

}  // namespace
}  // namespace runsc::json
