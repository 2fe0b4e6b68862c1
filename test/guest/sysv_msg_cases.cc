// msgget(2), msgsnd(2), msgrcv(2), msgctl(2)
#include <limits>

#include "test/guest/ipc.h"

using namespace guest;

namespace {

std::string About(int id) {
  msqid_ds about{};
  if (msgctl(id, IPC_STAT, &about) < 0) return strerrorname_np(errno);
  return std::to_string(about.__msg_cbytes) + "," + std::to_string(about.msg_qnum) + "," +
         std::to_string(about.msg_qbytes);
}
// Until `count` messages are in the queue.
void AwaitMessages(int id, unsigned long count) {
  msqid_ds about{};
  for (int i = 0; i < 500 && about.msg_qnum < count; i++) {
    msgctl(id, IPC_STAT, &about);
    SleepMs(5);
  }
}
void SetBytes(int id, unsigned long bytes) {
  msqid_ds about{};
  MUST(msgctl(id, IPC_STAT, &about));
  about.msg_qbytes = bytes;
  MUST(msgctl(id, IPC_SET, &about));
}

// Waits with room for five bytes, before a message of ten is sent.
void WaitForTenBytes(int flags) {
  FreshIpc();
  const int id = NewQueue();
  const pid_t child = fork();
  if (child == 0) {
    SleepMs(60);
    Send(id, 1, "0123456789");
    _exit(0);
  }
  Record("got", Receive(id, 0, flags, 5));
  waitpid(child, nullptr, 0);
  Record("about", About(id));
}

}  // namespace

CASE(msgget_by_key) {
  FreshIpc();
  T(msgget(kKey, 0));
  const int id = msgget(kKey, IPC_CREAT | 0600);
  MUST(id);
  T(msgget(kKey, 0) == id);
  T(msgget(kKey, IPC_CREAT | IPC_EXCL | 0600));
  T(msgctl(id, IPC_RMID, nullptr));
  T(msgget(kKey, 0));
}
CASE(msg_in_order) {
  FreshIpc();
  const int id = NewQueue();
  T(Send(id, 3, "three"));
  T(Send(id, 1, "one"));
  T(Send(id, 3, "again"));
  T(Send(id, 2, ""));
  Record("about", About(id));
  Record("any", Receive(id, 0));
  Record("any", Receive(id, 0));
  Record("any", Receive(id, 0));
  Record("any", Receive(id, 0));
  Record("any", Receive(id, 0));
  Record("about", About(id));
}
CASE(msg_by_type) {
  FreshIpc();
  const int id = NewQueue();
  for (const long type : {5, 3, 4, 3, 9, 1}) Send(id, type, std::to_string(type));
  Record("type", Receive(id, 4));
  Record("type", Receive(id, 4));
  Record("except", Receive(id, 5, IPC_NOWAIT | MSG_EXCEPT));
  Record("up_to", Receive(id, -4));
  Record("up_to", Receive(id, -4));
  Record("up_to", Receive(id, -4));
  Record("lowest", Receive(id, std::numeric_limits<long>::min()));
  Record("lowest", Receive(id, -100));
  Record("none", Receive(id, -100));
}
CASE(msg_except_zero_and_negative) {
  FreshIpc();
  const int id = NewQueue();
  Send(id, 2, "two");
  Send(id, 1, "one");
  Record("zero", Receive(id, 0, IPC_NOWAIT | MSG_EXCEPT));
  Record("negative", Receive(id, -1, IPC_NOWAIT | MSG_EXCEPT));
}
CASE(msg_too_big_to_receive) {
  FreshIpc();
  const int id = NewQueue();
  Send(id, 1, "0123456789");
  Record("small", Receive(id, 0, IPC_NOWAIT, 5));
  Record("zero", Receive(id, 0, IPC_NOWAIT, 0));
  Record("cut", Receive(id, 0, IPC_NOWAIT | MSG_NOERROR, 5));
  Record("about", About(id));
}
CASE(msg_copy) {
  FreshIpc();
  const int id = NewQueue();
  Send(id, 7, "first");
  Send(id, 8, "second one");
  Record("0", Receive(id, 0, IPC_NOWAIT | MSG_COPY));
  Record("1", Receive(id, 1, IPC_NOWAIT | MSG_COPY));
  Record("2", Receive(id, 2, IPC_NOWAIT | MSG_COPY));
  Record("-1", Receive(id, -1, IPC_NOWAIT | MSG_COPY));
  Record("waiting", Receive(id, 0, MSG_COPY));
  Record("except", Receive(id, 0, IPC_NOWAIT | MSG_COPY | MSG_EXCEPT));
  Record("small", Receive(id, 1, IPC_NOWAIT | MSG_COPY, 5));
  Record("cut", Receive(id, 1, IPC_NOWAIT | MSG_COPY | MSG_NOERROR, 5));
  Record("about", About(id));
}
CASE(msgsnd_errors) {
  FreshIpc();
  const int id = NewQueue();
  Letter letter{1, "x"};
  T(msgsnd(id, &letter, 8193, 0));
  T(msgsnd(id, &letter, ~size_t{0}, 0));
  T(msgsnd(-1, &letter, 1, 0));
  T(msgsnd(id + 1, &letter, 1, 0));
  T(msgsnd(id, BadPointer(), 1, 0));
  T(msgsnd(-1, BadPointer(), 1, 0));
  letter.type = 0;
  T(msgsnd(id, &letter, 1, 0));
  letter.type = -1;
  T(msgsnd(id, &letter, 1, 0));
  T(msgsnd(id + 1, &letter, 1, 0));
}
CASE(msgsnd_text_not_mapped) {
  FreshIpc();
  const int id = NewQueue();
  char* at = static_cast<char*>(
      mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  munmap(at + 4096, 4096);
  long* type = reinterpret_cast<long*>(at + 4096 - sizeof(long));
  *type = 4;
  T(msgsnd(id, type, 0, 0));
  T(msgsnd(id, type, 1, 0));
  Record("about", About(id));
  Send(id, 9, "lost");
  T(msgrcv(id, type, 100, 9, IPC_NOWAIT));
  Record("about", About(id));
}
CASE(msgrcv_errors) {
  FreshIpc();
  const int id = NewQueue();
  Letter letter;
  T(msgrcv(-1, &letter, 64, 0, IPC_NOWAIT));
  T(msgrcv(id + 1, &letter, 64, 0, IPC_NOWAIT));
  T(msgrcv(id, &letter, ~size_t{0}, 0, IPC_NOWAIT));
  T(msgrcv(id, &letter, 64, 0, IPC_NOWAIT));
  T(msgrcv(id, BadPointer(), 64, 0, IPC_NOWAIT));
  Send(id, 1, "lost");
  T(msgrcv(id, BadPointer(), 64, 0, IPC_NOWAIT));
  Record("about", About(id));
}
CASE(msg_queue_is_full) {
  FreshIpc();
  const int id = NewQueue();
  SetBytes(id, 10);
  T(Send(id, 1, "012345678"));
  T(Send(id, 1, "ab"));
  T(Send(id, 1, "a"));
  T(Send(id, 1, ""));
  Record("about", About(id));
  const int tiny = NewQueue();
  SetBytes(tiny, 2);
  T(Send(tiny, 1, ""));
  T(Send(tiny, 1, ""));
  T(Send(tiny, 1, ""));
}
CASE(msgsnd_waits_for_room) {
  FreshIpc();
  const int id = NewQueue();
  SetBytes(id, 8);
  Send(id, 1, "01234567");
  const pid_t child = fork();
  if (child == 0) {
    SleepMs(60);
    _exit(Receive(id, 0) == "1:01234567" ? 0 : 1);
  }
  T(Send(id, 2, "later", 0));
  waitpid(child, nullptr, 0);
  Record("next", Receive(id, 0));
}
CASE(msgrcv_waits) {
  FreshIpc();
  const int id = NewQueue();
  const pid_t child = fork();
  if (child == 0) {
    SleepMs(60);
    Send(id, 3, "other type");
    Send(id, 4, "the one");
    _exit(0);
  }
  Record("got", Receive(id, 4, 0));
  waitpid(child, nullptr, 0);
  Record("about", About(id));
  msqid_ds about{};
  msgctl(id, IPC_STAT, &about);
  Record("pids",
         std::to_string(about.msg_lspid == child) + std::to_string(about.msg_lrpid == getpid()));
}
CASE(msgrcv_waiter_gets_e2big) { WaitForTenBytes(0); }
CASE(msgrcv_waiter_takes_what_fits) { WaitForTenBytes(MSG_NOERROR); }
CASE(msg_wait_interrupted) {
  FreshIpc();
  const int id = NewQueue();
  OnSignal(SIGUSR1);
  SignalLater(SIGUSR1);
  Record("receive", Receive(id, 0, 0));
  OnSignal(SIGUSR1, SA_RESTART);
  SignalLater(SIGUSR1);
  Record("receive", Receive(id, 0, 0));
  SetBytes(id, 1);
  Send(id, 1, "x");
  SignalLater(SIGUSR1);
  T(Send(id, 1, "y", 0));
}
CASE(msg_wait_survives_stop) {
  FreshIpc();
  const int id = NewQueue();
  const pid_t child = fork();
  if (child == 0) _exit(Receive(id, 0, 0) == "1:hello" ? 0 : 1);
  SleepMs(60);
  kill(child, SIGSTOP);
  int status = 0;
  waitpid(child, &status, WUNTRACED);
  kill(child, SIGCONT);
  SleepMs(30);
  T(Send(id, 1, "hello"));
  waitpid(child, &status, 0);
  Record("ended", StatusText(status));
}
CASE(msg_wait_ends_by_removal) {
  FreshIpc();
  const int id = NewQueue(), full = NewQueue();
  SetBytes(full, 1);
  Send(full, 1, "x");
  std::thread remover([&] {
    SleepMs(60);
    msgctl(id, IPC_RMID, nullptr);
    SleepMs(60);
    msgctl(full, IPC_RMID, nullptr);
  });
  Record("receive", Receive(id, 0, 0));
  T(Send(full, 1, "y", 0));
  remover.join();
  T(Send(full, 1, "y", 0));
}
CASE(msg_bytes_raised_wakes_sender) {
  FreshIpc();
  const int id = NewQueue();
  SetBytes(id, 1);
  Send(id, 1, "x");
  std::thread raiser([id] {
    SleepMs(60);
    SetBytes(id, 100);
  });
  T(Send(id, 1, "yyy", 0));
  raiser.join();
  Record("about", About(id));
}
CASE(msg_set_keeps_receiver_waiting) {
  FreshIpc();
  const int id = NewQueue();
  std::thread changer([id] {
    SleepMs(60);
    SetBytes(id, 100);
    SleepMs(60);
    Send(id, 1, "after");
  });
  Record("receive", Receive(id, 0, 0));
  changer.join();
}
CASE(msgctl_errors) {
  FreshIpc();
  const int id = NewQueue();
  T(msgctl(-1, IPC_STAT, nullptr));
  T(msgctl(id + 1, IPC_STAT, nullptr));
  T(msgctl(id, IPC_STAT, static_cast<msqid_ds*>(BadPointer())));
  T(msgctl(id, IPC_SET, static_cast<msqid_ds*>(BadPointer())));
  T(msgctl(0, MSG_INFO, static_cast<msqid_ds*>(BadPointer())));
  T(msgctl(id, 55, nullptr));
  T(msgctl(id, -5, nullptr));
  T(msgctl(id, IPC_RMID, nullptr));
  T(msgctl(id, IPC_RMID, nullptr));
}
CASE(msg_stat_fields) {
  FreshIpc();
  const int id = msgget(kKey, IPC_CREAT | 0652);
  msqid_ds about{};
  T(msgctl(id, IPC_STAT, &about));
  Record("mode", Octal(about.msg_perm.mode));
  Record("key", about.msg_perm.__key == kKey);
  Record("times", std::to_string(about.msg_stime) + std::to_string(about.msg_rtime) +
                      std::to_string(about.msg_ctime > 0));
  Record("pids", std::to_string(about.msg_lspid) + std::to_string(about.msg_lrpid));
  Send(id, 1, "x");
  Receive(id, 0);
  T(msgctl(id, IPC_STAT, &about));
  Record("times", std::to_string(about.msg_stime > 0) + std::to_string(about.msg_rtime > 0));
}
CASE(msg_permissions) {
  FreshIpc();
  const int id = msgget(kKey, IPC_CREAT | 0602);
  Send(id, 1, "x");
  Record("user", AsUser(1000, [id] {
           msqid_ds about{};
           Say(" send", Send(id, 1, "y"));
           printf(";receive=%s", Receive(id, 0).c_str());
           Say("stat", msgctl(id, IPC_STAT, &about));
           Say("any", msgctl(0, MSG_STAT_ANY, &about) >= 0);
           Say("index", msgctl(0, MSG_STAT, &about));
           Say("rmid", msgctl(id, IPC_RMID, nullptr));
           Say("get", msgget(kKey, 04));
           Say("get", msgget(kKey, 02) == id);
         }));
  Record("about", About(id));
}
CASE(msg_bytes_above_the_limit) {
  FreshIpc();
  const int id = NewQueue();
  msqid_ds about{};
  about.msg_perm.uid = 1000;
  about.msg_perm.mode = 0600;
  about.msg_qbytes = 16384;
  T(msgctl(id, IPC_SET, &about));
  Record("user", AsUser(1000, [id] {
           msqid_ds mine{};
           Say(" stat", msgctl(id, IPC_STAT, &mine));
           mine.msg_qbytes = 16385;
           Say("more", msgctl(id, IPC_SET, &mine));
           mine.msg_qbytes = 100;
           Say("less", msgctl(id, IPC_SET, &mine));
         }));
  Record("about", About(id));
}
CASE(msg_info) {
  FreshIpc();
  const int id = NewQueue();
  NewQueue();
  Send(id, 1, "12345");
  Send(id, 1, "678");
  msginfo info{};
  for (const int command : {IPC_INFO, MSG_INFO}) {
    T(msgctl(0, command, reinterpret_cast<msqid_ds*>(&info)));
    Record("info", std::to_string(info.msgpool) + "," + std::to_string(info.msgmap) + "," +
                       std::to_string(info.msgmax) + "," + std::to_string(info.msgmnb) + "," +
                       std::to_string(info.msgmni) + "," + std::to_string(info.msgssz) + "," +
                       std::to_string(info.msgtql) + "," + std::to_string(info.msgseg));
  }
}
CASE(msg_limits) {
  FreshIpc();
  T(WriteText("/proc/sys/kernel/msgmax", "10"));
  T(WriteText("/proc/sys/kernel/msgmnb", "15"));
  T(WriteText("/proc/sys/kernel/msgmni", "2"));
  const int id = msgget(IPC_PRIVATE, 0600);
  T(id);
  T(msgget(IPC_PRIVATE, 0600));
  T(msgget(IPC_PRIVATE, 0600));
  Letter letter{1, "0123456789abcdef"};
  T(msgsnd(id, &letter, 11, IPC_NOWAIT));
  T(msgsnd(id, &letter, 10, IPC_NOWAIT));
  T(msgsnd(id, &letter, 6, IPC_NOWAIT));
  T(msgsnd(id, &letter, 5, IPC_NOWAIT));
  Record("about", About(id));
}
CASE(msg_settings) {
  FreshIpc();
  for (const char* name : {"msgmax", "msgmnb", "msgmni", "auto_msgmni"}) {
    const std::string path = std::string("/proc/sys/kernel/") + name;
    Record(name, Content(path.c_str()));
    T(WriteText(path.c_str(), "-1"));
    T(WriteText(path.c_str(), "1\n"));
    T(WriteText(path.c_str(), "40000"));
    T(WriteText(path.c_str(), "4294967296"));
    Record(name, Content(path.c_str()));
  }
}
CASE(msg_proc_table) {
  FreshIpc();
  const int id = msgget(kKey, IPC_CREAT | 0640);
  Send(id, 1, "12345");
  Record("head", Row("/proc/sysvipc/msg", 0, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}));
  Record("row", Row("/proc/sysvipc/msg", 1, {0, 2, 3, 4, 6, 7, 8, 9, 10, 12}));
  Record("size", Content("/proc/sysvipc/msg").size());
}
CASE(msg_largest) {
  FreshIpc();
  const int id = NewQueue();
  struct {
    long type;
    char text[8192];
  } letter{1, {}};
  memset(letter.text, 'q', sizeof letter.text);
  T(msgsnd(id, &letter, 8192, IPC_NOWAIT));
  T(msgsnd(id, &letter, 8192, IPC_NOWAIT));
  T(msgsnd(id, &letter, 1, IPC_NOWAIT));
  memset(letter.text, 0, sizeof letter.text);
  T(msgrcv(id, &letter, 8192, 0, 0));
  Record("last", std::string(1, letter.text[8191]));
}
CASE(msg_many_producers_and_consumers) {
  FreshIpc();
  const int id = NewQueue();
  SetBytes(id, 64);
  for (int i = 0; i < 3; i++) {
    if (fork() != 0) continue;
    for (int j = 0; j < 100; j++) Send(id, 1 + i, std::to_string(j), 0);
    _exit(0);
  }
  int sum = 0;
  for (int i = 0; i < 300; i++) sum += atoi(Receive(id, 0, 0).c_str() + 2);
  while (wait(nullptr) > 0) {
  }
  Record("sum", sum);
  Record("about", About(id));
  AwaitMessages(id, 0);
}
