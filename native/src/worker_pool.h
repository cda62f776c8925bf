// A few threads that do blocking disk calls for the epoll personality; results come back through an
// eventfd. They touch nothing but the operation they are given.
#pragma once
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "io.h"

namespace understudy {

struct DiskJob {
  enum class Kind { Read, Write, Zero, Sync } kind;
  FileOp op;
  /// Of a Zero: what fallocate is to do.
  int mode = 0;
};

class WorkerPool {
 public:
  /// `doneFd` is an eventfd, which counts up after each result.
  explicit WorkerPool(int doneFd) : doneFd_(doneFd) {}
  ~WorkerPool();
  void add(const DiskJob& job);
  /// Appends what has been done since the last call.
  void take(std::vector<Completion>& done);

 private:
  void work();

  int doneFd_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<DiskJob> waiting_;
  std::vector<Completion> done_;
  std::vector<std::thread> threads_;
  bool ending_ = false;
};

}  // namespace understudy
