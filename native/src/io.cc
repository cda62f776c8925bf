#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace understudy {

bool Io::inMemory(int fd) {
  // Of a device, fstatfs tells where its node stands, and that is a tmpfs: only files count.
  struct stat status{};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return false;
  struct statfs system{};
  if (fstatfs(fd, &system) != 0) return false;
  const auto type = uint32_t(system.f_type);
  return type == TMPFS_MAGIC || type == RAMFS_MAGIC;
}

void Io::callNow(const FileOp& op, bool write) {
  const iovec whole{op.buffer, op.length};
  const off_t offset = off_t(op.offset);
  // Durable all the same: a file misjudged must cost time, not data.
  const ssize_t got = write ? pwritev2(op.fd, &whole, 1, offset, op.durable ? RWF_DSYNC : 0)
                            : preadv2(op.fd, &whole, 1, offset, 0);
  inFlight_++;
  made_.push_back({op.tag, got < 0 ? -errno : int32_t(got)});
}

void Io::zeroNow(const FileOp& op, int mode) {
  inFlight_++;
  const int got = fallocate(op.fd, mode, off_t(op.offset), off_t(op.length));
  made_.push_back({op.tag, got == 0 ? 0 : -errno});
}

void Io::syncNow(int fd, uint64_t tag) {
  inFlight_++;
  made_.push_back({tag, fdatasync(fd) == 0 ? 0 : -errno});
}

uint32_t Io::takeMade(Completion* completions, uint32_t capacity) {
  uint32_t taken = 0;
  for (; taken < capacity && taken < made_.size(); taken++) completions[taken] = made_[taken];
  made_.erase(made_.begin(), made_.begin() + taken);
  inFlight_ -= taken;
  return taken;
}

}  // namespace understudy
