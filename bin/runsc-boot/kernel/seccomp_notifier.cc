#include "bin/runsc-boot/kernel/seccomp_notifier.h"

#include <algorithm>

#include "bin/runsc-boot/kernel/task.h"

namespace runsc::boot {

SeccompNotifier::Report* SeccompNotifier::FindLocked(uint64_t id) {
  auto found = std::find_if(reports_.begin(), reports_.end(),
                            [id](const Report* report) { return report->notification.id == id; });
  return found == reports_.end() ? nullptr : *found;
}

Result<SeccompNotifier::Report*> SeccompNotifier::FindReceivedLocked(uint64_t id) {
  Report* report = FindLocked(id);
  if (report == nullptr) return Error(ENOENT);
  if (report->state != State::kReceived) return Error(EINPROGRESS);
  return report;
}

Result<SeccompNotifier::Answer> SeccompNotifier::Ask(Task& task, const seccomp_data& data,
                                                     bool wait_killable) {
  Report report{{}, &task, State::kNew, std::nullopt};
  report.notification.pid = static_cast<uint32_t>(task.tid());
  report.notification.data = data;
  {
    absl::MutexLock lock(&mutex_);
    if (closed_) return Error(ENOSYS);
    report.notification.id = next_id_++;
    reports_.push_back(&report);
  }
  wait_queue_.Notify(EPOLLIN | EPOLLRDNORM);
  Status slept;
  while (true) {
    bool received = false;
    {
      absl::MutexLock lock(&mutex_);
      received = report.state == State::kReceived;
      const bool given_up = !slept.ok() && (!wait_killable || !received || task.exiting());
      if (report.answer.has_value() || closed_ || given_up) {
        reports_.remove(&report);
        if (report.answer.has_value()) return *report.answer;
        if (closed_) return Error(ENOSYS);
        return std::move(slept).error();
      }
    }
    if (wait_killable && received) {
      slept = task.SleepUntilKilled() ? Ok() : Status(Error(kRestartSys));
    } else {
      slept = task.Sleep(std::nullopt);
    }
  }
}

Result<seccomp_notif> SeccompNotifier::Take() {
  Result<seccomp_notif> result = Error(EAGAIN);
  {
    absl::MutexLock lock(&mutex_);
    for (Report* report : reports_) {
      if (report->state != State::kNew) continue;
      report->state = State::kReceived;
      result = report->notification;
      break;
    }
    if (!result.ok() && filter_gone_) return Error(ENOENT);
  }
  if (result.ok()) wait_queue_.Notify(EPOLLOUT | EPOLLWRNORM);
  return result;
}

void SeccompNotifier::PutBack(uint64_t id) {
  {
    absl::MutexLock lock(&mutex_);
    Report* report = FindLocked(id);
    if (report == nullptr || report->state != State::kReceived) return;
    report->state = State::kNew;
  }
  wait_queue_.Notify(EPOLLIN | EPOLLRDNORM);
}

Status SeccompNotifier::Reply(uint64_t id, Answer answer) {
  absl::MutexLock lock(&mutex_);
  TRY_ASSIGN(Report * report, FindReceivedLocked(id));
  report->state = State::kAnswered;
  report->answer = answer;
  report->task->Wake();
  return Ok();
}

Status SeccompNotifier::CheckValid(uint64_t id) {
  absl::MutexLock lock(&mutex_);
  const Report* report = FindLocked(id);
  return report != nullptr && report->state == State::kReceived ? Ok() : Status(Error(ENOENT));
}

Result<std::shared_ptr<Task>> SeccompNotifier::Find(uint64_t id) {
  absl::MutexLock lock(&mutex_);
  TRY_ASSIGN(Report * report, FindReceivedLocked(id));
  return report->task->shared_from_this();
}

PollEvents SeccompNotifier::Poll() {
  absl::MutexLock lock(&mutex_);
  PollEvents events = 0;
  for (const Report* report : reports_) {
    if (report->state == State::kNew) events |= EPOLLIN | EPOLLRDNORM;
    if (report->state == State::kReceived) events |= EPOLLOUT | EPOLLWRNORM;
  }
  if (filter_gone_) events |= EPOLLHUP;
  return events;
}

void SeccompNotifier::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
  for (Report* report : reports_) report->task->Wake();
}

void SeccompNotifier::FilterGone() {
  {
    absl::MutexLock lock(&mutex_);
    filter_gone_ = true;
  }
  wait_queue_.Notify(EPOLLHUP);
}

}  // namespace runsc::boot
