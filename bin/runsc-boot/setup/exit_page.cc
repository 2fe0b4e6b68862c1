#include "bin/runsc-boot/setup/exit_page.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <atomic>

namespace runsc::boot::setup {

Result<ExitPage> ExitPage::Map(FileDescriptor file) {
  struct stat status;
  if (fstat(file.get(), &status) != 0) return ErrnoError("look at the exit record");
  // Past a file's end the store would be a fault.
  if (!S_ISREG(status.st_mode) || status.st_size != sizeof(ExitRecord)) {
    return Error(EINVAL, "the exit record is not one word in a file");
  }
  void* page = mmap(nullptr, sizeof(ExitRecord), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (page == MAP_FAILED) return ErrnoError("map the exit record");
  return ExitPage(static_cast<ExitRecord*>(page));
}

ExitPage::~ExitPage() {
  if (record_ != nullptr) munmap(record_, sizeof(ExitRecord));
}

void ExitPage::Record(int status) {
  if (record_ != nullptr) std::atomic_ref<ExitRecord>(*record_).store(EncodeExit(status));
}

}  // namespace runsc::boot::setup
