// io_uring by raw system calls: no library, so one build runs on every distribution. Owned by the
// thread that made it.
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "base.h"
#include "io.h"

#ifndef RWF_DSYNC
#define RWF_DSYNC 0x2
#endif

namespace understudy {
namespace {

constexpr uint32_t kSqEntries = 512;
constexpr uint32_t kCqEntries = 4096;
/// Tag of cancel requests, whose own completion nobody waits for.
constexpr uint64_t kCancelTag = ~uint64_t{0};
/// How long to look for completions before sleeping, and how long after the last one.
constexpr int64_t kLookMicros = 30, kBusyMicros = 200;

class Uring final : public Io {
 public:
  Uring() {
    io_uring_params params{};
    const uint32_t wishes[] = {
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE |
            IORING_SETUP_CLAMP,
        IORING_SETUP_COOP_TASKRUN | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
        IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
    };
    for (const uint32_t flags : wishes) {
      params = {};
      params.flags = flags;
      params.cq_entries = kCqEntries;
      fd_ = static_cast<int>(syscall(__NR_io_uring_setup, kSqEntries, &params));
      if (fd_ >= 0 || errno != EINVAL) break;
    }
    if (fd_ < 0) throw Failure("IO_URING_UNAVAILABLE", "io_uring_setup: " + describeErrno(errno));
    const uint32_t needed = IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP | IORING_FEAT_SINGLE_MMAP;
    if ((params.features & needed) != needed) {
      close(fd_);
      throw Failure("IO_URING_UNAVAILABLE", "this kernel's io_uring has no timed wait (5.11 has)");
    }
    map(params);
  }

  ~Uring() override {
    munmap(entries_, entriesBytes_);
    munmap(ring_, ringBytes_);
    close(fd_);
  }

  const char* name() const override { return "io_uring"; }

  void read(const FileOp& op) override {
    if (op.memory) return callNow(op, false);
    file(op, op.registered >= 0 ? IORING_OP_READ_FIXED : IORING_OP_READ);
  }
  void write(const FileOp& op) override {
    if (op.memory) return callNow(op, true);
    file(op, op.registered >= 0 ? IORING_OP_WRITE_FIXED : IORING_OP_WRITE);
  }

  void zero(const FileOp& op, int mode) override {
    if (op.memory) return zeroNow(op, mode);
    io_uring_sqe* sqe = next(IORING_OP_FALLOCATE, op.fd, op.tag);
    sqe->addr = op.length;
    sqe->len = static_cast<uint32_t>(mode);
    sqe->off = op.offset;
  }

  void sync(int fd, uint64_t tag, bool memory) override {
    if (memory) return syncNow(fd, tag);
    io_uring_sqe* sqe = next(IORING_OP_FSYNC, fd, tag);
    sqe->fsync_flags = IORING_FSYNC_DATASYNC;
  }

  void receive(int fd, void* buffer, uint32_t length, uint64_t tag) override {
    io_uring_sqe* sqe = next(IORING_OP_RECV, fd, tag);
    sqe->addr = reinterpret_cast<uint64_t>(buffer);
    sqe->len = length;
  }

  void send(int fd, const msghdr* message, uint64_t tag) override {
    io_uring_sqe* sqe = next(IORING_OP_SENDMSG, fd, tag);
    sqe->addr = reinterpret_cast<uint64_t>(message);
    sqe->len = 1;
    sqe->msg_flags = MSG_NOSIGNAL;
  }

  void awaitEvent(int fd, uint64_t* value, uint64_t tag) override {
    io_uring_sqe* sqe = next(IORING_OP_READ, fd, tag);
    sqe->addr = reinterpret_cast<uint64_t>(value);
    sqe->len = sizeof *value;
    sqe->off = ~uint64_t{0};
  }

  void accept(int fd, uint64_t tag) override {
    io_uring_sqe* sqe = next(IORING_OP_ACCEPT, fd, tag);
    sqe->accept_flags = SOCK_CLOEXEC;
  }

  void connect(int fd, const sockaddr* address, socklen_t length, uint64_t tag) override {
    io_uring_sqe* sqe = next(IORING_OP_CONNECT, fd, tag);
    sqe->addr = reinterpret_cast<uint64_t>(address);
    sqe->off = length;
  }

  void cancel(uint64_t tag) override {
    io_uring_sqe* sqe = next(IORING_OP_ASYNC_CANCEL, -1, kCancelTag);
    sqe->addr = tag;
  }

  bool registerBuffers(const std::vector<iovec>& buffers) override {
    return syscall(__NR_io_uring_register, fd_, IORING_REGISTER_BUFFERS, buffers.data(),
                   buffers.size()) == 0;
  }

  uint32_t wait(int64_t timeoutMicros, Completion* completions, uint32_t capacity) override {
    const bool block = timeoutMicros != 0 && made_.empty() && !ready();
    if (!block || !lookAgain(timeoutMicros)) enter(block, timeoutMicros);
    const uint32_t taken = takeMade(completions, capacity);
    const uint32_t count = taken + reap(completions + taken, capacity - taken);
    if (count > 0) busyUntil_ = bootMicros() + kBusyMicros;
    return count;
  }

 private:
  void map(const io_uring_params& params) {
    const size_t sqBytes = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
    const size_t cqBytes = params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe);
    ringBytes_ = sqBytes > cqBytes ? sqBytes : cqBytes;
    entriesBytes_ = params.sq_entries * sizeof(io_uring_sqe);
    ring_ = mmap(nullptr, ringBytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_,
                 IORING_OFF_SQ_RING);
    entries_ = mmap(nullptr, entriesBytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_,
                    IORING_OFF_SQES);
    if (ring_ == MAP_FAILED || entries_ == MAP_FAILED) {
      const int error = errno;
      if (ring_ != MAP_FAILED) munmap(ring_, ringBytes_);
      if (entries_ != MAP_FAILED) munmap(entries_, entriesBytes_);
      close(fd_);
      throw Failure("IO_URING_UNAVAILABLE", "mapping the ring: " + describeErrno(error));
    }
    char* at = static_cast<char*>(ring_);
    sqHead_ = reinterpret_cast<uint32_t*>(at + params.sq_off.head);
    sqTail_ = reinterpret_cast<uint32_t*>(at + params.sq_off.tail);
    sqMask_ = *reinterpret_cast<uint32_t*>(at + params.sq_off.ring_mask);
    sqCapacity_ = params.sq_entries;
    cqHead_ = reinterpret_cast<uint32_t*>(at + params.cq_off.head);
    cqTail_ = reinterpret_cast<uint32_t*>(at + params.cq_off.tail);
    cqMask_ = *reinterpret_cast<uint32_t*>(at + params.cq_off.ring_mask);
    cqes_ = reinterpret_cast<io_uring_cqe*>(at + params.cq_off.cqes);
    uint32_t* array = reinterpret_cast<uint32_t*>(at + params.sq_off.array);
    for (uint32_t i = 0; i < params.sq_entries; i++) array[i] = i;
    tail_ = *sqTail_;
  }

  io_uring_sqe* next(uint8_t opcode, int fd, uint64_t tag) {
    while (tail_ - __atomic_load_n(sqHead_, __ATOMIC_ACQUIRE) == sqCapacity_) enter(false, 0);
    io_uring_sqe* sqe = static_cast<io_uring_sqe*>(entries_) + (tail_ & sqMask_);
    memset(sqe, 0, sizeof *sqe);
    sqe->opcode = opcode;
    sqe->fd = fd;
    sqe->user_data = tag;
    tail_++;
    inFlight_++;
    return sqe;
  }

  void file(const FileOp& op, uint8_t opcode) {
    io_uring_sqe* sqe = next(opcode, op.fd, op.tag);
    sqe->addr = reinterpret_cast<uint64_t>(op.buffer);
    sqe->len = op.length;
    sqe->off = op.offset;
    if (op.registered >= 0) sqe->buf_index = static_cast<uint16_t>(op.registered);
    if (op.durable) sqe->rw_flags = RWF_DSYNC;
  }

  bool ready() const { return *cqHead_ != __atomic_load_n(cqTail_, __ATOMIC_ACQUIRE); }

  /// Under load the next completion is a few microseconds away, and going to sleep and being woken
  /// costs more than that: a write at queue depth 1 takes half as long with this. Others that want
  /// the processor get it. False when there is nothing yet, no load, or too much (setEager).
  bool lookAgain(int64_t timeoutMicros) {
    if (!eager_) return false;
    const int64_t now = bootMicros();
    if (now >= busyUntil_) return false;
    const int64_t limit = timeoutMicros < 0 ? kLookMicros : std::min(timeoutMicros, kLookMicros);
    const int64_t until = now + limit;
    enter(false, 0);
    while (!ready() && bootMicros() < until) {
      sched_yield();
      enter(false, 0);
    }
    return ready();
  }

  void enter(bool block, int64_t timeoutMicros) {
    __atomic_store_n(sqTail_, tail_, __ATOMIC_RELEASE);
    const uint32_t pending = tail_ - __atomic_load_n(sqHead_, __ATOMIC_ACQUIRE);
    __kernel_timespec limit{};
    io_uring_getevents_arg argument{};
    argument.sigmask_sz = _NSIG / 8;
    if (timeoutMicros > 0) {
      limit.tv_sec = timeoutMicros / 1000000;
      limit.tv_nsec = timeoutMicros % 1000000 * 1000;
      argument.ts = reinterpret_cast<uint64_t>(&limit);
    }
    enters_++;
    const long result =
        syscall(__NR_io_uring_enter, fd_, pending, block ? 1u : 0u,
                IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &argument, sizeof argument);
    if (result >= 0) return;
    // ETIME and EINTR end a wait; EAGAIN and EBUSY mean that completions must be taken first.
    const int error = errno;
    BELIEVE(error == ETIME || error == EINTR || error == EAGAIN || error == EBUSY,
            "io_uring_enter accepts our calls");
  }

  uint32_t reap(Completion* completions, uint32_t capacity) {
    uint32_t head = *cqHead_, count = 0;
    const uint32_t tail = __atomic_load_n(cqTail_, __ATOMIC_ACQUIRE);
    for (; head != tail && count < capacity; head++) {
      const io_uring_cqe& cqe = cqes_[head & cqMask_];
      inFlight_--;
      if (cqe.user_data == kCancelTag) continue;
      completions[count++] = {cqe.user_data, cqe.res};
    }
    __atomic_store_n(cqHead_, head, __ATOMIC_RELEASE);
    return count;
  }

  int fd_ = -1;
  void* ring_ = nullptr;
  void* entries_ = nullptr;
  size_t ringBytes_ = 0, entriesBytes_ = 0;
  uint32_t *sqHead_ = nullptr, *sqTail_ = nullptr, *cqHead_ = nullptr, *cqTail_ = nullptr;
  uint32_t sqMask_ = 0, sqCapacity_ = 0, cqMask_ = 0, tail_ = 0;
  io_uring_cqe* cqes_ = nullptr;
  int64_t busyUntil_ = 0;
};

}  // namespace

std::unique_ptr<Io> makeUring() { return std::make_unique<Uring>(); }

}  // namespace understudy
