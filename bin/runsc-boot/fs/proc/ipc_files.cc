// /proc/sysvipc: the objects of System V IPC in the reader's ipc namespace
// (proc_sysvipc(5)). Columns as Linux pads them.
#include "absl/strings/str_format.h"
#include "bin/runsc-boot/fs/proc/root_directory.h"
#include "bin/runsc-boot/namespaces/ipc_namespace.h"

namespace runsc::boot::proc {
namespace {

std::string MessageQueueText(const Credentials& reader, const PidNamespace* pids,
                             const sysv::MessageQueues& queues) {
  std::string text =
      "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid"
      "      stime      rtime      ctime\n";
  for (const sysv::MessageQueues::Row& row : queues.Rows()) {
    const sysv::Permissions& p = row.permissions;
    absl::StrAppendFormat(
        &text, "%10d %10d  %4o  %10u %10u %5u %5u %5u %5u %5u %5u %10d %10d %10d\n", p.key, p.id,
        p.mode, row.bytes, row.count, FromKernelPid(pids, row.sender),
        FromKernelPid(pids, row.receiver), reader.ShownUid(p.uid), reader.ShownGid(p.gid),
        reader.ShownUid(p.creator_uid), reader.ShownGid(p.creator_gid), row.sent, row.received,
        row.changed);
  }
  return text;
}

std::string SharedMemoryText(const Credentials& reader, const PidNamespace* pids,
                             const std::vector<sysv::SharedMemory::Row>& rows) {
  std::string text =
      "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid"
      "  cgid      atime      dtime      ctime                   rss                  swap\n";
  for (const sysv::SharedMemory::Row& row : rows) {
    const sysv::Permissions& p = row.permissions;
    absl::StrAppendFormat(
        &text, "%10d %10d  %4o %21u %5u %5u  %5u %5u %5u %5u %5u %10d %10d %10d %21u %21u\n", p.key,
        p.id, p.mode, row.size, FromKernelPid(pids, row.creator), FromKernelPid(pids, row.last),
        row.attached, reader.ShownUid(p.uid), reader.ShownGid(p.gid),
        reader.ShownUid(p.creator_uid), reader.ShownGid(p.creator_gid), row.attach_time,
        row.detach_time, row.change_time, row.resident, 0);
  }
  return text;
}

}  // namespace

void AddIpcFiles(ProcFilesystem& filesystem, pseudo::Tree& tree) {
  Kernel& kernel = filesystem.kernel();
  const PidNamespace* pids = filesystem.pid_namespace();
  tree.File("sysvipc/msg", 0444, [&kernel, pids](Context& context) {
    return MessageQueueText(*context.credentials(), pids,
                            kernel.NamespacesOf(context)->ipc->message_queues());
  });
  tree.File("sysvipc/sem", 0444, [&kernel](Context& context) {
    return kernel.NamespacesOf(context)->ipc->semaphores().Text(*context.credentials());
  });
  tree.File("sysvipc/shm", 0444, [&kernel, pids](Context& context) {
    sysv::SharedMemory& memory = kernel.NamespacesOf(context)->ipc->shared_memory();
    kernel.SweepSharedMemory(memory);
    std::vector<sysv::SharedMemory::Row> rows;
    if (!memory.empty()) rows = memory.Rows(kernel.CountAttachments());
    return SharedMemoryText(*context.credentials(), pids, rows);
  });
}

}  // namespace runsc::boot::proc
