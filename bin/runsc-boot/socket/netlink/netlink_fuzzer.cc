// Fuzzes the requests of NETLINK_ROUTE: any bytes, no crash, and what is answered
// and kept stays well-formed and bounded.
#include <cstdlib>

#include "bin/runsc-boot/auth/user_namespace.h"
#include "bin/runsc-boot/socket/netlink/route.h"

using namespace runsc::boot;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  NetNamespace space(UserNamespace::MakeInitial());
  std::string_view requests(reinterpret_cast<const char*>(data), size);
  while (const auto request = netlink::TakeRequest(requests)) {
    std::vector<std::string> answers;
    (void)netlink::AnswerRoute(space, /*may_change=*/true, *request, 1, answers).ok();
    for (const std::string& answer : answers) {
      std::string_view rest = answer;
      while (!rest.empty()) {
        if (!netlink::TakeRequest(rest).has_value()) abort();
      }
    }
  }
  if (space.loopback().addresses().size() > netlink::Loopback::kMostAddresses + 2) abort();
  return 0;
}
