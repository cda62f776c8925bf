// An anonymous file for what is too much for memory, and the one thread that touches it. Whatever
// may block stands there, the folder's own answers included, so that a disk that hangs stops
// neither a reactor nor the disks of its replica. Whoever lets go of it waits for nothing: its
// thread, its descriptor and its buffers live on until the last call on it has returned.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

namespace understudy {

/// An eventfd that both a reactor and threads that may outlive it can name.
struct Bell {
  /// Throws Failure NO_MEMORY.
  Bell();
  ~Bell();
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  void ring() const;
  int fd;
};

/// One call on the file. Its buffer comes back with the result, and not before.
struct SpillJob {
  enum class Kind { Make, Write, Read } kind = Kind::Make;
  std::unique_ptr<uint8_t[]> buffer;
  uint32_t length = 0;
  uint64_t offset = 0;
  /// 0, or a negative errno. A read or write of less than all is an error.
  int32_t result = 0;
};

class SpillFile {
 public:
  /// Begins to make a file of `bytes`, all of them reserved, in `folder`; the Make that says how
  /// that ended is the first job that comes back. `bell` is rung for each.
  SpillFile(const std::string& folder, uint64_t bytes, std::shared_ptr<Bell> bell);
  ~SpillFile();
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  /// Jobs are done one after the other.
  void add(SpillJob&& job);
  /// Moves what has been done since the last call to the end of `done`.
  void take(std::deque<SpillJob>& done);

  struct State;
  /// Expires when the file is closed and nothing of it is with the kernel.
  std::weak_ptr<const State> life() const { return state_; }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace understudy
