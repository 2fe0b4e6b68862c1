#include "bin/runsc-boot/fs/dev/devices.h"

#include <sys/random.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "bin/runsc-boot/fs/pipe/pipe.h"
#include "bin/runsc-boot/vfs/host_io.h"

namespace runsc::boot {
namespace {

// Memory devices have no position: any seek succeeds and leads to 0, and what
// is written is taken without being looked at.
class MemoryDevice : public File {
 public:
  using File::File;
  bool seekable() const override { return true; }
  bool pollable() const override { return false; }
  Result<uint64_t> Seek(Context&, int64_t, int) override { return 0; }
  Result<size_t> Read(Context& context, IoBuffer& destination) override {
    return PRead(context, destination, 0);
  }
  Result<size_t> Write(Context& context, IoBuffer& source) override {
    return PWrite(context, source, 0);
  }
  Result<size_t> PWrite(Context&, IoBuffer& source, uint64_t) override {
    return source.remaining();
  }
};

class NullDevice final : public MemoryDevice {
 public:
  using MemoryDevice::MemoryDevice;
  Result<size_t> PRead(Context&, IoBuffer&, uint64_t) override { return 0; }
};

class ZeroDevice : public MemoryDevice {
 public:
  using MemoryDevice::MemoryDevice;
  bool MapsAsAnonymous() const override { return true; }
  Result<size_t> PRead(Context&, IoBuffer& destination, uint64_t) override {
    static constexpr char kZeros[16384] = {};
    size_t total = 0;
    while (destination.remaining() > 0) {
      size_t wanted = std::min(sizeof kZeros, destination.remaining());
      Result<size_t> put = destination.Put(kZeros, wanted);
      if (!put.ok() && total == 0) return put;
      if (!put.ok()) break;
      total += *put;
      if (*put < wanted) break;
    }
    return total;
  }
};

class FullDevice final : public ZeroDevice {
 public:
  using ZeroDevice::ZeroDevice;
  bool MapsAsAnonymous() const override { return false; }
  Result<size_t> PWrite(Context&, IoBuffer&, uint64_t) override { return Error(ENOSPC); }
};

class RandomDevice final : public MemoryDevice {
 public:
  using MemoryDevice::MemoryDevice;
  bool pollable() const override { return true; }
  Result<size_t> PRead(Context&, IoBuffer& destination, uint64_t) override {
    TransferBuffer buffer = ThreadTransferBuffer();
    size_t total = 0;
    while (destination.remaining() > 0) {
      size_t wanted = std::min<size_t>(destination.remaining(), 4096);
      ssize_t count = getrandom(buffer.data, wanted, 0);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return total > 0 ? Result<size_t>(total) : Error(EIO);
      Result<size_t> put = destination.Put(buffer.data, static_cast<size_t>(count));
      if (!put.ok() && total == 0) return put;
      if (!put.ok()) break;
      total += *put;
      if (*put < static_cast<size_t>(count)) break;
    }
    return total;
  }
};

template <typename Device>
void Register(Vfs& vfs, unsigned minor) {
  vfs.RegisterDevice(S_IFCHR, makedev(1, minor), [](Context&, const Path& path, int flags) {
    return Result<FileRef>(std::make_shared<Device>(path, flags));
  });
}

}  // namespace

void RegisterStandardDevices(Vfs& vfs) {
  Register<NullDevice>(vfs, 3);
  Register<ZeroDevice>(vfs, 5);
  Register<FullDevice>(vfs, 7);
  Register<RandomDevice>(vfs, 8);
  Register<RandomDevice>(vfs, 9);
  RegisterFifos(vfs);
}

}  // namespace runsc::boot
