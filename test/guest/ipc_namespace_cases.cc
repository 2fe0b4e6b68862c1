// What ipc namespaces keep apart, and who may do what in them.
#include "test/guest/ipc.h"
#include "test/guest/user_namespaces.h"

using namespace guest;

CASE(ipc_namespaces_have_their_own_objects) {
  FreshIpc();
  const int shm = shmget(kKey, 4096, IPC_CREAT | 0600);
  const int sem = semget(kKey, 1, IPC_CREAT | 0600);
  const int msg = msgget(kKey, IPC_CREAT | 0600);
  const mqd_t queue = OpenQueue("/q");
  const int old = OpenNs("/proc/self/ns/ipc");
  MUST(shm + sem + msg);
  T(unshare(CLONE_NEWIPC));
  T(shmget(kKey, 0, 0));
  T(semget(kKey, 0, 0));
  T(msgget(kKey, 0));
  T(mq_open("/q", O_RDWR));
  T(Post(queue, "still open"));
  T(setns(old, CLONE_NEWIPC));
  T(shmget(kKey, 0, 0) == shm);
  T(semget(kKey, 0, 0) == sem);
  T(msgget(kKey, 0) == msg);
  Record("queue", Take(mq_open("/q", O_RDWR)));
}
CASE(ipc_namespaces_have_their_own_settings) {
  FreshIpc();
  T(WriteText("/proc/sys/kernel/msgmax", "77"));
  T(WriteText("/proc/sys/fs/mqueue/msg_max", "77"));
  Record("here", Content("/proc/sys/kernel/msgmax") + Content("/proc/sys/fs/mqueue/msg_max"));
  Record("child", InChild([] {
           FreshIpc();
           return Content("/proc/sys/kernel/msgmax") == "8192\n" &&
                  Content("/proc/sys/fs/mqueue/msg_max") == "10\n";
         }));
}
CASE(shm_stays_attached_over_unshare) {
  FreshIpc();
  const int id = NewSegment();
  const int old = OpenNs("/proc/self/ns/ipc");
  char* at = Attach(id);
  strcpy(at, "kept");
  T(unshare(CLONE_NEWIPC));
  Record("text", at);
  shmid_ds about{};
  T(shmctl(id, IPC_STAT, &about));
  T(setns(old, CLONE_NEWIPC));
  T(Segment(id).shm_nattch);
  T(unshare(CLONE_NEWIPC));
  T(shmdt(at));
  T(setns(old, CLONE_NEWIPC));
  T(Segment(id).shm_nattch);
}
CASE(shm_outlives_its_namespace) {
  FreshIpc();
  char* at = Attach(NewSegment());
  strcpy(at, "kept");
  FreshIpc();
  Record("text", at);
  T(shmdt(at));
}
CASE(sem_undo_over_unshare_of_the_namespace) {
  FreshIpc();
  const int id = NewSet(1);
  const int old = OpenNs("/proc/self/ns/ipc");
  T(Op(id, 0, 3, SEM_UNDO));
  T(unshare(CLONE_NEWIPC));
  T(setns(old, CLONE_NEWIPC));
  T(Value(id));
}
CASE(ipc_root_of_a_user_namespace) {
  FreshIpc();
  const int outer = msgget(kKey, IPC_CREAT | 0600);
  MUST(outer);
  EnterMapped();
  T(msgctl(outer, IPC_RMID, nullptr));
  MUST(unshare(CLONE_NEWIPC));
  const int id = semget(kKey, 1, IPC_CREAT | 0600);
  T(id);
  semid_ds about{};
  about.sem_perm.mode = 0600;
  T(semctl(id, 0, IPC_SET, &about));
  about.sem_perm.uid = 5;
  T(semctl(id, 0, IPC_SET, &about));
}
CASE(ipc_user_in_a_namespace_of_its_own) {
  FreshIpc();
  const int id = semget(kKey, 1, IPC_CREAT | 0600);
  MUST(id);
  BecomeUser(1000, 1000);
  T(Value(id));
  EnterMapped();
  T(Value(id));
  T(semctl(id, 0, IPC_RMID));
  MUST(unshare(CLONE_NEWIPC));
  T(semget(kKey, 1, IPC_CREAT | 0600));
  msqid_ds about{};
  const int queue = NewQueue(0);
  T(Send(queue, 1, "x"));
  T(msgctl(queue, IPC_STAT, &about));
  about.msg_qbytes = 20000;
  T(msgctl(queue, IPC_SET, &about));
}
CASE(ipc_settings_are_for_root) {
  FreshIpc();
  Record("user", AsUser(1000, [] {
           printf("read=%s", Content("/proc/sys/kernel/msgmax").c_str());
           Say("write", WriteText("/proc/sys/kernel/msgmax", "77"));
           Say("write", WriteText("/proc/sys/fs/mqueue/msg_max", "77"));
         }));
}
CASE(ipc_ids_in_a_pid_namespace) {
  FreshIpc();
  const int id = NewSegment();
  const int set = NewSet(1);
  T(SetValue(set, 0, 1));
  Record("child", InChild([&] {
           if (unshare(CLONE_NEWPID) < 0) return 50;
           const pid_t child = fork();
           if (child == 0) {
             const shmid_ds about = Segment(id);
             const int pid = semctl(set, 0, GETPID);
             SetValue(set, 0, 2);
             _exit(about.shm_cpid * 100 + pid * 10 + semctl(set, 0, GETPID));
           }
           int status = 0;
           waitpid(child, &status, 0);
           return WEXITSTATUS(status);
         }));
}
CASE(clone_newipc_with_sysvsem) {
  T(syscall(SYS_clone, CLONE_NEWIPC | CLONE_SYSVSEM | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}
CASE(clone_sysvsem_shares_undo) {
  FreshIpc();
  const int id = NewSet(1);
  Record("child", InChild([id] {
           const long child =
               syscall(SYS_clone, CLONE_SYSVSEM | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
           if (child == 0) {
             Op(id, 0, 5, SEM_UNDO);
             _exit(0);
           }
           waitpid(static_cast<pid_t>(child), nullptr, 0);
           return Value(id);
         }));
  T(Value(id));
}
