// The kernel as the reactor sees it: operations go in, each is answered by exactly one completion.
// Two personalities: io_uring (uring.cc), and epoll with a small thread pool (epoll.cc) where
// io_uring is switched off. Neither knows slots, protocols or volumes.
#pragma once
#include <sys/socket.h>
#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace understudy {

/// `tag` is the caller's; `result` is what the system call would have returned, or -errno.
struct Completion {
  uint64_t tag;
  int32_t result;
};

struct FileOp {
  int fd;
  void* buffer;
  uint32_t length;
  uint64_t offset;
  /// Index of a registered buffer that holds [buffer, buffer+length), or -1.
  int registered;
  /// Writes only: durable before the completion (RWF_DSYNC).
  bool durable;
  uint64_t tag;
  /// The file is in memory (tmpfs): see Io::inMemory.
  bool memory = false;
};

class Io {
 public:
  virtual ~Io() = default;
  virtual const char* name() const = 0;

  virtual void read(const FileOp& op) = 0;
  virtual void write(const FileOp& op) = 0;
  /// fallocate of [offset, offset+length) with `mode`, which makes it read as zeroes; ends with 0.
  virtual void zero(const FileOp& op, int mode) = 0;
  /// fdatasync. `memory` as in FileOp.
  virtual void sync(int fd, uint64_t tag, bool memory) = 0;
  virtual void receive(int fd, void* buffer, uint32_t length, uint64_t tag) = 0;
  /// `message` and what it points to stay put until the completion.
  virtual void send(int fd, const msghdr* message, uint64_t tag) = 0;
  /// Takes the count of an eventfd once it is not zero; `value` stays put until the completion.
  virtual void awaitEvent(int fd, uint64_t* value, uint64_t tag) = 0;
  virtual void accept(int fd, uint64_t tag) = 0;
  /// `address` stays put until the completion.
  virtual void connect(int fd, const sockaddr* address, socklen_t length, uint64_t tag) = 0;
  /// Asks for an early end of the accept, connect or receive with this tag; that operation still
  /// completes, and only once.
  virtual void cancel(uint64_t tag) = 0;

  /// Buffers that FileOp::registered may name. False where the kernel or a limit refuses.
  virtual bool registerBuffers(const std::vector<iovec>& buffers) = 0;

  /// Hands everything over to the kernel, waits until there is a completion or `timeoutMicros` is
  /// over (0: do not wait, negative: no limit), and takes at most `capacity` completions.
  virtual uint32_t wait(int64_t timeoutMicros, Completion* completions, uint32_t capacity) = 0;

  /// Whether it pays to look for the next completion for some microseconds before sleeping: the
  /// work comes one by one, and somebody waits for each. Where it comes in batches, looking takes
  /// the processor from those who bring it, and makes the batches small.
  void setEager(bool eager) { eager_ = eager; }

  /// Operations not yet completed.
  uint32_t inFlight() const { return inFlight_; }
  uint64_t enters() const { return enters_; }

  /// Whether calls on this file never wait for a device. They are then made at once, on the
  /// reactor's thread: the kernel hands what it cannot do without waiting to a thread of its own,
  /// and believes that of every tmpfs file; waking that thread costs more than the copy.
  static bool inMemory(int fd);

 protected:
  void callNow(const FileOp& op, bool write);
  void zeroNow(const FileOp& op, int mode);
  void syncNow(int fd, uint64_t tag);
  /// Moves completions of calls made at once to the caller.
  uint32_t takeMade(Completion* completions, uint32_t capacity);

  std::vector<Completion> made_;
  uint32_t inFlight_ = 0;
  uint64_t enters_ = 0;
  bool eager_ = true;
};

/// Throws Failure IO_URING_UNAVAILABLE where the kernel or a policy refuses.
std::unique_ptr<Io> makeUring();
std::unique_ptr<Io> makeEpoll();

}  // namespace understudy
