#include "bin/runsc-boot/ipc_sysv/semaphores.h"

#include <algorithm>
#include <ctime>

#include "absl/strings/str_format.h"

namespace runsc::boot::sysv {

Semaphores::Limits Semaphores::limits() const {
  absl::MutexLock lock(&mutex_);
  return limits_;
}

void Semaphores::set_limits(const Limits& limits) {
  absl::MutexLock lock(&mutex_);
  limits_ = limits;
}

Result<Semaphores::SetRef> Semaphores::Make(const Caller& caller, key_t key, int count, int flags) {
  const auto [most_in_set, most, operations, most_sets] = limits_;
  if (count == 0) return Error(EINVAL);
  if (int64_t{count} + used_ > most) return Error(ENOSPC);
  auto set = std::make_shared<SemaphoreSet>();
  set->permissions = Permissions::Of(caller, key, flags);
  TRY_ASSIGN(set->charge,
             budget_->Take(sizeof(SemaphoreSet) + static_cast<size_t>(count) * sizeof(Semaphore)));
  set->semaphores.resize(static_cast<size_t>(count));
  set->changed = time(nullptr);
  TRY(sets_.Add(set, most_sets));
  used_ += count;
  return set;
}

Result<int> Semaphores::Get(const Caller& caller, key_t key, int count, int flags) {
  absl::MutexLock lock(&mutex_);
  if (count < 0 || count > limits_[0]) return Error(EINVAL);
  TRY_ASSIGN(const std::optional<int> known,
             FindObject(sets_, caller, key, flags, [count](const SemaphoreSet& set) {
               const bool enough = static_cast<size_t>(count) <= set.semaphores.size();
               return enough ? Ok() : Status(Error(EINVAL));
             }));
  if (known.has_value()) return *known;
  TRY_ASSIGN(const SetRef made, Make(caller, key, count, flags));
  return made->permissions.id;
}

Result<Semaphores::SetRef> Semaphores::FindFor(const Caller& caller, int id,
                                               unsigned wanted) const {
  TRY_ASSIGN(SetRef set, sets_.Find(id));
  TRY(CheckAccess(caller, set->permissions, wanted));
  return set;
}

Result<Semaphores::Adjustments*> Semaphores::UndoOf(SemaphoreSet& set, SemaphoreUndo& undo) {
  auto found = set.undo.find(&undo);
  if (found != set.undo.end()) return &found->second;
  const size_t each = set.semaphores.size() * sizeof(short) + sizeof(Adjustments);
  TRY_ASSIGN(set.undo_charge, budget_->Take((set.undo.size() + 1) * each));
  undo.Note(shared_from_this());
  Adjustments& made = set.undo[&undo];
  made.resize(set.semaphores.size());
  return &made;
}

Result<bool> Semaphores::Operate(const Caller& caller, int id, SemaphoreWaiter& waiter) {
  absl::MutexLock lock(&mutex_);
  TRY_ASSIGN(SetRef set, sets_.Find(id));
  for (const sembuf& operation : waiter.operations_) {
    if (operation.sem_num >= set->semaphores.size()) return Error(EFBIG);
  }
  TRY(CheckAccess(caller, set->permissions, waiter.Alters() ? kAlterable : kReadable));
  waiter.pid_ = caller.pid;
  if (waiter.undo_ != nullptr) {
    TRY_ASSIGN(waiter.adjustments_, UndoOf(*set, *waiter.undo_));
  }
  const int code = Perform(*set, waiter);
  if (code > 0) return Error(code);
  if (code == 0) {
    if (waiter.Alters()) Update(*set);
    set->operated = time(nullptr);
    return true;
  }
  waiter.where_ = shared_from_this();
  waiter.list_ = waiter.Alters() ? &set->writers : &set->readers;
  waiter.list_->push_back(&waiter);
  waiter.set_ = std::move(set);
  return false;
}

int Semaphores::Perform(SemaphoreSet& set, SemaphoreWaiter& waiter) {
  const std::vector<sembuf>& operations = waiter.operations_;
  size_t done = 0;
  int code = 0;
  for (; done < operations.size(); ++done) {
    const sembuf& operation = operations[done];
    Semaphore& semaphore = set.semaphores[operation.sem_num];
    const int result = semaphore.value + operation.sem_op;
    if (operation.sem_op == 0 ? semaphore.value != 0 : result < 0) {
      waiter.blocked_at_ = done;
      code = (operation.sem_flg & IPC_NOWAIT) != 0 ? EAGAIN : -1;
      break;
    }
    if (result > kMaxValue) {
      code = ERANGE;
      break;
    }
    if ((operation.sem_flg & SEM_UNDO) != 0) {
      short& adjustment = (*waiter.adjustments_)[operation.sem_num];
      const int undo = adjustment - operation.sem_op;
      if (undo < -kMaxValue - 1 || undo > kMaxValue) {
        code = ERANGE;
        break;
      }
      adjustment = static_cast<short>(undo);
    }
    semaphore.value = result;
  }
  if (code == 0) {
    for (const sembuf& operation : operations) {
      set.semaphores[operation.sem_num].pid = waiter.pid_;
    }
    return 0;
  }
  while (done-- > 0) {
    const sembuf& operation = operations[done];
    set.semaphores[operation.sem_num].value -= operation.sem_op;
    if ((operation.sem_flg & SEM_UNDO) != 0) {
      short& adjustment = (*waiter.adjustments_)[operation.sem_num];
      adjustment = static_cast<short>(adjustment + operation.sem_op);
    }
  }
  return code;
}

bool Semaphores::UpdateList(SemaphoreSet& set, std::list<SemaphoreWaiter*>& list) {
  for (auto next = list.begin(); next != list.end();) {
    SemaphoreWaiter& waiter = **next;
    const int code = Perform(set, waiter);
    if (code < 0) {
      ++next;
      continue;
    }
    next = list.erase(next);
    waiter.list_ = nullptr;
    waiter.code_ = code;
    if (code == 0) set.operated = time(nullptr);
    const bool altered = code == 0 && waiter.Alters();
    waiter.waker_.Wake();
    if (altered) return true;
  }
  return false;
}

void Semaphores::Update(SemaphoreSet& set) {
  do {
    (void)UpdateList(set, set.readers);
  } while (UpdateList(set, set.writers));
}

Result<std::pair<int, semid_ds>> Semaphores::Stat(const Caller& caller, int id,
                                                  Naming naming) const {
  absl::MutexLock lock(&mutex_);
  TRY_ASSIGN(const SetRef set, FindShown(sets_, caller, id, naming));
  semid_ds shown{};
  shown.sem_perm = Show(caller.credentials, set->permissions);
  shown.sem_otime = set->operated;
  shown.sem_ctime = set->changed;
  shown.sem_nsems = set->semaphores.size();
  return std::make_pair(set->permissions.id, shown);
}

Result<std::vector<unsigned short>> Semaphores::Values(const Caller& caller, int id) const {
  absl::MutexLock lock(&mutex_);
  TRY_ASSIGN(const SetRef set, FindFor(caller, id, kReadable));
  std::vector<unsigned short> values;
  for (const Semaphore& semaphore : set->semaphores) {
    values.push_back(static_cast<unsigned short>(semaphore.value));
  }
  return values;
}

Result<size_t> Semaphores::Count(const Caller& caller, int id) const {
  absl::MutexLock lock(&mutex_);
  TRY_ASSIGN(const SetRef set, FindFor(caller, id, kAlterable));
  return set->semaphores.size();
}

Result<SemaphoreState> Semaphores::State(const Caller& caller, int id, int index) const {
  absl::MutexLock lock(&mutex_);
  TRY_ASSIGN(const SetRef set, FindFor(caller, id, kReadable));
  if (index < 0 || static_cast<size_t>(index) >= set->semaphores.size()) return Error(EINVAL);
  SemaphoreState state;
  state.value = set->semaphores[static_cast<size_t>(index)].value;
  state.pid = set->semaphores[static_cast<size_t>(index)].pid;
  for (const auto* list : {&set->readers, &set->writers}) {
    for (const SemaphoreWaiter* waiter : *list) {
      const sembuf& blocked = waiter->operations_[waiter->blocked_at_];
      if (blocked.sem_num != index) continue;
      ++(blocked.sem_op == 0 ? state.waiting_zero : state.waiting_more);
    }
  }
  return state;
}

Status Semaphores::SetValues(const Caller& caller, int id,
                             const std::vector<unsigned short>& values) {
  absl::MutexLock lock(&mutex_);
  for (const unsigned short value : values) {
    if (value > kMaxValue) return Error(ERANGE);
  }
  TRY_ASSIGN(const SetRef set, FindFor(caller, id, kAlterable));
  if (values.size() != set->semaphores.size()) return Error(EIDRM);
  for (size_t i = 0; i < values.size(); ++i) set->semaphores[i] = {values[i], caller.pid};
  for (auto& [undo, adjustments] : set->undo) std::fill(adjustments.begin(), adjustments.end(), 0);
  set->changed = time(nullptr);
  Update(*set);
  return Ok();
}

Status Semaphores::SetValue(const Caller& caller, int id, int index, int value) {
  absl::MutexLock lock(&mutex_);
  if (value < 0 || value > kMaxValue) return Error(ERANGE);
  TRY_ASSIGN(const SetRef set, sets_.Find(id));
  if (index < 0 || static_cast<size_t>(index) >= set->semaphores.size()) return Error(EINVAL);
  TRY(CheckAccess(caller, set->permissions, kAlterable));
  set->semaphores[static_cast<size_t>(index)] = {value, caller.pid};
  for (auto& [undo, adjustments] : set->undo) adjustments[static_cast<size_t>(index)] = 0;
  set->changed = time(nullptr);
  Update(*set);
  return Ok();
}

Status Semaphores::Set(const Caller& caller, int id, const semid_ds& wanted) {
  absl::MutexLock lock(&mutex_);
  TRY_ASSIGN(const SetRef set, FindOwned(sets_, caller, id));
  TRY(Change(caller.credentials, wanted.sem_perm, set->permissions));
  set->changed = time(nullptr);
  return Ok();
}

Status Semaphores::Remove(const Caller& caller, int id) {
  absl::MutexLock lock(&mutex_);
  TRY_ASSIGN(const SetRef set, FindOwned(sets_, caller, id));
  sets_.Remove(*set);
  used_ -= static_cast<int>(set->semaphores.size());
  for (auto* list : {&set->readers, &set->writers}) {
    for (SemaphoreWaiter* waiter : *list) {
      waiter->list_ = nullptr;
      waiter->code_ = EIDRM;
      waiter->waker_.Wake();
    }
    list->clear();
  }
  return Ok();
}

std::pair<int, seminfo> Semaphores::Info(bool usage) const {
  // Limits of old that only this call knows.
  constexpr int kMostSemaphores = 32000 * 32000, kUndoEntries = 500, kUndoSize = 20;
  absl::MutexLock lock(&mutex_);
  seminfo info{};
  info.semmsl = limits_[0];
  info.semmns = limits_[1];
  info.semopm = limits_[2];
  info.semmni = limits_[3];
  info.semvmx = kMaxValue;
  info.semmap = info.semmnu = kMostSemaphores;
  info.semume = kUndoEntries;
  info.semusz = usage ? sets_.size() : kUndoSize;
  info.semaem = usage ? used_ : kMaxValue;
  return {sets_.highest_index(), info};
}

std::string Semaphores::Text(const Credentials& reader) const {
  std::string text =
      "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n";
  absl::MutexLock lock(&mutex_);
  for (const SetRef& set : sets_.All()) {
    const Permissions& p = set->permissions;
    absl::StrAppendFormat(&text, "%10d %10d  %4o %10u %5u %5u %5u %5u %10d %10d\n", p.key, p.id,
                          p.mode, set->semaphores.size(), reader.ShownUid(p.uid),
                          reader.ShownGid(p.gid), reader.ShownUid(p.creator_uid),
                          reader.ShownGid(p.creator_gid), set->operated, set->changed);
  }
  return text;
}

void Semaphores::Undo(const SemaphoreUndo& undo, pid_t pid) {
  absl::MutexLock lock(&mutex_);
  for (const SetRef& set : sets_.All()) {
    auto found = set->undo.find(&undo);
    if (found == set->undo.end()) continue;
    const Adjustments adjustments = std::move(found->second);
    set->undo.erase(found);
    bool changed = false;
    for (size_t i = 0; i < adjustments.size(); ++i) {
      if (adjustments[i] == 0) continue;
      const int value = set->semaphores[i].value + adjustments[i];
      set->semaphores[i] = {std::clamp(value, 0, kMaxValue), pid};
      changed = true;
    }
    if (!changed) continue;
    set->operated = time(nullptr);
    Update(*set);
  }
}

void SemaphoreUndo::Note(const std::shared_ptr<Semaphores>& where) {
  absl::MutexLock lock(&mutex_);
  for (const std::weak_ptr<Semaphores>& known : where_) {
    if (known.lock() == where) return;
  }
  where_.push_back(where);
}

void SemaphoreUndo::Leave(pid_t pid) {
  if (users_.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  std::vector<std::weak_ptr<Semaphores>> where;
  {
    absl::MutexLock lock(&mutex_);
    where.swap(where_);
  }
  for (const std::weak_ptr<Semaphores>& place : where) {
    if (const std::shared_ptr<Semaphores> alive = place.lock()) alive->Undo(*this, pid);
  }
}

bool SemaphoreWaiter::Alters() const {
  return std::any_of(operations_.begin(), operations_.end(),
                     [](const sembuf& operation) { return operation.sem_op != 0; });
}

std::optional<int> SemaphoreWaiter::result() {
  absl::MutexLock lock(&where_->mutex_);
  return list_ == nullptr ? std::optional<int>(code_) : std::nullopt;
}

int SemaphoreWaiter::Abandon(int code) {
  if (where_ == nullptr) return 0;
  absl::MutexLock lock(&where_->mutex_);
  if (list_ == nullptr) return code_;
  list_->remove(this);
  list_ = nullptr;
  return code_ = code;
}

}  // namespace runsc::boot::sysv
