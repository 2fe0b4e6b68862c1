// Objects of System V IPC by their ids, keys and indices. An id is an index
// with a sequence number above it, so that the id of an object that has gone
// names nothing for a long time.
#ifndef RUNSC_BOOT_IPC_SYSV_ID_TABLE_H_
#define RUNSC_BOOT_IPC_SYSV_ID_TABLE_H_

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "bin/runsc-boot/ipc_sysv/permissions.h"
#include "common/result.h"

namespace runsc::boot::sysv {

constexpr int kIndexBits = 15;
constexpr int kMostIds = 1 << kIndexBits;
constexpr int IndexOf(int id) { return id & (kMostIds - 1); }
constexpr int SequenceOf(int id) { return id >> kIndexBits; }

// `Object` has a member `permissions`. Not locked by itself.
template <typename Object>
class IdTable {
 public:
  using Ref = std::shared_ptr<Object>;

  // EINVAL: there is none with this id.
  Result<Ref> Find(int id) const {
    if (id < 0) return Error(EINVAL);
    auto found = objects_.find(IndexOf(id));
    if (found == objects_.end() || found->second->permissions.id != id) return Error(EINVAL);
    return found->second;
  }
  // The commands *_STAT name the object by its index. EINVAL.
  Result<Ref> FindIndex(int index) const {
    if (index < 0) return Error(EINVAL);
    auto found = objects_.find(IndexOf(index));
    if (found == objects_.end()) return Error(EINVAL);
    return found->second;
  }
  // Null when there is none; never finds IPC_PRIVATE.
  Ref FindKey(key_t key) const {
    auto found = keys_.find(key);
    return found == keys_.end() ? nullptr : objects_.at(found->second);
  }

  // Gives the object its id. ENOSPC: there are `most` already.
  Status Add(Ref object, int most) {
    if (size() >= most || size() >= kMostIds) return Error(ENOSPC);
    const int index = NextIndex();
    // As Linux: indices go up for a while, so that the sequence number, which
    // changes when they start over, lasts.
    if (index <= last_index_) sequence_ = (sequence_ + 1) & 0xffff;
    last_index_ = index;
    Permissions& permissions = object->permissions;
    permissions.id = (sequence_ << kIndexBits) | index;
    if (permissions.key != IPC_PRIVATE) keys_[permissions.key] = index;
    objects_.emplace(index, std::move(object));
    return Ok();
  }
  void Remove(const Object& object) {
    ForgetKey(object);
    objects_.erase(IndexOf(object.permissions.id));
  }
  // It keeps its id and can no longer be found by its key.
  void ForgetKey(const Object& object) {
    if (object.permissions.key != IPC_PRIVATE) keys_.erase(object.permissions.key);
  }

  int size() const { return static_cast<int>(objects_.size()); }
  // 0 without objects, as the commands *_INFO return it.
  int highest_index() const { return objects_.empty() ? 0 : objects_.rbegin()->first; }
  std::vector<Ref> All() const {
    std::vector<Ref> all;
    for (const auto& [index, object] : objects_) all.push_back(object);
    return all;
  }

 private:
  static constexpr int kLeastCycle = 64;

  // There is one: the caller has looked.
  int NextIndex() const {
    const int end = std::min(std::max(size() * 3 / 2, kLeastCycle), kMostIds);
    int index = last_index_ + 1;
    while (index < end && objects_.contains(index)) ++index;
    if (index < end) return index;
    for (index = 0; objects_.contains(index);) ++index;
    return index;
  }

  std::map<int, Ref> objects_;  // by index
  std::map<key_t, int> keys_;
  int last_index_ = -1;
  int sequence_ = 0;
};

// How the commands of *ctl(2) name an object: IPC_STAT by its id, *_STAT and
// *_STAT_ANY by its index, the last one without a check of its permissions.
enum class Naming { kId, kIndex, kIndexAny };

// For the commands that show an object. EINVAL, EACCES.
template <typename Object>
Result<std::shared_ptr<Object>> FindShown(const IdTable<Object>& table, const Caller& caller,
                                          int id, Naming naming) {
  TRY_ASSIGN(std::shared_ptr<Object> object,
             naming == Naming::kId ? table.Find(id) : table.FindIndex(id));
  if (naming != Naming::kIndexAny) TRY(CheckAccess(caller, object->permissions, kReadable));
  return object;
}

// For IPC_SET and IPC_RMID. EINVAL, EPERM.
template <typename Object>
Result<std::shared_ptr<Object>> FindOwned(const IdTable<Object>& table, const Caller& caller,
                                          int id) {
  TRY_ASSIGN(std::shared_ptr<Object> object, table.Find(id));
  TRY(CheckOwner(caller, object->permissions));
  return object;
}

// The common part of shmget(2), semget(2) and msgget(2): the id of the object
// with `key`. Nothing: the caller is to make one. `check(object)` looks at what
// the call expects of an object that exists. ENOENT, EEXIST, EACCES.
template <typename Object, typename Check>
Result<std::optional<int>> FindObject(const IdTable<Object>& table, const Caller& caller, key_t key,
                                      int flags, Check check) {
  if (key == IPC_PRIVATE) return {std::nullopt};
  const std::shared_ptr<Object> object = table.FindKey(key);
  if (object == nullptr) {
    if ((flags & IPC_CREAT) == 0) return Error(ENOENT);
    return {std::nullopt};
  }
  if ((flags & IPC_CREAT) != 0 && (flags & IPC_EXCL) != 0) return Error(EEXIST);
  TRY(check(*object));
  TRY(CheckAccess(caller, object->permissions, static_cast<unsigned>(flags) & 0777));
  return {object->permissions.id};
}

}  // namespace runsc::boot::sysv

#endif  // RUNSC_BOOT_IPC_SYSV_ID_TABLE_H_
