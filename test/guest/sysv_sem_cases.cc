// semget(2), semop(2), semctl(2) without waiting.
#include "test/guest/ipc.h"

using namespace guest;

namespace {

std::string Mode(int id) {
  semid_ds about{};
  if (semctl(id, 0, IPC_STAT, &about) < 0) return strerrorname_np(errno);
  return Octal(about.sem_perm.mode) + "," + std::to_string(about.sem_perm.uid) + "," +
         std::to_string(about.sem_perm.cuid) + "," + std::to_string(about.sem_nsems);
}

}  // namespace

CASE(semget_counts) {
  FreshIpc();
  T(semget(IPC_PRIVATE, 0, 0600));
  T(semget(IPC_PRIVATE, -1, 0600));
  T(semget(IPC_PRIVATE, 32001, 0600));
  T(semget(IPC_PRIVATE, 32000, 0600) >= 0);
  T(semget(kKey, 1, 0));
}
CASE(semget_by_key) {
  FreshIpc();
  const int id = semget(kKey, 2, IPC_CREAT | 0600);
  MUST(id);
  T(semget(kKey, 0, 0) == id);
  T(semget(kKey, 2, 0) == id);
  T(semget(kKey, 3, 0));
  T(semget(kKey, 3, IPC_CREAT | 0600));
  T(semget(kKey, 2, IPC_CREAT | IPC_EXCL | 0600));
  T(semget(kKey, 3, IPC_CREAT | IPC_EXCL | 0600));
  T(semctl(id, 0, IPC_RMID));
  T(semget(kKey, 2, 0));
}
CASE(sem_first_ids) {
  FreshIpc();
  T(semget(IPC_PRIVATE, 1, 0600));
  T(semget(IPC_PRIVATE, 1, 0600));
  T(semctl(0, 0, IPC_RMID));
  T(semget(IPC_PRIVATE, 1, 0600));
  T(semctl(0, 0, GETVAL));
}
CASE(sem_index_starts_over) {
  FreshIpc();
  int id = 0;
  for (int i = 0; i < 64; i++) {
    id = semget(IPC_PRIVATE, 1, 0600);
    semctl(id, 0, IPC_RMID);
  }
  Record("last", id);
  T(semget(IPC_PRIVATE, 1, 0600));
  T(semget(IPC_PRIVATE, 1, 0600));
}
CASE(sem_stat_fields) {
  FreshIpc();
  umask(077);
  const int id = semget(kKey, 3, IPC_CREAT | 0654);
  Record("about", Mode(id));
  semid_ds about{};
  T(semctl(id, 0, IPC_STAT, &about));
  Record("key", about.sem_perm.__key == kKey);
  Record("otime", about.sem_otime);
  Record("ctime", about.sem_ctime > 0);
  T(Op(id, 0, 1));
  T(semctl(id, 0, IPC_STAT, &about));
  Record("otime", about.sem_otime > 0);
}
CASE(sem_values) {
  FreshIpc();
  const int id = NewSet(3);
  T(SetValue(id, 1, 7));
  T(SetValue(id, 3, 7));
  T(SetValue(id, -1, 7));
  T(SetValue(id, 0, -1));
  T(SetValue(id, 0, 32768));
  T(SetValue(id, 0, 32767));
  T(SetValue(id, 9, 32768));
  unsigned short all[3] = {9, 9, 9};
  T(semctl(id, 0, GETALL, all));
  Record("all",
         std::to_string(all[0]) + "," + std::to_string(all[1]) + "," + std::to_string(all[2]));
  T(semctl(id, 0, GETALL, BadPointer()));
  T(Value(id, 1));
  T(Value(id, 3));
  T(semctl(id, 1, GETPID) == getpid());
  T(semctl(id, 2, GETPID));
  T(semctl(id, 1, GETNCNT));
  T(semctl(id, 1, GETZCNT));
}
CASE(sem_setall) {
  FreshIpc();
  const int id = NewSet(3);
  unsigned short all[3] = {1, 2, 3};
  T(semctl(id, 0, SETALL, all));
  Record("values", std::to_string(Value(id, 0)) + std::to_string(Value(id, 1)) +
                       std::to_string(Value(id, 2)));
  T(semctl(id, 2, GETPID) == getpid());
  all[1] = 40000;
  T(semctl(id, 0, SETALL, all));
  T(semctl(id, 0, SETALL, BadPointer()));
  T(Value(id, 1));
}
CASE(semctl_errors) {
  FreshIpc();
  const int id = NewSet(1);
  T(semctl(-1, 0, GETVAL));
  T(semctl(id + 1, 0, GETVAL));
  T(semctl(id + 32768, 0, GETVAL));
  T(semctl(id, 0, 99));
  T(semctl(id, 0, -1));
  T(semctl(id, 0, IPC_STAT, BadPointer()));
  T(semctl(id, 0, IPC_SET, BadPointer()));
  T(semctl(-1, 0, IPC_INFO, BadPointer()));
  T(semctl(0, 0, IPC_INFO, BadPointer()));
  T(semctl(id, 0, IPC_RMID));
  T(semctl(id, 0, IPC_RMID));
}
CASE(semop_errors) {
  FreshIpc();
  const int id = NewSet(2);
  sembuf one = {0, 1, 0};
  T(semop(id, &one, 0));
  T(semop(-1, &one, 1));
  T(semop(id + 1, &one, 1));
  T(semop(id, static_cast<sembuf*>(BadPointer()), 1));
  T(semop(id, &one, 501));
  T(semop(-1, &one, 501));
  T(semop(id, static_cast<sembuf*>(BadPointer()), 501));
  T(Op(id, 2, 1));
  T(Op(id, 0, 32767));
  T(Op(id, 0, 1));
  T(Op(id, 1, -1, IPC_NOWAIT));
  T(Op(id, 0, 0, IPC_NOWAIT));
  T(Value(id));
}
CASE(semop_is_all_or_nothing) {
  FreshIpc();
  const int id = NewSet(2);
  sembuf mixed[3] = {{0, 5, 0}, {1, -1, IPC_NOWAIT}, {0, 1, 0}};
  T(semop(id, mixed, 3));
  T(Value(id, 0));
  T(semctl(id, 0, GETPID));
  mixed[1].sem_op = 1;
  T(semop(id, mixed, 3));
  T(Value(id, 0));
  T(Value(id, 1));
  sembuf range[2] = {{1, 3, 0}, {0, 32767, 0}};
  T(semop(id, range, 2));
  T(Value(id, 1));
  sembuf twice[3] = {{0, -6, IPC_NOWAIT}, {0, 0, IPC_NOWAIT}, {0, 2, 0}};
  T(semop(id, twice, 3));
  T(Value(id, 0));
}
CASE(semop_zero_sets_pid) {
  FreshIpc();
  const int id = NewSet(2);
  T(Op(id, 1, 0, IPC_NOWAIT));
  T(semctl(id, 1, GETPID) == getpid());
  T(semctl(id, 0, GETPID));
}
CASE(semop_many) {
  FreshIpc();
  const int id = NewSet(500);
  std::vector<sembuf> all;
  for (int i = 0; i < 500; i++) all.push_back({static_cast<unsigned short>(i), 2, 0});
  T(semop(id, all.data(), 500));
  T(Value(id, 499));
}
CASE(sem_undo_at_exit) {
  FreshIpc();
  const int id = NewSet(2);
  T(SetValue(id, 0, 3));
  Record("child", InChild([id] {
           Op(id, 0, -2, SEM_UNDO);
           Op(id, 1, 4, SEM_UNDO);
           return Value(id, 0) * 10 + Value(id, 1);
         }));
  T(Value(id, 0));
  T(Value(id, 1));
}
CASE(sem_undo_is_clamped) {
  FreshIpc();
  const int id = NewSet(1);
  Record("child", InChild([id] {
           Op(id, 0, 5, SEM_UNDO);
           Op(id, 0, -3);
           return Value(id);
         }));
  T(Value(id));
}
CASE(sem_undo_cleared_by_setval) {
  FreshIpc();
  const int id = NewSet(2);
  Record("child", InChild([id] {
           Op(id, 0, 5, SEM_UNDO);
           Op(id, 1, 5, SEM_UNDO);
           SetValue(id, 0, 9);
           return 0;
         }));
  T(Value(id, 0));
  T(Value(id, 1));
}
CASE(sem_undo_range) {
  FreshIpc();
  const int id = NewSet(1);
  Record("child", InChild([id] {
           if (Op(id, 0, 32767, SEM_UNDO) != 0) return 1;
           if (Op(id, 0, -32767) != 0) return 2;
           if (Op(id, 0, 1, SEM_UNDO) != 0) return 3;
           if (Op(id, 0, 1, SEM_UNDO) == 0) return 4;
           return errno == ERANGE ? 0 : 5;
         }));
  T(Value(id));
}
CASE(sem_undo_not_inherited) {
  FreshIpc();
  const int id = NewSet(1);
  T(Op(id, 0, 5, SEM_UNDO));
  Record("child", InChild([id] { return Value(id); }));
  T(Value(id));
}
CASE(sem_undo_survives_exec) {
  FreshIpc();
  const int id = NewSet(1);
  const pid_t child = fork();
  if (child == 0) {
    Op(id, 0, 5, SEM_UNDO);
    execl("/bin/sleep", "sleep", "0.3", nullptr);
    _exit(1);
  }
  SleepMs(150);
  T(Value(id));
  waitpid(child, nullptr, 0);
  T(Value(id));
}
CASE(sem_undo_of_threads_is_shared) {
  FreshIpc();
  const int id = NewSet(1);
  Record("child", InChild([id] {
           std::thread([id] { Op(id, 0, 5, SEM_UNDO); }).join();
           SleepMs(50);
           return Value(id);
         }));
  T(Value(id));
}
CASE(sem_undo_and_unshare) {
  FreshIpc();
  const int id = NewSet(1);
  T(Op(id, 0, 5, SEM_UNDO));
  T(unshare(CLONE_SYSVSEM));
  T(Value(id));
}
CASE(sem_undo_of_killed) {
  FreshIpc();
  const int id = NewSet(1);
  const pid_t child = fork();
  if (child == 0) {
    Op(id, 0, 5, SEM_UNDO);
    pause();
  }
  while (Value(id) == 0) SleepMs(5);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  T(Value(id));
  T(semctl(id, 0, GETPID) == child);
}
CASE(sem_ipc_set) {
  FreshIpc();
  const int id = NewSet(1);
  semid_ds about{};
  about.sem_perm.uid = 1000;
  about.sem_perm.gid = 1001;
  about.sem_perm.mode = 07640;
  T(semctl(id, 0, IPC_SET, &about));
  Record("about", Mode(id));
  about.sem_perm.uid = static_cast<uid_t>(-1);
  T(semctl(id, 0, IPC_SET, &about));
}
CASE(sem_permissions) {
  FreshIpc();
  const int id = NewSet(1);
  const int open_id = semget(kKey, 1, IPC_CREAT | 0604);
  Record("user", AsUser(1000, [&] {
           Say(" value", Value(id));
           Say("open", Value(open_id));
           Say("set", SetValue(open_id, 0, 1));
           Say("op", Op(open_id, 0, 1));
           Say("zero", Op(open_id, 0, 0, IPC_NOWAIT));
           Say("get", semget(kKey, 1, 0) == open_id);
           Say("get4", semget(kKey, 1, 04) == open_id);
           Say("get2", semget(kKey, 1, 02));
           Say("get600", semget(kKey, 1, 0600));
           Say("rmid", semctl(open_id, 0, IPC_RMID));
           semid_ds about{};
           Say("set", semctl(open_id, 0, IPC_SET, &about));
           Say("index", semctl(0, 0, SEM_STAT, &about));
           Say("any", semctl(0, 0, SEM_STAT_ANY, &about) >= 0);
         }));
}
CASE(sem_owner_who_is_not_creator) {
  FreshIpc();
  const int id = NewSet(1);
  semid_ds about{};
  about.sem_perm.uid = 1000;
  about.sem_perm.mode = 0600;
  T(semctl(id, 0, IPC_SET, &about));
  Record("user", AsUser(1000, [&] {
           Say(" value", Value(id));
           Say("rmid", semctl(id, 0, IPC_RMID));
         }));
  T(Value(id));
}
CASE(sem_group_permissions) {
  FreshIpc();
  const int id = semget(IPC_PRIVATE, 1, 0640);
  semid_ds about{};
  about.sem_perm.gid = 1000;
  about.sem_perm.mode = 0640;
  T(semctl(id, 0, IPC_SET, &about));
  Record("user", AsUser(1000, [&] {
           Say(" value", Value(id));
           Say("op", Op(id, 0, 1));
         }));
  Record("other", AsUser(1001, [&] { Say(" value", Value(id)); }));
}
CASE(sem_info) {
  FreshIpc();
  NewSet(3);
  NewSet(4);
  seminfo info{};
  for (const int command : {IPC_INFO, SEM_INFO}) {
    T(semctl(0, 0, command, &info));
    Record("info", std::to_string(info.semmap) + "," + std::to_string(info.semmni) + "," +
                       std::to_string(info.semmns) + "," + std::to_string(info.semmnu) + "," +
                       std::to_string(info.semmsl) + "," + std::to_string(info.semopm) + "," +
                       std::to_string(info.semume) + "," + std::to_string(info.semusz) + "," +
                       std::to_string(info.semvmx) + "," + std::to_string(info.semaem));
  }
  semid_ds about{};
  T(semctl(1, 0, SEM_STAT, &about));
  T(semctl(2, 0, SEM_STAT, &about));
  T(semctl(32769, 0, SEM_STAT, &about));
}
CASE(sem_limits) {
  FreshIpc();
  T(WriteText("/proc/sys/kernel/sem", "10 20 5 3"));
  Record("sem", Content("/proc/sys/kernel/sem"));
  T(semget(IPC_PRIVATE, 11, 0600));
  T(semget(IPC_PRIVATE, 10, 0600));
  T(semget(IPC_PRIVATE, 10, 0600));
  T(semget(IPC_PRIVATE, 1, 0600));
  T(semctl(0, 0, IPC_RMID));
  T(semget(IPC_PRIVATE, 1, 0600) >= 0);
  T(semget(IPC_PRIVATE, 1, 0600) >= 0);
  T(semget(IPC_PRIVATE, 1, 0600));
  sembuf six[6] = {};
  T(semop(1, six, 6));
  T(semop(1, six, 5));
}
CASE(sem_limits_out_of_reason) {
  FreshIpc();
  T(WriteText("/proc/sys/kernel/sem", "32000 -2147483648 -1 100"));
  T(semget(IPC_PRIVATE, 1, 0600));
  T(WriteText("/proc/sys/kernel/sem", "-5 100 2147483647 100"));
  T(semget(IPC_PRIVATE, 1, 0600));
  T(WriteText("/proc/sys/kernel/sem", "100 100 2147483647 100"));
  const int id = NewSet(1);
  T(semop(id, static_cast<sembuf*>(BadPointer()), 100));
}
CASE(sem_setting_errors) {
  FreshIpc();
  T(WriteText("/proc/sys/kernel/sem", "100"));
  Record("sem", Content("/proc/sys/kernel/sem"));
  T(WriteText("/proc/sys/kernel/sem", "100 200 30 40000"));
  T(WriteText("/proc/sys/kernel/sem", "100 200 30 -1"));
  T(WriteText("/proc/sys/kernel/sem", "x"));
  T(WriteText("/proc/sys/kernel/sem", "1 2x"));
  T(WriteText("/proc/sys/kernel/sem", "0x10 020 \n"));
  Record("sem", Content("/proc/sys/kernel/sem"));
}
CASE(sem_proc_table) {
  FreshIpc();
  const int id = semget(kKey, 3, IPC_CREAT | 0640);
  MUST(id);
  Record("head", Row("/proc/sysvipc/sem", 0, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  Record("row", Row("/proc/sysvipc/sem", 1, {0, 2, 3, 4, 5, 6, 7, 8}));
  Record("next", Row("/proc/sysvipc/sem", 2, {0}));
  Record("size", Content("/proc/sysvipc/sem").size());
}
CASE(semtimedop_arguments) {
  FreshIpc();
  const int id = NewSet(1);
  sembuf down = {0, -1, 0};
  timespec none = {0, 0}, bad = {0, 1'000'000'000}, negative = {-1, 0};
  T(semtimedop(id, &down, 1, &none));
  T(semtimedop(id, &down, 1, &bad));
  T(semtimedop(id, &down, 1, &negative));
  T(semtimedop(id, &down, 1, static_cast<timespec*>(BadPointer())));
  T(semtimedop(id, &down, 501, &bad));
  T(semtimedop(id, &down, 0, &bad));
  T(semtimedop(id, static_cast<sembuf*>(BadPointer()), 1, &bad));
  T(semtimedop(9, &down, 1, &bad));
  down.sem_op = 1;
  T(semtimedop(id, &down, 1, &bad));
  T(semtimedop(id, &down, 1, &none));
  T(Value(id));
}
