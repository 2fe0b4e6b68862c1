// What the programs about seccomp(2) have in common.
#ifndef RUNSC_TEST_GUEST_FILTERING_H_
#define RUNSC_TEST_GUEST_FILTERING_H_

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <ucontext.h>

#include <vector>

#include "test/guest/cases.h"

namespace guest {

using Code = std::vector<sock_filter>;

inline sock_filter Do(uint16_t code, uint32_t k) { return {code, 0, 0, k}; }
inline sock_filter Load(uint32_t offset) { return Do(BPF_LD | BPF_W | BPF_ABS, offset); }
inline sock_filter Return(uint32_t action) { return Do(BPF_RET | BPF_K, action); }
inline sock_filter IfEqual(uint32_t k, uint8_t yes, uint8_t no) {
  return {BPF_JMP | BPF_JEQ | BPF_K, yes, no, k};
}
constexpr uint32_t Arg(int index) {
  return static_cast<uint32_t>(offsetof(seccomp_data, args)) + 8 * static_cast<uint32_t>(index);
}

inline Code On(uint32_t number, uint32_t action) {
  return {Load(0), IfEqual(number, 0, 1), Return(action), Return(SECCOMP_RET_ALLOW)};
}
// Only when the low half of an argument has that value.
inline Code OnArg(uint32_t number, int index, uint32_t value, uint32_t action) {
  return {Load(0),        IfEqual(number, 0, 3),    Load(Arg(index)), IfEqual(value, 0, 1),
          Return(action), Return(SECCOMP_RET_ALLOW)};
}

inline long Install(const Code& code, unsigned flags = 0) {
  sock_fprog program = {static_cast<unsigned short>(code.size()),
                        const_cast<sock_filter*>(code.data())};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}
inline void NoNewPrivileges() { MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); }
constexpr uint32_t Errno(int error) { return SECCOMP_RET_ERRNO | static_cast<uint32_t>(error); }

inline siginfo_t g_info;
inline greg_t g_rax;
inline volatile sig_atomic_t g_traps;
inline void OnSigsys(int, siginfo_t* info, void* context) {
  g_info = *info;
  auto* machine = static_cast<ucontext_t*>(context);
  g_rax = machine->uc_mcontext.gregs[REG_RAX];
  g_traps = g_traps + 1;
  machine->uc_mcontext.gregs[REG_RAX] = 77;
}
inline void CatchSigsys() {
  struct sigaction action = {};
  action.sa_sigaction = OnSigsys;
  action.sa_flags = SA_SIGINFO;
  MUST(sigaction(SIGSYS, &action, nullptr));
}

// A supervisor in a child: it gets the listener over a socket and answers one
// report by `serve`.
inline int Listen(const Code& code, const std::function<void(int, seccomp_notif&)>& serve,
                  unsigned flags = 0) {
  int pair[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  const pid_t child = fork();
  if (child == 0) {
    char control[CMSG_SPACE(sizeof(int))];
    char byte;
    iovec vec = {&byte, 1};
    msghdr message = {};
    message.msg_iov = &vec;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (recvmsg(pair[1], &message, 0) != 1) _exit(1);
    const int listener = *reinterpret_cast<int*>(CMSG_DATA(CMSG_FIRSTHDR(&message)));
    seccomp_notif report = {};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &report) != 0) _exit(2);
    serve(listener, report);
    _exit(0);
  }
  NoNewPrivileges();
  const long listener = Install(code, SECCOMP_FILTER_FLAG_NEW_LISTENER | flags);
  if (listener < 0) Broken("listener");
  char control[CMSG_SPACE(sizeof(int))] = {};
  char byte = 0;
  iovec vec = {&byte, 1};
  msghdr message = {};
  message.msg_iov = &vec;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  *reinterpret_cast<int*>(CMSG_DATA(header)) = static_cast<int>(listener);
  MUST(sendmsg(pair[0], &message, 0));
  close(static_cast<int>(listener));
  return static_cast<int>(child);
}
inline void Answer(int listener, uint64_t id, int64_t value, int32_t error, uint32_t flags) {
  seccomp_notif_resp reply = {id, value, error, flags};
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply) != 0) _exit(3);
}

}  // namespace guest

#endif  // RUNSC_TEST_GUEST_FILTERING_H_
