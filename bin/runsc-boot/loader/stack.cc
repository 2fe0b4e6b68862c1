#include "bin/runsc-boot/loader/stack.h"

#include <elf.h>
#include <sys/auxv.h>

#include <algorithm>
#include <cstring>

namespace runsc::boot {

namespace {

constexpr uint64_t kArgMax = 131072;
constexpr uint64_t kDefaultStack = 8 << 20;

// The string area, filled from its low end; offsets become addresses when its
// size is known.
class StringArea {
 public:
  uint64_t Add(const void* data, size_t size) {
    const uint64_t offset = bytes_.size();
    const auto* begin = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), begin, begin + size);
    return offset;
  }
  uint64_t Add(const std::string& text) { return Add(text.c_str(), text.size() + 1); }
  void Align(size_t alignment) {
    bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment);
  }
  const std::vector<std::byte>& bytes() const { return bytes_; }
  uint64_t size() const { return bytes_.size(); }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace

uint64_t MaxArgBytes(uint64_t stack_limit) {
  return std::max(std::min(kDefaultStack / 4 * 3, stack_limit / 4), kArgMax);
}

Status CheckArgLimits(const std::vector<std::string>& args, const std::vector<std::string>& env,
                      uint64_t stack_limit) {
  uint64_t total = (std::max<uint64_t>(args.size(), 1) + env.size()) * sizeof(uint64_t);
  for (const std::vector<std::string>* list : {&args, &env}) {
    for (const std::string& text : *list) {
      if (text.size() + 1 > kMaxArgString) return Error(E2BIG);
      total += text.size() + 1;
    }
  }
  return total > MaxArgBytes(stack_limit) ? Status(Error(E2BIG)) : Ok();
}

InitialStack BuildStack(const StackContents& contents, uint64_t top) {
  static const std::string kPlatform = "x86_64";
  StringArea strings;
  const uint64_t random = strings.Add(contents.random.data(), contents.random.size());
  const uint64_t platform = strings.Add(kPlatform);
  // Arguments, environment and file name are adjacent and last, as programs
  // that rewrite their title expect.
  std::vector<uint64_t> arg_offsets, env_offsets;
  const uint64_t args = strings.size();
  for (const std::string& text : contents.args) arg_offsets.push_back(strings.Add(text));
  const uint64_t env = strings.size();
  for (const std::string& text : contents.env) env_offsets.push_back(strings.Add(text));
  const uint64_t filename = strings.Add(contents.filename);
  strings.Align(16);
  // The last 16 bytes of a stack are 0, as Linux leaves 8 of them.
  const uint64_t base = top - strings.size() - 16;

  InitialStack stack;
  stack.arg_start = base + args;
  stack.arg_end = stack.env_start = base + env;
  stack.env_end = base + filename;
  for (const auto& [type, value] : contents.auxv) {
    stack.auxv.push_back(type);
    stack.auxv.push_back(value);
  }
  for (const auto& [type, value] : {std::pair<uint64_t, uint64_t>{AT_RANDOM, base + random},
                                    {AT_EXECFN, base + filename},
                                    {AT_PLATFORM, base + platform},
                                    {AT_NULL, 0}}) {
    stack.auxv.push_back(type);
    stack.auxv.push_back(value);
  }

  std::vector<uint64_t> words;
  words.push_back(contents.args.size());
  for (uint64_t offset : arg_offsets) words.push_back(base + offset);
  words.push_back(0);
  for (uint64_t offset : env_offsets) words.push_back(base + offset);
  words.push_back(0);
  words.insert(words.end(), stack.auxv.begin(), stack.auxv.end());
  const uint64_t words_size = words.size() * sizeof(uint64_t);
  // The stack pointer is a multiple of 16; a gap of 8 may follow the words.
  stack.stack_pointer = (base - words_size) & ~uint64_t{15};
  stack.bytes.resize(top - stack.stack_pointer);
  memcpy(stack.bytes.data(), words.data(), words_size);
  memcpy(stack.bytes.data() + (base - stack.stack_pointer), strings.bytes().data(), strings.size());
  return stack;
}

}  // namespace runsc::boot
