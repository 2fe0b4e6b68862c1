#include "bin/runsc-boot/auth/id_map.h"

#include <cctype>
#include <charconv>
#include <optional>

namespace runsc::boot {

namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r'; }

void SkipSpace(std::string_view& line) {
  while (!line.empty() && IsSpace(line.front())) line.remove_prefix(1);
}

// A decimal number that ends with white space or the line.
std::optional<uint32_t> TakeNumber(std::string_view& line) {
  uint32_t value = 0;
  auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc()) return std::nullopt;
  line.remove_prefix(static_cast<size_t>(end - line.data()));
  if (!line.empty() && !IsSpace(line.front())) return std::nullopt;
  SkipSpace(line);
  return value;
}

bool Overlap(uint32_t a, uint32_t a_count, uint32_t b, uint32_t b_count) {
  return a <= b + (b_count - 1) && b <= a + (a_count - 1);
}

Result<IdExtent> ParseLine(std::string_view line) {
  SkipSpace(line);
  std::optional<uint32_t> inside = TakeNumber(line);
  if (!inside) return Error(EINVAL);
  std::optional<uint32_t> outside = TakeNumber(line);
  if (!outside) return Error(EINVAL);
  std::optional<uint32_t> count = TakeNumber(line);
  if (!count || !line.empty()) return Error(EINVAL);
  const IdExtent extent{*inside, *outside, *count};
  if (extent.inside == kNoId || extent.outside == kNoId) return Error(EINVAL);
  // An empty range counts as one that overflows.
  if (extent.inside + extent.count <= extent.inside) return Error(EINVAL);
  if (extent.outside + extent.count <= extent.outside) return Error(EINVAL);
  return extent;
}

}  // namespace

uint32_t IdMap::ToOutside(uint32_t inside) const { return RangeToOutside(inside, 1); }

uint32_t IdMap::RangeToOutside(uint32_t inside, uint32_t count) const {
  for (const IdExtent& extent : extents_) {
    if (inside < extent.inside) continue;
    const uint32_t offset = inside - extent.inside;
    if (offset < extent.count && count <= extent.count - offset) return extent.outside + offset;
  }
  return kNoId;
}

uint32_t IdMap::ToInside(uint32_t outside) const {
  for (const IdExtent& extent : extents_) {
    if (outside >= extent.outside && outside - extent.outside < extent.count) {
      return extent.inside + (outside - extent.outside);
    }
  }
  return kNoId;
}

Result<std::vector<IdExtent>> IdMap::Parse(std::string_view text) {
  std::vector<IdExtent> extents;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    TRY_ASSIGN(const IdExtent extent, ParseLine(line));
    for (const IdExtent& other : extents) {
      if (Overlap(extent.inside, extent.count, other.inside, other.count) ||
          Overlap(extent.outside, extent.count, other.outside, other.count)) {
        return Error(EINVAL);
      }
    }
    if (extents.size() == kMaxExtents) return Error(EINVAL);
    extents.push_back(extent);
  }
  if (extents.empty()) return Error(EINVAL);
  return extents;
}

}  // namespace runsc::boot
