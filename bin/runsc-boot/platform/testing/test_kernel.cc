#include "bin/runsc-boot/platform/testing/test_kernel.h"

#include <elf.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <utility>

namespace runsc::boot::platform::testing {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kStackTop = 0x7ff000000000;
constexpr uint64_t kStackSize = 1 << 20;
constexpr int kProgramFd = 10;

uint64_t Down(uint64_t value) { return value & ~(kPage - 1); }
// What the filter allows by itself unless told otherwise.
bool IsHarmless(const SyscallInfo& call) {
  switch (call.number) {
    case SYS_munmap:
    case SYS_mprotect:
    case SYS_mremap:
    case SYS_madvise:
    case SYS_brk:
    case SYS_futex:
    case SYS_clock_gettime:
    case SYS_clock_getres:
    case SYS_gettimeofday:
    case SYS_time:
    case SYS_sched_yield:
    case SYS_set_robust_list:
    case SYS_set_tid_address:
    case SYS_rseq:
    case SYS_arch_prctl:
      return true;
    default:
      return false;
  }
}

uint64_t Up(uint64_t value) { return Down(value + kPage - 1); }

}  // namespace

// --- Events.

void Task::OnSyscall(Thread& t, const SyscallInfo& call) {
  const auto& a = call.args;
  switch (call.number) {
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
      return t.ContinueOnHost(call);
    case kSysNothing:
      return t.Return(static_cast<int64_t>(a[0]) + 1);
    case kSysInStub:
      if (t.EnterStub()) t.Return(static_cast<int64_t>(a[0]) + 1);
      return;
    case kSysBlock: {
      kernel_.platform_->WillBlock(t);
      {
        absl::MutexLock lock(&kernel_.mutex_);
        ++kernel_.blocked_;
        kernel_.changed_.SignalAll();
        int generation = kernel_.generation_;
        while (kernel_.generation_ == generation && kernel_.status_ < 0) {
          kernel_.changed_.Wait(&kernel_.mutex_);
        }
        --kernel_.blocked_;
      }
      return t.Return(static_cast<int64_t>(a[0]) + 1);
    }
    case kSysRelease: {
      absl::MutexLock lock(&kernel_.mutex_);
      int count = kernel_.blocked_;
      ++kernel_.generation_;
      kernel_.changed_.SignalAll();
      return t.Return(count);
    }
    case kSysBlocked: {
      absl::MutexLock lock(&kernel_.mutex_);
      return t.Return(kernel_.blocked_);
    }
    case kSysSignal: {
      std::shared_ptr<Task> target = kernel_.Find(static_cast<pid_t>(a[0]));
      if (target == nullptr) return t.Return(-ESRCH);
      target->pending_signal = static_cast<int>(a[1]);
      if (target.get() != this) {
        if (ThreadRef other = kernel_.FindThread(static_cast<pid_t>(a[0]))) other->Interrupt();
      } else {
        if (!t.EnterStub()) return;
        t.registers().rax = 0;
        return OnInterrupt(t);
      }
      return t.Return(0);
    }
    case kSysNative: {
      if (!t.EnterStub()) return;
      NativeCall native{a[0], {a[1], a[2], a[3], a[4], a[5], 0}, 0};
      if (t.RunNative({&native, 1}, true)) t.Return(native.result);
      return;
    }
    case kSysKill: {
      auto pid = static_cast<pid_t>(a[0]);
      ThreadRef target = kernel_.FindThread(pid);
      if (target != nullptr) target->process()->Kill();
      {
        absl::MutexLock lock(&kernel_.mutex_);
        kernel_.zombies_.try_emplace(pid, SIGKILL);
        kernel_.changed_.SignalAll();
      }
      return t.Return(target != nullptr ? 0 : -ESRCH);
    }
    case kSysWork: {
      absl::Time end = absl::Now() + absl::Nanoseconds(static_cast<int64_t>(a[0]));
      while (absl::Now() < end) {
      }
      return t.Return(0);
    }
    case kSysFaults:
      kernel_.fault_skip_ = static_cast<int>(a[0]);
      return t.Return(0);
    case SYS_mmap: {
      if (a[3] & MAP_ANONYMOUS) return t.ContinueOnHost(call);
      // File mappings name the program by any descriptor.
      Status status = t.InstallFd(kernel_.program_fd_.get(), static_cast<int>(a[4]));
      if (!status) return t.Return(-status.code());
      return t.ContinueOnHost(call);
    }
    case SYS_write: {
      std::string data(a[2], '\0');
      Result<size_t> size = t.address_space()->Read(a[1], data.data(), data.size());
      if (!size) return t.Return(-EFAULT);
      data.resize(*size);
      absl::MutexLock lock(&kernel_.mutex_);
      kernel_.output_ += data;
      return t.Return(static_cast<int64_t>(*size));
    }
    case SYS_getpid:
      return t.Return(process_->pid);
    case SYS_gettid:
      return t.Return(t.tid());
    case SYS_rt_sigaction: {
      auto signal = static_cast<int>(a[0]);
      if (a[1] != 0) {
        SignalAction action;
        if (!t.address_space()->Read(a[1], &action, sizeof action)) return t.Return(-EFAULT);
        process_->actions[signal] = action;
      }
      return t.Return(0);
    }
    case SYS_rt_sigprocmask:
      return t.Return(0);
    case SYS_rt_sigreturn: {
      auto [registers, xstate] = std::move(saved_.back());
      saved_.pop_back();
      t.registers() = registers;
      if (!t.WriteXstate(xstate)) return t.Return(-EINVAL);
      return t.Resume();
    }
    case SYS_clone:
      return Clone(t, {a[0], a[1], a[2], a[3], a[4]});
    case SYS_fork:
      return Clone(t, {SIGCHLD, 0, 0, 0, 0});
    case SYS_vfork:
      return Clone(t, {CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0});
    case SYS_execve: {
      // Any path means the program; argv[1] is the third argument's string.
      char name[64]{};
      uint64_t pointer = 0;
      arguments = {"guest"};
      for (int i = 1; i < 4; ++i) {
        uint64_t at = a[1] + 8 * static_cast<uint64_t>(i);
        if (!t.address_space()->Read(at, &pointer, sizeof pointer) || pointer == 0) break;
        (void)t.address_space()->Read(pointer, name, sizeof name - 1);
        arguments.emplace_back(name);
      }
      return t.StartExec();
    }
    case SYS_wait4: {
      int status = 0;
      int pid = kernel_.WaitChild(t, static_cast<pid_t>(a[0]), a[2] & WNOHANG, status);
      if (pid > 0 && a[1] != 0) (void)t.address_space()->Write(a[1], &status, sizeof status);
      return t.Return(pid);
    }
    case SYS_exit:
      return Exit(t, static_cast<int>(a[0]), false);
    case SYS_exit_group:
      return Exit(t, static_cast<int>(a[0]), true);
    default:
      if (!kernel_.options_.native_calls && IsHarmless(call)) return t.ContinueOnHost(call);
      return t.Return(-ENOSYS);
  }
}

void Task::Exit(Thread& t, int status, bool group) {
  bool leader = t.tid() == process_->pid;
  if (!group && !leader) {
    kernel_.Forget(t.tid());
    return t.ExitThread();
  }
  if (process_->pid == 1) {
    kernel_.Finish(status);
  } else {
    absl::MutexLock lock(&kernel_.mutex_);
    kernel_.zombies_[process_->pid] = status << 8;
    kernel_.changed_.SignalAll();
  }
  if (group) {
    t.process()->Kill();
  } else {
    t.ExitThread();
  }
}

void Task::OnFault(Thread& t, const siginfo_t& info) {
  if (kernel_.fault_skip_ > 0) {
    t.registers().rip += static_cast<uint64_t>(kernel_.fault_skip_.load());
    return t.Resume();
  }
  if (process_->actions.contains(info.si_signo)) return DeliverSignal(t, info.si_signo);
  if (process_->pid == 1) kernel_.Finish(128 + info.si_signo);
  absl::MutexLock lock(&kernel_.mutex_);
  kernel_.zombies_[process_->pid] = info.si_signo;
  kernel_.changed_.SignalAll();
  t.process()->Kill();
}

void Task::OnHostCall(Thread& t, const SyscallInfo& call, std::optional<int64_t> value) {
  t.Return(value.value_or(-EINTR));
}

void Task::OnInterrupt(Thread& t) {
  int signal = pending_signal.exchange(0);
  if (signal != 0 && process_->actions.contains(signal)) return DeliverSignal(t, signal);
  t.Resume();
}

void Task::DeliverSignal(Thread& t, int signal) {
  saved_.emplace_back(t.registers(), t.ReadXstate());
  const SignalAction& action = process_->actions[signal];
  Registers& r = t.registers();
  uint64_t stack = ((r.rsp - 128) & ~uint64_t{15}) - 8;
  (void)t.address_space()->Write(stack, &action.restorer, sizeof action.restorer);
  r.rsp = stack;
  r.rip = action.handler;
  r.rdi = static_cast<uint64_t>(signal);
  t.Resume();
}

void Task::Clone(Thread& t, const CloneArgs& wanted) {
  CloneArgs args = wanted;
  bool same_process = args.flags & CLONE_THREAD;
  args.flags &= ~uint64_t{CLONE_DETACHED};
  auto state = same_process ? process_ : std::make_shared<ProcessState>(*process_);
  if (!same_process) state->pid = 0;
  auto child = std::make_shared<Task>(kernel_, state);
  // The child may start before StartClone returns, and be looked for.
  absl::ReleasableMutexLock lock(&kernel_.mutex_);
  Result<ThreadRef> thread = t.StartClone(args, child);
  if (thread) {
    child->thread = *thread;
    child_ = std::move(child);
    return;
  }
  lock.Release();
  t.Return(-thread.code());
}

void Task::OnStart(Thread& t) {
  if (process_->pid == 0) process_->pid = t.tid();
  {
    absl::MutexLock lock(&kernel_.mutex_);
    kernel_.tasks_[t.tid()] = shared_from_this();
  }
  t.Resume();
}

void Task::OnCloned(Thread& t, Result<pid_t> child_tid) {
  {
    absl::MutexLock lock(&kernel_.mutex_);
    std::shared_ptr<Task> child = std::move(child_);
    if (child_tid) kernel_.tasks_.try_emplace(*child_tid, std::move(child));
  }
  t.Return(child_tid ? *child_tid : -child_tid.code());
}

void Task::OnDeath(Thread& t) {
  ++kernel_.deaths_;
  if (process_->pid == 1) kernel_.Finish(1000);
  absl::MutexLock lock(&kernel_.mutex_);
  kernel_.zombies_[process_->pid != 0 ? process_->pid : t.tid()] = SIGKILL;
  kernel_.changed_.SignalAll();
}

void Task::OnExec(Thread& t, Status status) {
  if (!status) return t.Return(-status.code());
  if (process_->pid == 0) process_->pid = t.tid();
  process_->actions.clear();
  {
    absl::MutexLock lock(&kernel_.mutex_);
    kernel_.tasks_[t.tid()] = shared_from_this();
  }
  if (LoadProgram(t)) return t.Resume();
  kernel_.Finish(1002);
  t.process()->Kill();
}

// --- Loading.

bool Task::LoadProgram(Thread& t) {
  Elf64_Ehdr header;
  int fd = kernel_.program_fd_.get();
  if (pread(fd, &header, sizeof header, 0) != sizeof header) return false;
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  size_t size = segments.size() * sizeof(Elf64_Phdr);
  if (pread(fd, segments.data(), size, static_cast<off_t>(header.e_phoff)) !=
      static_cast<ssize_t>(size)) {
    return false;
  }
  if (!t.InstallFd(fd, kProgramFd)) return false;
  std::vector<NativeCall> calls;
  auto map = [&](uint64_t address, uint64_t length, int protection, int flags, int file,
                 uint64_t offset) {
    calls.push_back(
        {SYS_mmap,
         {address, length, static_cast<uint64_t>(protection),
          static_cast<uint64_t>(flags | MAP_FIXED), static_cast<uint64_t>(file), offset},
         0});
  };
  uint64_t base = 0;
  std::vector<std::pair<uint64_t, uint64_t>> zeros;
  for (const Elf64_Phdr& s : segments) {
    if (s.p_type != PT_LOAD) continue;
    if (base == 0) base = s.p_vaddr - s.p_offset;
    int protection = (s.p_flags & PF_R ? PROT_READ : 0) | (s.p_flags & PF_W ? PROT_WRITE : 0) |
                     (s.p_flags & PF_X ? PROT_EXEC : 0);
    uint64_t begin = Down(s.p_vaddr), file_end = s.p_vaddr + s.p_filesz,
             end = Up(s.p_vaddr + s.p_memsz);
    map(begin, file_end - begin, protection, MAP_PRIVATE, kProgramFd, Down(s.p_offset));
    if (end > Up(file_end)) {
      map(Up(file_end), end - Up(file_end), protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    if (s.p_memsz > s.p_filesz) zeros.emplace_back(file_end, Up(file_end) - file_end);
  }
  map(kStackTop - kStackSize, kStackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
      0);
  calls.push_back({SYS_close, {kProgramFd}, 0});
  if (!t.RunNative(calls, true) || calls.back().result != 0) return false;
  std::shared_ptr<AddressSpace> space = t.address_space();
  for (auto [address, length] : zeros) {
    std::string nothing(length, '\0');
    if (length > 0 && !space->Write(address, nothing.data(), length)) return false;
  }
  // Strings, then argc, argv, envp, auxv.
  std::string strings(16, 'r');
  std::vector<uint64_t> words{arguments.size()};
  for (const std::string& argument : arguments) {
    words.push_back(kStackTop - 4096 + strings.size());
    strings += argument + '\0';
  }
  words.insert(words.end(), {0, 0});
  for (auto [type, value] :
       std::initializer_list<std::pair<uint64_t, uint64_t>>{{AT_PHDR, base + header.e_phoff},
                                                            {AT_PHENT, sizeof(Elf64_Phdr)},
                                                            {AT_PHNUM, segments.size()},
                                                            {AT_PAGESZ, kPage},
                                                            {AT_ENTRY, header.e_entry},
                                                            {AT_SYSINFO_EHDR, space->VdsoBase()},
                                                            {AT_RANDOM, kStackTop - 4096},
                                                            {AT_HWCAP, getauxval(AT_HWCAP)},
                                                            {AT_MINSIGSTKSZ, getauxval(51)},
                                                            {AT_NULL, 0}}) {
    words.push_back(type);
    words.push_back(value);
  }
  uint64_t stack = (kStackTop - 8192) & ~uint64_t{15};
  if (!space->Write(kStackTop - 4096, strings.data(), strings.size())) return false;
  if (!space->Write(stack, words.data(), words.size() * 8)) return false;
  t.ResetXstate();
  Registers registers{};
  registers.rip = header.e_entry;
  registers.rsp = stack;
  t.registers() = registers;
  return true;
}

// --- The kernel.

TestKernel::TestKernel(std::string program, Platform::Options options)
    : program_(std::move(program)), options_(options) {}

TestKernel::~TestKernel() {
  Finish(1003);
  if (platform_) platform_->Shutdown();
}

Status TestKernel::Start(std::vector<std::string> arguments) {
  TRY_ASSIGN(program_fd_, OpenAt(AT_FDCWD, program_.c_str(), O_RDONLY));
  TRY_ASSIGN(platform_, Platform::Create(options_, 65534, 65534));
  auto state = std::make_shared<ProcessState>();
  auto task = std::make_shared<Task>(*this, state);
  task->arguments = std::move(arguments);
  task->arguments.insert(task->arguments.begin(), "guest");
  absl::MutexLock lock(&mutex_);
  TRY_ASSIGN(task->thread, platform_->Start(task));
  return Ok();
}

int TestKernel::Wait() {
  absl::MutexLock lock(&mutex_);
  absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (status_ < 0) {
    if (changed_.WaitWithDeadline(&mutex_, deadline)) return 1001;
  }
  return status_;
}

int TestKernel::Run(std::vector<std::string> arguments) {
  Status status = Start(std::move(arguments));
  if (!status) {
    absl::MutexLock lock(&mutex_);
    output_ = status.error().ToString();
    return 1004;
  }
  return Wait();
}

void TestKernel::Finish(int status) {
  absl::MutexLock lock(&mutex_);
  if (status_ < 0) status_ = status;
  changed_.SignalAll();
}

std::string TestKernel::output() {
  absl::MutexLock lock(&mutex_);
  return output_;
}

std::shared_ptr<Task> TestKernel::Find(pid_t tid) {
  absl::MutexLock lock(&mutex_);
  auto it = tasks_.find(tid);
  return it == tasks_.end() ? nullptr : it->second;
}

void TestKernel::Forget(pid_t tid) {
  absl::MutexLock lock(&mutex_);
  tasks_.erase(tid);
}

ThreadRef TestKernel::FindThread(pid_t tid) {
  absl::MutexLock lock(&mutex_);
  auto it = tasks_.find(tid);
  return it == tasks_.end() ? nullptr : it->second->thread;
}

int TestKernel::WaitChild(Thread& thread, pid_t pid, bool no_hang, int& status) {
  auto take = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) -> int {
    auto it = pid > 0 ? zombies_.find(pid) : zombies_.begin();
    if (it == zombies_.end()) return 0;
    status = it->second;
    int found = it->first;
    zombies_.erase(it);
    tasks_.erase(found);
    return found;
  };
  absl::ReleasableMutexLock lock(&mutex_);
  if (int found = take(); found != 0 || no_hang) return found;
  lock.Release();
  platform_->WillBlock(thread);
  absl::MutexLock again(&mutex_);
  for (;;) {
    if (int found = take(); found != 0) return found;
    if (status_ >= 0) return -EINTR;
    changed_.Wait(&mutex_);
  }
}

}  // namespace runsc::boot::platform::testing
