// execve(2): what happens before, while and after the host replaces the
// address space.
#include <sys/mount.h>
#include <sys/personality.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/kernel/pending_exec.h"
#include "bin/runsc-boot/kernel/process_timers.h"
#include "bin/runsc-boot/kernel/ptrace.h"
#include "bin/runsc-boot/kernel/seccomp.h"
#include "bin/runsc-boot/loader/load.h"
#include "bin/runsc-boot/loader/stack.h"
#include "bin/runsc-boot/vfs/dentry.h"
#include "common/log.h"

namespace runsc::boot {

namespace {

constexpr uint64_t kInitialEflags = 0x202;
// PER_CLEAR_ON_SETID of Linux, which the C library's header lacks.
constexpr unsigned kClearedBySetId =
    READ_IMPLIES_EXEC | ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT | MMAP_PAGE_ZERO;

ExecutableFacts FactsOf(const Program& program, const Credentials& caller) {
  ExecutableFacts facts;
  facts.mode = program.attributes.mode;
  facts.uid = program.attributes.uid;
  facts.gid = program.attributes.gid;
  const MountRef& mount = program.path.mount;
  if (mount != nullptr) {
    const UserNamespaceRef& owner = mount->filesystem_owner();
    // What another user namespace's root has mounted grants nothing here.
    facts.nosuid = (mount->flags() & MS_NOSUID) != 0 ||
                   (owner != nullptr && !owner->IsAncestorOf(*caller.user_namespace));
  }
  // Only files that may gain something are asked for their capabilities.
  if (InodeRef inode = program.executable.file->inode(); inode != nullptr && !facts.nosuid) {
    Result<std::string> attribute = inode->GetXattr("security.capability");
    if (attribute.ok()) facts.capabilities = ParseFileCapabilities(*attribute);
  }
  return facts;
}

// Whose CAP_SYS_PTRACE counts for the program's memory. As Linux: one that may
// not be read belongs to a user namespace that rules over its file.
UserNamespaceRef NamespaceOfMemory(const Program& program, const Credentials& credentials) {
  UserNamespaceRef space = credentials.user_namespace;
  if (!program.unreadable) return space;
  while (space != nullptr && !space->is_initial() &&
         (space->FromKernelUid(program.attributes.uid) == kNoId ||
          space->FromKernelGid(program.attributes.gid) == kNoId)) {
    space = space->parent();
  }
  return space;
}

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

Result<std::shared_ptr<Task::PendingExec>> Task::PrepareExec(ExecRequest request) {
  auto exec = std::make_shared<PendingExec>();
  exec->name = BaseName(request.filename);
  ProgramRequest program;
  program.walk = std::move(request.walk);
  program.name = std::move(request.path);
  program.filename = std::move(request.filename);
  program.args = std::move(request.args);
  program.env = std::move(request.env);
  program.stack_limit = group_->limit(RLIMIT_STACK).rlim_cur;
  TRY_ASSIGN(exec->program, PrepareProgram(vfs(), caller(), std::move(program)));
  const CredentialsRef old = credentials();
  ExecutableFacts facts = FactsOf(exec->program, *old);
  // As Linux: who is traced gains nothing that its tracer could not have.
  if (IsTraced() && !Tracee::MayGain(*this)) facts.nosuid = true;
  TRY_ASSIGN(exec->credentials, CredentialsAfterExec(*old, facts));
  return exec;
}

Result<uint64_t> Task::Exec(ExecRequest request) {
  TRY_ASSIGN(std::shared_ptr<PendingExec> exec, PrepareExec(std::move(request)));
  TRY(KillSiblings());
  pending_exec_ = std::move(exec);
  absl::MutexLock lock(&state_mutex_);
  if (killed()) return Error(kRestartNoIntr);
  where_ = Where::kHostOperation;
  thread_->StartExec();
  // The end may already be under way on another worker.
  return EndHandled();
}

Status Task::KillSiblings() {
  std::vector<TaskRef> siblings;
  {
    absl::MutexLock lock(&group_->signal_mutex_);
    if (group_->exiting_ || group_->executing_ != nullptr) return Error(kRestartNoIntr);
    group_->executing_ = this;
    for (const TaskRef& task : group_->tasks_) {
      if (task.get() != this) siblings.push_back(task);
    }
  }
  const bool reported = std::any_of(siblings.begin(), siblings.end(),
                                    [](const TaskRef& task) { return Tracee::ReportsEnd(*task); });
  for (const TaskRef& task : siblings) task->Kill(reported ? Death::kComesIn : Death::kNow);
  while (true) {
    bool alone = false;
    {
      absl::MutexLock lock(&group_->signal_mutex_);
      alone = group_->tasks_.size() == 1;
    }
    // As Linux: they are gone when their tracers have waited for them.
    if (alone && !Tracee::HasUnreapedThread(kernel_, *group_)) return Ok();
    if (!SleepUninterruptibly()) return Error(kRestartNoIntr);
  }
}

void Task::OnExec(platform::Thread& thread, Status status) {
  const TaskRef self = shared_from_this();
  if (!BeginEvent()) return;
  // The first event of a process that was started from outside.
  if (tid() == 0 && !kernel_.Register(self, thread.tid())) {
    FinishKilled();
    return EndHostThread(thread);
  }
  if (held_init_ != nullptr && pending_exec_ == nullptr && !AwaitProgram()) return FinishKilled();
  const std::shared_ptr<PendingExec> exec = std::move(pending_exec_);
  pending_exec_.reset();
  if (status.ok()) status = FinishExec(thread, *exec);
  {
    absl::MutexLock lock(&group_->signal_mutex_);
    group_->executing_ = nullptr;
  }
  if (!status.ok()) {
    LOG_WARNING("exec of ", exec->program.filename,
                " failed beyond return: ", status.error().ToString());
    // As Linux, there is no program left to tell.
    ExitGroup(SIGKILL);
    return;
  }
  if (IsTraced()) return Tracee::AfterExec(*this, thread);
  LeaveStub(thread);
}

Status Task::FinishExec(platform::Thread& thread, PendingExec& exec) {
  kernel_.BecomeLeader(*this);
  auto memory = std::make_shared<MemoryManager>(thread.address_space());
  const Credentials& fresh = exec.credentials.credentials;
  if (exec.credentials.secure) set_personality(personality() & ~kClearedBySetId);
  const ProgramIdentity identity{fresh.ruid,
                                 fresh.euid,
                                 fresh.rgid,
                                 fresh.egid,
                                 exec.credentials.secure,
                                 (personality() & ADDR_NO_RANDOMIZE) != 0};
  const rlim_t stack_limit = group_->limit(RLIMIT_STACK).rlim_cur;
  group_->SetStackBytes(*thread.process(), StackBytes(stack_limit));
  TRY_ASSIGN(const StartState start,
             LoadProgram(exec.program, *this, thread, *memory, identity, stack_limit));
  memory->set_image(start.image);
  memory->set_user_namespace(NamespaceOfMemory(exec.program, fresh));
  {
    absl::MutexLock lock(&state_mutex_);
    memory_.swap(memory);
  }
  LoseMemory(std::move(memory));
  Tracee::ReleaseVforkParent(*this);
  // A program that gains nothing keeps its parent death signal.
  const int death_signal = parent_death_signal();
  set_credentials(fresh);
  set_parent_death_signal(death_signal);
  if (auto filter = seccomp_filter(); filter != nullptr)
    TRY(TrapNativeCalls(filter->native_calls(), false));
  set_namespaces(WithNewMemory(namespaces()));
  TRY(FollowClocks(*namespaces()->time));
  set_name(exec.name);
  CloseOnExec();
  group_->timers_->posix().DeleteAll();
  memory_->set_dumpable(exec.credentials.privileged || exec.program.unreadable ? 0 : 1);
  if (exec.credentials.privileged || exec.credentials.secure) set_parent_death_signal(0);
  set_keep_capabilities(false);
  alternate_stack_ = {nullptr, SS_DISABLE, 0};
  restart_ = nullptr;
  {
    absl::MutexLock lock(&group_->signal_mutex_);
    group_->actions_ = group_->actions_->Clone(/*clear=*/true);
    group_->process_ = thread.process();
  }
  {
    absl::MutexLock lock(&kernel_.tree_mutex());
    group_->has_executed_ = true;
    group_->exit_signal_ = SIGCHLD;
  }
  platform::Registers& registers = thread.registers();
  registers = {};
  registers.rip = start.entry;
  registers.rsp = start.stack_pointer;
  registers.eflags = kInitialEflags;
  thread.ResetXstate();
  return Ok();
}

void Task::CloseOnExec() {
  // A table that others use stays theirs.
  if (fds_.use_count() > 1) set_fds(fds_->Clone());
  for (const FileRef& file : fds_->RemoveCloseOnExec()) (void)file->Flush(*this).ok();
}

Result<std::vector<std::string>> Task::CopyInStrings(uint64_t address) {
  constexpr size_t kPointersPerRead = 64;
  const uint64_t limit = MaxArgBytes(group_->limit(RLIMIT_STACK).rlim_cur);
  std::vector<std::string> strings;
  uint64_t total = 0;
  // As Linux, a null array is an empty one.
  if (address == 0) return strings;
  std::array<uint64_t, kPointersPerRead> pointers;
  while (true) {
    // Not across a page: the array may end at the last mapped byte.
    const size_t until_page = (kPageSize - address % kPageSize) / sizeof(uint64_t);
    const size_t count = std::clamp<size_t>(until_page, 1, kPointersPerRead);
    TRY(CopyIn(address, pointers.data(), count * sizeof(uint64_t)));
    for (size_t i = 0; i < count; ++i) {
      if (pointers[i] == 0) return strings;
      Result<std::string> text = memory_->CopyInString(pointers[i], kMaxArgString - 1);
      if (text.code() == ENAMETOOLONG) return Error(E2BIG);
      if (!text.ok()) return std::move(text).error();
      total += text->size() + 1 + sizeof(uint64_t);
      if (total > limit) return Error(E2BIG);
      strings.push_back(*std::move(text));
    }
    address += count * sizeof(uint64_t);
  }
}

}  // namespace runsc::boot
