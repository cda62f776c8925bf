#include "worker_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base.h"

#ifndef RWF_DSYNC
#define RWF_DSYNC 0x2
#endif

namespace understudy {
namespace {

/// Enough to keep a disk's queue busy; more would only contend for two cores.
constexpr size_t kThreads = 4;

ssize_t write(const FileOp& op) {
  iovec part{op.buffer, op.length};
  if (!op.durable) return pwrite(op.fd, op.buffer, op.length, off_t(op.offset));
  const ssize_t result = pwritev2(op.fd, &part, 1, off_t(op.offset), RWF_DSYNC);
  if (result >= 0 || (errno != ENOSYS && errno != EOPNOTSUPP)) return result;
  // An old kernel: the same promise by two calls.
  const ssize_t written = pwrite(op.fd, op.buffer, op.length, off_t(op.offset));
  return written >= 0 && fdatasync(op.fd) != 0 ? -1 : written;
}

int32_t perform(const DiskJob& job) {
  const FileOp& op = job.op;
  ssize_t result = -1;
  switch (job.kind) {
    case DiskJob::Kind::Read: result = pread(op.fd, op.buffer, op.length, off_t(op.offset)); break;
    case DiskJob::Kind::Write: result = write(op); break;
    case DiskJob::Kind::Zero:
      result = fallocate(op.fd, job.mode, off_t(op.offset), off_t(op.length));
      break;
    case DiskJob::Kind::Sync: result = fdatasync(op.fd); break;
  }
  return result < 0 ? -errno : int32_t(result);
}

}  // namespace

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::add(const DiskJob& job) {
  if (threads_.empty())
    for (size_t i = 0; i < kThreads; i++) threads_.emplace_back([this] { work(); });
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    waiting_.push_back(job);
  }
  wake_.notify_one();
}

void WorkerPool::take(std::vector<Completion>& done) {
  const std::lock_guard<std::mutex> guard(mutex_);
  done.insert(done.end(), done_.begin(), done_.end());
  done_.clear();
}

void WorkerPool::work() {
  for (;;) {
    DiskJob job;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      job = waiting_.front();
      waiting_.pop_front();
    }
    const Completion completion{job.op.tag, perform(job)};
    bool first = false;
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      first = done_.empty();
      done_.push_back(completion);
    }
    const uint64_t one = 1;
    if (first)
      BELIEVE(::write(doneFd_, &one, sizeof one) == sizeof one, "an eventfd takes a result");
  }
}

}  // namespace understudy
