// net/: a network namespace in which there is only loopback. Tables of sockets
// show their headings.
#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/fs/proc/root_directory.h"

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

}  // namespace

void AddNetworkFiles(pseudo::Tree& tree) {
  tree.Text("arp",
            "IP address       HW type     Flags       HW address            Mask     Device\n");
  tree.Text("dev", kDev);
  tree.Text("if_inet6", "00000000000000000000000000000001 01 80 10 80       lo\n");
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
