// Where boot leaves word of how the container ended; see ipc/exit_record.h.
#ifndef RUNSC_BOOT_SETUP_EXIT_PAGE_H_
#define RUNSC_BOOT_SETUP_EXIT_PAGE_H_

#include <utility>

#include "common/file_descriptor.h"
#include "common/result.h"
#include "ipc/exit_record.h"

namespace runsc::boot::setup {

// Maps a file that holds an ExitRecord. Movable.
class ExitPage {
 public:
  // Closes `file`. EINVAL: it is not as the controller makes it.
  static Result<ExitPage> Map(FileDescriptor file);

  ExitPage() = default;
  ExitPage(ExitPage&& other) noexcept : record_(std::exchange(other.record_, nullptr)) {}
  ExitPage& operator=(ExitPage&& other) noexcept {
    std::swap(record_, other.record_);
    return *this;
  }
  ~ExitPage();

  // `status` as wait(2) has it. Needs no system call. Without a page: nothing.
  void Record(int status);

 private:
  explicit ExitPage(ExitRecord* record) : record_(record) {}
  ExitRecord* record_ = nullptr;
};

}  // namespace runsc::boot::setup

#endif  // RUNSC_BOOT_SETUP_EXIT_PAGE_H_
