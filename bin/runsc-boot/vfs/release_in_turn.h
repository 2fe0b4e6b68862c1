// Ends of objects that hold one another in a chain (a name its directory, a
// directory its entries).
#ifndef RUNSC_BOOT_VFS_RELEASE_IN_TURN_H_
#define RUNSC_BOOT_VFS_RELEASE_IN_TURN_H_

#include <memory>
#include <utility>

namespace runsc::boot {

// Drops `last`, for destructors: what its end drops in the same way follows
// after it, not within it. Applications make chains deeper than any stack.
void ReleaseInTurn(std::shared_ptr<void> last);

// The same for a reference that need not be the last one.
template <typename T>
void DropLink(std::shared_ptr<T>& link) {
  // Whoever else still has it will pass here as well.
  if (link.use_count() == 1) ReleaseInTurn(std::move(link));
}

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_RELEASE_IN_TURN_H_
