// Unix sockets: pairs, names, descriptors, credentials.
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <vector>

#include "test/guest/cases.h"

using namespace guest;

namespace {
sockaddr_un Address(const char* path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  strcpy(address.sun_path, path);
  return address;
}
int Listen(const char* path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  const sockaddr_un address = Address(path);
  MUST(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address));
  MUST(listen(fd, 5));
  return fd;
}
long SendDescriptor(int socket, int fd) {
  char byte = 'd';
  iovec vector = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  msghdr message = {};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  return sendmsg(socket, &message, 0);
}
int ReceiveDescriptor(int socket, int flags = 0) {
  char byte;
  iovec vector = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (recvmsg(socket, &message, flags) < 0) return -1;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (!header) return -2;
  int fd;
  memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return fd;
}
}  // namespace

CASE(socketpair_stream) {
  int s[2];
  T(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  T(write(s[0], "hello", 5));
  char buffer[16] = {};
  T(read(s[1], buffer, 2));
  T(read(s[1], buffer, 16));
  T(write(s[1], "back", 4));
  T(read(s[0], buffer, 16));
  T(close(s[1]));
  T(read(s[0], buffer, 16));
  T(send(s[0], "x", 1, MSG_NOSIGNAL));
}
CASE(socketpair_datagram_keeps_boundaries) {
  int s[2];
  T(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
  T(write(s[0], "one", 3));
  T(write(s[0], "three", 5));
  char buffer[16];
  T(read(s[1], buffer, 2));
  T(read(s[1], buffer, 16));
}
CASE(socketpair_seqpacket) {
  int s[2];
  T(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
  T(write(s[0], "one", 3));
  T(write(s[0], "three", 5));
  char buffer[16];
  T(recv(s[1], buffer, 16, 0));
  T(recv(s[1], buffer, 2, MSG_TRUNC));
  T(close(s[0]));
  T(recv(s[1], buffer, 16, 0));
}
CASE(socketpair_flags) {
  int s[2];
  T(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, s));
  Record("cloexec", fcntl(s[0], F_GETFD));
  char c;
  T(read(s[0], &c, 1));
}
CASE(socketpair_errors) {
  int s[2];
  T(socketpair(AF_INET, SOCK_STREAM, 0, s));
  T(socketpair(AF_UNIX, 77, 0, s));
  T(socketpair(AF_UNIX, SOCK_STREAM, 55, s));
  T(socketpair(9999, SOCK_STREAM, 0, s));
}
CASE(socket_shutdown) {
  int s[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  T(shutdown(s[0], SHUT_WR));
  char c;
  T(read(s[1], &c, 1));
  T(send(s[0], "x", 1, MSG_NOSIGNAL));
  T(write(s[1], "y", 1));
  T(read(s[0], &c, 1));
  T(shutdown(s[0], 9));
}
CASE(socket_peek_and_dontwait) {
  int s[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  char c = 0;
  T(recv(s[0], &c, 1, MSG_DONTWAIT));
  MUST(write(s[1], "p", 1));
  T(recv(s[0], &c, 1, MSG_PEEK));
  T(recv(s[0], &c, 1, 0));
  Record("c", c);
}
CASE(socket_passes_descriptor) {
  Make("f", "passed content");
  int s[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  const pid_t child = fork();
  if (child == 0) {
    const int fd = open("f", O_RDONLY);
    _exit(SendDescriptor(s[1], fd) == 1 ? 0 : 1);
  }
  const int fd = ReceiveDescriptor(s[0]);
  Record("content", Drain(fd));
}
CASE(socket_passed_descriptor_cloexec) {
  int s[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  T(SendDescriptor(s[1], 0));
  const int fd = ReceiveDescriptor(s[0], MSG_CMSG_CLOEXEC);
  T(fcntl(fd, F_GETFD));
}
CASE(socket_passes_pipe_end_alive) {
  int s[2], p[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  MUST(pipe(p));
  T(SendDescriptor(s[1], p[1]));
  close(p[1]);
  const int fd = ReceiveDescriptor(s[0]);
  T(write(fd, "through", 7));
  close(fd);
  Record("text", Drain(p[0]));
}
CASE(socket_peer_credentials) {
  int s[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  ucred credentials = {};
  socklen_t length = sizeof credentials;
  T(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &credentials, &length));
  Record("self", credentials.pid == getpid());
  Record("uid", credentials.uid);
}
CASE(socket_options) {
  int s[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  int value = 0;
  socklen_t length = sizeof value;
  T(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &value, &length));
  Record("type", value);
  T(getsockopt(s[0], SOL_SOCKET, SO_DOMAIN, &value, &length));
  Record("domain", value);
  T(getsockopt(s[0], SOL_SOCKET, SO_ERROR, &value, &length));
  Record("error", value);
  T(getsockopt(s[0], SOL_SOCKET, SO_ACCEPTCONN, &value, &length));
  T(getsockopt(0, SOL_SOCKET, SO_TYPE, &value, &length));
  T(getsockopt(s[0], SOL_SOCKET, 9999, &value, &length));
}
CASE(socket_named_connect_accept) {
  const int server = Listen("s");
  const pid_t child = fork();
  if (child == 0) {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    const sockaddr_un address = Address("s");
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) _exit(1);
    _exit(write(fd, "client", 6) == 6 ? 0 : 2);
  }
  const int fd = accept(server, nullptr, nullptr);
  Record("text", Drain(fd));
  struct stat st;
  T(stat("s", &st));
  Record("socket", S_ISSOCK(st.st_mode));
}
CASE(socket_named_errors) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = Address("missing");
  const sockaddr* raw = reinterpret_cast<const sockaddr*>(&address);
  T(connect(fd, raw, sizeof address));
  Make("plain");
  address = Address("plain");
  T(connect(fd, raw, sizeof address));
  T(bind(fd, raw, sizeof address));
  address = Address("s");
  T(bind(fd, raw, sizeof address));
  const int other = socket(AF_UNIX, SOCK_STREAM, 0);
  T(connect(other, raw, sizeof address));
  T(listen(0, 1));
  T(accept(other, nullptr, nullptr));
  T(open("s", O_RDONLY));
  T(getpeername(other, nullptr, nullptr));
}
CASE(socket_names) {
  const int server = Listen("name-of-it");
  sockaddr_un address = {};
  socklen_t length = sizeof address;
  T(getsockname(server, reinterpret_cast<sockaddr*>(&address), &length));
  Record("length", length);
  Record("path", address.sun_path);
  int s[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  length = sizeof address;
  T(getpeername(s[0], reinterpret_cast<sockaddr*>(&address), &length));
  Record("length", length);
}
CASE(socket_abstract) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, "\0abstract", 9);
  const socklen_t length = sizeof(sa_family_t) + 9;
  const int server = socket(AF_UNIX, SOCK_STREAM, 0);
  const int client = socket(AF_UNIX, SOCK_STREAM, 0);
  const sockaddr* raw = reinterpret_cast<const sockaddr*>(&address);
  T(connect(client, raw, length));
  T(bind(server, raw, length));
  T(listen(server, 1));
  T(connect(client, raw, length));
}
CASE(socket_datagram_named) {
  const int server = socket(AF_UNIX, SOCK_DGRAM, 0);
  const int client = socket(AF_UNIX, SOCK_DGRAM, 0);
  const sockaddr_un address = Address("d");
  const sockaddr* raw = reinterpret_cast<const sockaddr*>(&address);
  MUST(bind(server, raw, sizeof address));
  T(sendto(client, "to", 2, 0, raw, sizeof address));
  T(send(client, "x", 1, 0));
  T(connect(client, raw, sizeof address));
  T(send(client, "connected", 9, 0));
  char buffer[16];
  T(recv(server, buffer, 16, 0));
  T(recv(server, buffer, 16, 0));
}
CASE(socket_poll_states) {
  int s[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  pollfd one = {s[0], POLLIN | POLLOUT | POLLRDHUP, 0};
  T(poll(&one, 1, 0));
  Record("idle", one.revents);
  MUST(write(s[1], "x", 1));
  T(poll(&one, 1, 0));
  Record("data", one.revents);
  close(s[1]);
  T(poll(&one, 1, 0));
  Record("closed", one.revents);
}
CASE(socket_fills_up) {
  int s[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
  const std::string data(4096, 'x');
  long total = 0;
  for (ssize_t count; (count = write(s[0], data.data(), data.size())) > 0;) total += count;
  Record("some", total > 4096 && total < (16 << 20));
  T(write(s[0], "x", 1));
  int queued = 0;
  T(ioctl(s[1], FIONREAD, &queued));
  Record("all", queued == total);
}
CASE(socket_sendmsg_many_parts) {
  int s[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  char a[] = "abc", b[] = "de";
  iovec vector[] = {{a, 3}, {b, 2}};
  msghdr message = {};
  message.msg_iov = vector;
  message.msg_iovlen = 2;
  T(sendmsg(s[0], &message, 0));
  char buffer[16] = {};
  T(recv(s[1], buffer, 16, 0));
  Record("text", buffer);
}
CASE(socket_timeout) {
  int s[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  const timeval wait = {0, 30000};
  T(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait));
  char c;
  T(recv(s[0], &c, 1, 0));
}
CASE(socket_file_operations) {
  int s[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  char c;
  T(lseek(s[0], 0, SEEK_SET));
  T(pread(s[0], &c, 1, 0));
  struct stat st;
  T(fstat(s[0], &st));
  Record("socket", S_ISSOCK(st.st_mode));
  T(ftruncate(s[0], 0));
}
CASE(socket_pair_ping_pong_between_processes) {
  int s[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  if (fork() == 0) {
    char c;
    close(s[0]);
    while (read(s[1], &c, 1) == 1) {
      c++;
      if (write(s[1], &c, 1) != 1) break;
    }
    _exit(0);
  }
  close(s[1]);
  char c = 0;
  for (int i = 0; i < 100; i++) {
    MUST(write(s[0], &c, 1));
    MUST(read(s[0], &c, 1));
  }
  Record("c", c);
}
CASE(socket_timeouts_hold_for_read_and_write) {
  int s[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  const timeval limit = {0, 100000};
  MUST(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
  MUST(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
  static char block[65536];
  long long start = NowMs();
  T(read(s[0], block, 1));
  T(recv(s[0], block, 1, 0));
  Record("waited", NowMs() - start >= 195 && NowMs() - start < 1500);
  while (send(s[0], block, sizeof block, MSG_DONTWAIT) > 0) {
  }
  start = NowMs();
  T(write(s[0], block, sizeof block));
  T(send(s[0], block, sizeof block, 0));
  Record("waited", NowMs() - start >= 195 && NowMs() - start < 1500);
}
CASE(longest_path_has_no_place_for_its_zero) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  memset(address.sun_path, 'p', sizeof address.sun_path);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  T(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address));
  T(listen(fd, 1));
  sockaddr_un name = {};
  socklen_t size = sizeof name;
  T(getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size));
  Record("size", size);
  Record("same", memcmp(&name, &address, sizeof name) == 0);
  const int client = socket(AF_UNIX, SOCK_STREAM, 0);
  T(connect(client, reinterpret_cast<sockaddr*>(&name), sizeof name));
}
