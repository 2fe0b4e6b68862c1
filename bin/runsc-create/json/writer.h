// Writes JSON documents, indented as the other runtimes print them.
//
//   Writer writer;
//   writer.BeginObject();
//   writer.Name("id").String(id);
//   writer.Name("pid").Number(pid);
//   writer.EndObject();
#ifndef RUNSC_CREATE_JSON_WRITER_H_
#define RUNSC_CREATE_JSON_WRITER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace runsc::json {

class Writer {
 public:
  explicit Writer(bool indented = true) : indented_(indented) {}

  void BeginObject() { Begin('{'); }
  void EndObject() { End('}'); }
  void BeginArray() { Begin('['); }
  void EndArray() { End(']'); }
  Writer& Name(std::string_view name);
  void String(std::string_view value);
  void Number(int64_t value);
  void Bool(bool value);
  void Null();

  const std::string& text() const { return text_; }

 private:
  void Begin(char bracket);
  void End(char bracket);
  void BeforeValue();
  void NewLine();
  void Quoted(std::string_view value);

  const bool indented_;
  std::string text_;
  std::vector<bool> empty_;  // for each open bracket: nothing is in it yet
  bool after_name_ = false;
};

}  // namespace runsc::json

#endif  // RUNSC_CREATE_JSON_WRITER_H_
