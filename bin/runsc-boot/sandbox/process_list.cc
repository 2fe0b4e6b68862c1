#include "bin/runsc-boot/sandbox/process_list.h"

#include <algorithm>
#include <string>

#include "bin/runsc-boot/mm/memory_manager.h"

namespace runsc::boot {
namespace {

// The arguments are the container's: no more of them is shown.
constexpr uint64_t kMaxArguments = 4096;

std::string ArgumentsOf(const Task& leader) {
  std::shared_ptr<MemoryManager> memory = leader.memory_ref();
  if (memory == nullptr) return "";
  const MemoryManager::Image image = memory->image();
  if (image.arg_end <= image.arg_start) return "";
  std::string text(std::min(image.arg_end - image.arg_start, kMaxArguments), '\0');
  if (!memory->CopyIn(image.arg_start, text.data(), text.size()).ok()) return "";
  while (!text.empty() && text.back() == '\0') text.pop_back();
  for (char& c : text) {
    // Whoever reads the table must not be deceived by it.
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  return text;
}

}  // namespace

std::vector<control::ProcessInfo> ListProcesses(Kernel& kernel) {
  // Users are shown as a process of the container sees them.
  const Credentials viewer = RootOf(kernel.user_namespace());
  std::vector<control::ProcessInfo> result;
  for (const ThreadGroupRef& group : kernel.Groups()) {
    const TaskRef leader = group->leader();
    if (leader == nullptr || group->zombie()) continue;
    control::ProcessInfo info;
    info.pid = group->pid();
    info.parent = group->parent_pid();
    info.uid = viewer.ShownUid(leader->credentials()->euid);
    info.threads = static_cast<uint32_t>(group->task_count());
    info.command = leader->name();
    info.group = group->process_group();
    info.session = group->session();
    info.state = leader->run_state();
    const Usage usage = group->usage();
    info.cpu_ns = usage.user_ns + usage.system_ns;
    info.arguments = ArgumentsOf(*leader);
    if (auto process = group->host_process(); process != nullptr) {
      info.boot_pid = process->host_pid();
    }
    result.push_back(std::move(info));
  }
  return result;
}

}  // namespace runsc::boot
