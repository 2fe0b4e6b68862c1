// What tasks have of System V IPC: adjustments of semaphores (SEM_UNDO of
// semop(2)) and attached shared memory (shmat(2)).
#include <set>

#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/namespaces/ipc_namespace.h"

namespace runsc::boot {

std::shared_ptr<sysv::SemaphoreUndo> Task::semaphore_undo() {
  absl::MutexLock lock(&state_mutex_);
  if (semaphore_undo_ == nullptr) semaphore_undo_ = std::make_shared<sysv::SemaphoreUndo>();
  return semaphore_undo_;
}

void Task::LeaveSemaphores() {
  std::shared_ptr<sysv::SemaphoreUndo> undo;
  {
    absl::MutexLock lock(&state_mutex_);
    undo.swap(semaphore_undo_);
  }
  if (undo != nullptr) undo->Leave(tgid());
}

void Task::LeaveIpc() {
  LeaveSemaphores();
  const NamespaceSetRef set = namespaces();
  if (set == nullptr) return;
  sysv::SharedMemory& memory = set->ipc->shared_memory();
  if (!memory.empty() && memory.CreatorEnds(this)) kernel_.SweepSharedMemory(memory);
}

void Task::LoseMemory(std::shared_ptr<MemoryManager> memory) {
  if (memory == nullptr || !memory->has_attachments()) return;
  const std::vector<std::shared_ptr<Attachable>> attached = memory->attachments();
  if (memory.use_count() == 1) {
    for (const std::shared_ptr<Attachable>& segment : attached) segment->OnEnd(tgid());
  }
  memory.reset();
  for (const std::shared_ptr<Attachable>& segment : attached) {
    segment->AfterEnd([this] { return kernel_.CountAttachments(); });
  }
}

Result<std::vector<MappedRange>> Kernel::MappingsOf(const ThreadGroup& group) const {
  const std::shared_ptr<platform::HostProcess> process = group.host_process();
  if (process == nullptr || !mapping_reader_) return Error(ESRCH);
  return mapping_reader_(process->host_pid());
}

AttachmentCounts Kernel::CountAttachments() {
  AttachmentCounts counts;
  // An address space counts once, whoever shares it.
  std::set<const MemoryManager*> seen;
  for (const ThreadGroupRef& group : Groups()) {
    std::shared_ptr<MemoryManager> memory;
    for (const TaskRef& task : group->tasks()) {
      if ((memory = task->memory_ref()) != nullptr) break;
    }
    if (memory == nullptr || !memory->has_attachments() || !seen.insert(memory.get()).second) {
      continue;
    }
    // The host's process of a child is not known before it has run; what it has
    // is what its parent has.
    ThreadGroupRef shown = group;
    if (group->host_process() == nullptr) {
      absl::MutexLock lock(&tree_mutex_);
      if (group->parent_ != nullptr) shown = group->parent_->shared_from_this();
    }
    // A process that has just ended has none.
    Result<std::vector<MappedRange>> mappings = MappingsOf(*shown);
    if (!mappings.ok()) continue;
    for (const MappedRange& range : *mappings) {
      if (memory->HasAttached(range.file)) ++counts[range.file];
    }
  }
  return counts;
}

void Kernel::SweepSharedMemory(sysv::SharedMemory& memory) {
  memory.Sweep([this] { return CountAttachments(); });
}

}  // namespace runsc::boot
