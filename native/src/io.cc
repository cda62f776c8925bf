#include "io.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace understudy {

bool Io::inMemory(int fd) {
  struct statfs status{};
  if (fstatfs(fd, &status) != 0) return false;
  const auto type = uint32_t(status.f_type);
  return type == TMPFS_MAGIC || type == RAMFS_MAGIC;
}

void Io::callNow(const FileOp& op, bool write) {
  // RWF_DSYNC would add nothing: memory is as durable as it gets.
  const ssize_t got = write ? pwrite(op.fd, op.buffer, op.length, off_t(op.offset))
                            : pread(op.fd, op.buffer, op.length, off_t(op.offset));
  inFlight_++;
  made_.push_back({op.tag, got < 0 ? -errno : int32_t(got)});
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
