// The same operations where io_uring is switched off: sockets by edge-triggered readiness, disk
// calls by a few threads. Slower, and otherwise not to be told apart.
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <unordered_map>

#include "base.h"
#include "io.h"
#include "worker_pool.h"

namespace understudy {
namespace {

constexpr int kEvents = 64;

/// One socket operation; tried at once, and again whenever the socket may be ready.
struct SocketOp {
  enum class Kind { Receive, Send, Accept, Connect, Event } kind;
  int fd;
  void* buffer;
  uint32_t length;
  const msghdr* message;
  uint64_t tag;
};

bool writes(SocketOp::Kind kind) {
  return kind == SocketOp::Kind::Send || kind == SocketOp::Kind::Connect;
}

/// Operations that wait for one descriptor.
struct Waiting {
  bool reading = false, writing = false;
  SocketOp read, write;
  bool empty() const { return !reading && !writing; }
};

class Epoll final : public Io {
 public:
  Epoll() : epoll_(epoll_create1(EPOLL_CLOEXEC)), done_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (epoll_ < 0 || done_ < 0) throw Failure("NO_MEMORY", "epoll: " + describeErrno(errno));
    pool_ = std::make_unique<WorkerPool>(done_);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = done_;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, done_, &event);
  }

  ~Epoll() override {
    pool_.reset();
    close(done_);
    close(epoll_);
  }

  const char* name() const override { return "epoll"; }

  void read(const FileOp& op) override {
    if (op.memory) return callNow(op, false);
    job(DiskJob::Kind::Read, op);
  }
  void write(const FileOp& op) override {
    if (op.memory) return callNow(op, true);
    job(DiskJob::Kind::Write, op);
  }
  void zero(const FileOp& op, int mode) override {
    if (op.memory) return zeroNow(op, mode);
    inFlight_++;
    pool_->add({DiskJob::Kind::Zero, op, mode});
  }
  void sync(int fd, uint64_t tag, bool memory) override {
    if (memory) return syncNow(fd, tag);
    FileOp op{};
    op.fd = fd;
    op.tag = tag;
    job(DiskJob::Kind::Sync, op);
  }

  void receive(int fd, void* buffer, uint32_t length, uint64_t tag) override {
    begin({SocketOp::Kind::Receive, fd, buffer, length, nullptr, tag});
  }
  void send(int fd, const msghdr* message, uint64_t tag) override {
    begin({SocketOp::Kind::Send, fd, nullptr, 0, message, tag});
  }
  void awaitEvent(int fd, uint64_t* value, uint64_t tag) override {
    unblock(fd);
    begin({SocketOp::Kind::Event, fd, value, sizeof *value, nullptr, tag});
  }
  void accept(int fd, uint64_t tag) override {
    unblock(fd);
    begin({SocketOp::Kind::Accept, fd, nullptr, 0, nullptr, tag});
  }

  void connect(int fd, const sockaddr* address, socklen_t length, uint64_t tag) override {
    unblock(fd);
    const SocketOp op{SocketOp::Kind::Connect, fd, nullptr, 0, nullptr, tag};
    inFlight_++;
    if (::connect(fd, address, length) == 0) return finish(op, 0);
    if (errno != EINPROGRESS) return finish(op, -errno);
    park(op);
  }

  void cancel(uint64_t tag) override {
    for (auto& [fd, waiting] : waiting_) {
      if (waiting.reading && waiting.read.tag == tag) {
        waiting.reading = false;
        return finish(waiting.read, -ECANCELED);
      }
      if (waiting.writing && waiting.write.tag == tag) {
        waiting.writing = false;
        return finish(waiting.write, -ECANCELED);
      }
    }
  }

  bool registerBuffers(const std::vector<iovec>&) override { return false; }

  uint32_t wait(int64_t timeoutMicros, Completion* completions, uint32_t capacity) override {
    if (ready_.empty()) pool_->take(ready_);
    const int64_t limit = ready_.empty() && made_.empty() ? timeoutMicros : 0;
    // Rounded up: a deadline may be met late, never early.
    const int millis = limit < 0 ? -1 : int((limit + 999) / 1000);
    epoll_event events[kEvents];
    enters_++;
    const int count = epoll_wait(epoll_, events, kEvents, millis);
    for (int i = 0; i < count; i++) happened(events[i]);
    const uint32_t made = takeMade(completions, capacity);
    uint32_t taken = 0;
    for (; made + taken < capacity && taken < ready_.size(); taken++)
      completions[made + taken] = ready_[taken];
    ready_.erase(ready_.begin(), ready_.begin() + taken);
    inFlight_ -= taken;
    return made + taken;
  }

 private:
  void job(DiskJob::Kind kind, const FileOp& op) {
    inFlight_++;
    pool_->add({kind, op});
  }

  static void unblock(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

  void begin(const SocketOp& op) {
    inFlight_++;
    int32_t result = 0;
    if (attempt(op, result)) return finish(op, result);
    park(op);
  }

  void finish(const SocketOp& op, int32_t result) { ready_.push_back({op.tag, result}); }

  /// False when it would block.
  static bool attempt(const SocketOp& op, int32_t& result) {
    ssize_t got = -1;
    switch (op.kind) {
      case SocketOp::Kind::Receive: got = recv(op.fd, op.buffer, op.length, MSG_DONTWAIT); break;
      case SocketOp::Kind::Send:
        got = sendmsg(op.fd, op.message, MSG_DONTWAIT | MSG_NOSIGNAL);
        break;
      case SocketOp::Kind::Event: got = ::read(op.fd, op.buffer, op.length); break;
      case SocketOp::Kind::Accept: got = accept4(op.fd, nullptr, nullptr, SOCK_CLOEXEC); break;
      case SocketOp::Kind::Connect: {
        int error = 0;
        socklen_t length = sizeof error;
        getsockopt(op.fd, SOL_SOCKET, SO_ERROR, &error, &length);
        result = -error;
        return true;
      }
    }
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    result = got < 0 ? -errno : int32_t(got);
    return true;
  }

  void park(const SocketOp& op) {
    Waiting& waiting = waiting_[op.fd];
    (writes(op.kind) ? waiting.writing : waiting.reading) = true;
    (writes(op.kind) ? waiting.write : waiting.read) = op;
    // Registering anew each time asks the kernel to look again, and cannot be fooled by a number
    // that was closed and given to another socket.
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.fd = op.fd;
    if (epoll_ctl(epoll_, EPOLL_CTL_MOD, op.fd, &event) == 0 || errno != ENOENT) return;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, op.fd, &event);
  }

  void happened(const epoll_event& event) {
    const int fd = event.data.fd;
    if (fd == done_) {
      uint64_t count = 0;
      const ssize_t got = ::read(done_, &count, sizeof count);
      if (got == sizeof count) pool_->take(ready_);
      return;
    }
    const auto found = waiting_.find(fd);
    if (found == waiting_.end()) return;
    Waiting& waiting = found->second;
    int32_t result = 0;
    if (waiting.reading && attempt(waiting.read, result)) {
      waiting.reading = false;
      finish(waiting.read, result);
    }
    const bool out = (event.events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0;
    if (waiting.writing && out && attempt(waiting.write, result)) {
      waiting.writing = false;
      finish(waiting.write, result);
    }
    if (waiting.empty()) waiting_.erase(found);
  }

  int epoll_, done_;
  std::unique_ptr<WorkerPool> pool_;
  std::unordered_map<int, Waiting> waiting_;
  std::vector<Completion> ready_;
};

}  // namespace

std::unique_ptr<Io> makeEpoll() { return std::make_unique<Epoll>(); }

}  // namespace understudy
