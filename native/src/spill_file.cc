#include "spill_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#include "base.h"

namespace understudy {

struct SpillFile::State {
  std::string folder;
  uint64_t bytes = 0;
  std::shared_ptr<Bell> bell;
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<SpillJob> waiting, done;
  bool ending = false;
};

namespace {

/// One part in so many of a file system is left for others.
constexpr uint64_t kSpared = 32;

/// A descriptor that no other process can name, or a negative errno.
int anonymousIn(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
  // EISDIR is the answer of a kernel that takes the flag for an ordinary open.
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) return -errno;
  std::string name = folder + "/.understudy-spill-XXXXXX";
  const int named = mkostemp(name.data(), O_CLOEXEC);
  if (named < 0) return -errno;
  // Nobody ever finds it: with a name left behind it would outlive this process.
  if (unlink(name.c_str()) == 0) return named;
  const int error = errno;
  ::close(named);
  return -error;
}

int makeFile(const std::string& folder, uint64_t bytes) {
  const int fd = anonymousIn(folder);
  if (fd < 0) return fd;
  // Reserved now, so that it does not run out of room when it is needed; but a file system that has
  // too little is not asked, for it would give all that it has. Others shall have some left, too.
  struct statvfs system{};
  int result = -1, error = ENOSPC;
  const bool known = fstatvfs(fd, &system) == 0;
  const uint64_t spared = uint64_t{system.f_blocks} / kSpared * system.f_frsize;
  if (known && uint64_t{system.f_bavail} * system.f_frsize >= bytes + spared) {
    do result = fallocate(fd, 0, 0, off_t(bytes));
    while (result != 0 && errno == EINTR);
    error = errno;
  }
  if (result == 0) return fd;
  ::close(fd);
  return -error;
}

int32_t perform(int fd, const SpillJob& job) {
  uint32_t done = 0;
  while (done < job.length) {
    uint8_t* at = job.buffer.get() + done;
    const off_t offset = off_t(job.offset + done);
    const size_t left = job.length - done;
    const ssize_t got = job.kind == SpillJob::Kind::Write ? pwrite(fd, at, left, offset)
                                                          : pread(fd, at, left, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -errno;
    // Shorter than it was made: somebody else has cut it.
    if (got == 0) return -EIO;
    done += uint32_t(got);
  }
  return 0;
}

void work(std::shared_ptr<SpillFile::State> state) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  const auto tell = [&](SpillJob&& job) {
    {
      const std::lock_guard<std::mutex> guard(state->mutex);
      if (!state->ending) state->done.push_back(std::move(job));
    }
    state->bell->ring();
  };
  const int fd = makeFile(state->folder, state->bytes);
  SpillJob made;
  made.result = fd < 0 ? fd : 0;
  tell(std::move(made));
  while (fd >= 0) {
    SpillJob job;
    {
      std::unique_lock<std::mutex> lock(state->mutex);
      state->wake.wait(lock, [&] { return state->ending || !state->waiting.empty(); });
      if (state->ending) break;
      job = std::move(state->waiting.front());
      state->waiting.pop_front();
    }
    job.result = perform(fd, job);
    tell(std::move(job));
  }
  // Here and nowhere else: nothing can be under way on it.
  if (fd >= 0) ::close(fd);
}

}  // namespace

Bell::Bell() : fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd < 0) throw Failure("NO_MEMORY", "eventfd: " + describeErrno(errno));
}

Bell::~Bell() { ::close(fd); }

void Bell::ring() const {
  const uint64_t one = 1;
  // Refused only by a count that is full, which rings as well.
  (void)!::write(fd, &one, sizeof one);
}

SpillFile::SpillFile(const std::string& folder, uint64_t bytes, std::shared_ptr<Bell> bell)
    : state_(std::make_shared<State>()) {
  state_->folder = folder;
  state_->bytes = bytes;
  state_->bell = std::move(bell);
  try {
    std::thread(work, state_).detach();
  } catch (const std::system_error& error) {
    SpillJob made;
    made.result = -EAGAIN;
    state_->done.push_back(std::move(made));
    state_->bell->ring();
  }
}

SpillFile::~SpillFile() {
  std::deque<SpillJob> dropped;
  {
    const std::lock_guard<std::mutex> guard(state_->mutex);
    state_->ending = true;
    dropped.swap(state_->waiting);
  }
  state_->wake.notify_all();
}

void SpillFile::add(SpillJob&& job) {
  {
    const std::lock_guard<std::mutex> guard(state_->mutex);
    state_->waiting.push_back(std::move(job));
  }
  state_->wake.notify_one();
}

void SpillFile::take(std::deque<SpillJob>& done) {
  const std::lock_guard<std::mutex> guard(state_->mutex);
  for (SpillJob& job : state_->done) done.push_back(std::move(job));
  state_->done.clear();
}

}  // namespace understudy
