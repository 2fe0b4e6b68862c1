#include "bin/runsc-create/spec/sections.h"

namespace runsc::spec {
namespace {

Status ParseDeviceRule(const Node& node, oci::DeviceRule& out) {
  TRY(node.ExpectObject());
  TRY_ASSIGN(bool allow, node.BoolOr("allow", false));
  TRY_ASSIGN(std::string type, node.StringOrEmpty("type"));
  TRY_ASSIGN(std::string access, node.StringOrEmpty("access"));
  TRY_ASSIGN(std::optional<int64_t> major, node.OptionalInteger("major"));
  TRY_ASSIGN(std::optional<int64_t> minor, node.OptionalInteger("minor"));
  if (!type.empty() && type != "a" && type != "b" && type != "c") {
    return node.WrongMember("type", "must be \"a\", \"b\" or \"c\"");
  }
  if (access.find_first_not_of("rwm") != std::string::npos) {
    return node.WrongMember("access", "must consist of \"r\", \"w\" and \"m\"");
  }
  out.set_allow(allow);
  out.set_type(std::move(type));
  out.set_access(std::move(access));
  if (major) out.set_major(*major);
  if (minor) out.set_minor(*minor);
  return Ok();
}

Status ParseMemory(const Node& node, oci::Resources& out) {
  TRY_ASSIGN(std::optional<int64_t> limit, node.OptionalInteger("limit"));
  TRY_ASSIGN(std::optional<int64_t> reservation, node.OptionalInteger("reservation"));
  TRY_ASSIGN(std::optional<int64_t> swap, node.OptionalInteger("swap"));
  if (limit) out.set_memory_limit(*limit);
  if (reservation) out.set_memory_reservation(*reservation);
  if (swap) out.set_memory_swap(*swap);
  return Ok();
}

Status ParseCpu(const Node& node, oci::Resources& out) {
  TRY_ASSIGN(std::optional<uint64_t> shares, node.OptionalUnsigned("shares"));
  TRY_ASSIGN(std::optional<int64_t> quota, node.OptionalInteger("quota"));
  TRY_ASSIGN(std::optional<uint64_t> period, node.OptionalUnsigned("period"));
  TRY_ASSIGN(std::string cpus, node.StringOrEmpty("cpus"));
  TRY_ASSIGN(std::string mems, node.StringOrEmpty("mems"));
  if (cpus.find_first_not_of("0123456789,-") != std::string::npos) {
    return node.WrongMember("cpus", "must be a list of ranges such as 0-2,7");
  }
  if (mems.find_first_not_of("0123456789,-") != std::string::npos) {
    return node.WrongMember("mems", "must be a list of ranges such as 0-2,7");
  }
  if (shares) out.set_cpu_shares(*shares);
  if (quota) out.set_cpu_quota(*quota);
  if (period) out.set_cpu_period(*period);
  out.set_cpus(std::move(cpus));
  out.set_mems(std::move(mems));
  return Ok();
}

}  // namespace

Status ParseResources(const Node& node, oci::Resources& out) {
  TRY_ASSIGN(std::vector<Node> rules, node.Array("devices"));
  for (const Node& rule : rules) TRY(ParseDeviceRule(rule, *out.add_devices()));
  TRY_ASSIGN(std::optional<Node> memory, node.Object("memory"));
  if (memory) TRY(ParseMemory(*memory, out));
  TRY_ASSIGN(std::optional<Node> cpu, node.Object("cpu"));
  if (cpu) TRY(ParseCpu(*cpu, out));
  TRY_ASSIGN(std::optional<Node> pids, node.Object("pids"));
  if (pids) {
    TRY_ASSIGN(std::optional<int64_t> limit, pids->OptionalInteger("limit"));
    if (limit) out.set_pids_limit(*limit);
  }
  TRY_ASSIGN(std::optional<Node> block_io, node.Object("blockIO"));
  if (block_io) {
    TRY_ASSIGN(uint32_t weight, block_io->Unsigned32Or("weight", 0));
    if (weight != 0) out.set_block_io_weight(weight);
  }
  return Ok();
}

}  // namespace runsc::spec
