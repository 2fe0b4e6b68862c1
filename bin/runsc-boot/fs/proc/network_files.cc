// net/: a network namespace in which there is only loopback. Tables of sockets
// show their headings.
#include <linux/rtnetlink.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "bin/runsc-boot/fs/proc/task_files.h"
#include "bin/runsc-boot/namespaces/net_namespace.h"

namespace runsc::boot::proc {
namespace {

constexpr char kDev[] =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs "
    "drop fifo colls carrier compressed\n"
    "    lo:       0       0    0    0    0     0          0         0        0       0    0    "
    "0    0     0       0          0\n";

constexpr char kTcp[] =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode                                                     \n";
constexpr char kTcp6[] =
    "  sl  local_address                         remote_address                        st "
    "tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
constexpr char kUdp[] =
    "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode ref pointer drops             \n";
constexpr char kUdp6[] =
    "  sl  local_address                         remote_address                        st "
    "tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n";
constexpr char kRoute[] =
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT         "
    "                                              \n";
constexpr char kSockstat[] =
    "sockets: used 0\nTCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\nUDP: inuse 0 mem 0\n"
    "UDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n";
constexpr char kSnmp[] =
    "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams "
    "InUnknownProtos InDiscards InDelivers OutRequests OutDiscards OutNoRoutes ReasmTimeout "
    "ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates\n"
    "Ip: 2 64 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n";

// The addresses of AF_INET6.
std::string SixText(NetNamespace& space) {
  constexpr unsigned kPermanent = 0x80, kHostScope = 0x10, kLinkScope = 0x20;
  std::string text;
  for (const netlink::InterfaceAddress& address : space.loopback().addresses()) {
    if (address.family != AF_INET6) continue;
    const absl::string_view bytes(reinterpret_cast<const char*>(address.bytes.data()),
                                  address.size());
    const unsigned scope = address.scope == RT_SCOPE_HOST   ? kHostScope
                           : address.scope == RT_SCOPE_LINK ? kLinkScope
                                                            : 0;
    absl::StrAppendFormat(&text, "%s %02x %02x %02x %02x %8s\n", absl::BytesToHexString(bytes),
                          netlink::Loopback::kIndex, address.prefix, scope, kPermanent,
                          netlink::Loopback::kName);
  }
  return text;
}

}  // namespace

void AddNetworkFiles(pseudo::Tree& tree, const TaskHandle& task) {
  tree.Text("arp",
            "IP address       HW type     Flags       HW address            Mask     Device\n");
  tree.Text("dev", kDev);
  tree.File("if_inet6", 0444, [task](Context&) -> Result<std::string> {
    TRY_ASSIGN(const TaskRef found, task.Get());
    return SixText(*found->namespaces()->net);
  });
  tree.Text("ipv6_route", "");
  tree.Text("netlink",
            "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    "
            "Inode\n");
  tree.Text("netstat", "");
  tree.Text("packet", "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n");
  tree.Text("protocols", "");
  tree.Text("psched", "000003e8 00000040 000f4240 3b9aca00\n");
  tree.Text("ptype", "Type Device      Function\n");
  tree.Text("raw", kUdp);
  tree.Text("raw6", kUdp6);
  tree.Text("route", kRoute);
  tree.Text("snmp", kSnmp);
  tree.Text("sockstat", kSockstat);
  tree.Text("tcp", kTcp);
  tree.Text("tcp6", kTcp6);
  tree.Text("udp", kUdp);
  tree.Text("udp6", kUdp6);
  tree.Text("unix", "Num       RefCount Protocol Flags    Type St Inode Path\n");
}

}  // namespace runsc::boot::proc
