#include "bin/runsc-create/json/writer.h"

#include <cstdio>

namespace runsc::json {

Writer& Writer::Name(std::string_view name) {
  BeforeValue();
  Quoted(name);
  text_ += indented_ ? ": " : ":";
  after_name_ = true;
  return *this;
}

void Writer::String(std::string_view value) {
  BeforeValue();
  Quoted(value);
}

void Writer::Number(int64_t value) {
  BeforeValue();
  text_ += std::to_string(value);
}

void Writer::Bool(bool value) {
  BeforeValue();
  text_ += value ? "true" : "false";
}

void Writer::Null() {
  BeforeValue();
  text_ += "null";
}

void Writer::Begin(char bracket) {
  BeforeValue();
  text_ += bracket;
  empty_.push_back(true);
}

void Writer::End(char bracket) {
  bool was_empty = empty_.back();
  empty_.pop_back();
  if (!was_empty) NewLine();
  text_ += bracket;
}

void Writer::BeforeValue() {
  if (after_name_) {
    after_name_ = false;
    return;
  }
  if (empty_.empty()) return;
  if (!empty_.back()) text_ += ',';
  empty_.back() = false;
  NewLine();
}

void Writer::NewLine() {
  if (!indented_) return;
  text_ += '\n';
  text_.append(2 * empty_.size(), ' ');
}

void Writer::Quoted(std::string_view value) {
  text_ += '"';
  for (unsigned char c : value) {
    if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += static_cast<char>(c);
    } else if (c == '\n') {
      text_ += "\\n";
    } else if (c == '\t') {
      text_ += "\\t";
    } else if (c < 0x20) {
      char buffer[8];
      snprintf(buffer, sizeof(buffer), "\\u%04x", c);
      text_ += buffer;
    } else {
      text_ += static_cast<char>(c);
    }
  }
  text_ += '"';
}

}  // namespace runsc::json
