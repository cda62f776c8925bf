// One volume's share of a host: slots, replica, NBD export, replication links, all on one thread.
// It carries out what the engine decides and tells it what happened; it decides nothing about data.
#pragma once
#include <optional>
#include <string>

#include "core.h"
#include "disk.h"
#include "nbd.h"
#include "peer.h"

namespace understudy {

enum class Personality { Auto, Uring, Epoll };

struct ReactorOptions {
  Layout layout;
  DiskOptions disk;
  Identity identity;
  std::optional<std::vector<uint8_t>> key;
  Personality personality = Personality::Auto;
  int64_t keepaliveMicros = 500000;
  int64_t silenceMicros = 2000000;
  std::vector<SpillWish> spills;
};

/// Memory shared with JavaScript; lives as long as either side holds it.
struct SharedMemory {
  explicit SharedMemory(size_t bytes);
  ~SharedMemory();
  uint8_t* at;
  size_t bytes;
};

class Reactor {
 public:
  explicit Reactor(const ReactorOptions& options);
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  /// Carries out `count` decisions, waits for an event, a wake or the deadline (microseconds of
  /// bootMicros; infinity for none), and returns how many events stand in the shared memory.
  uint32_t poll(uint32_t count, double deadlineMicros);

  uint16_t listenNbd(const std::string& host, uint16_t port, const std::string& name);
  void listenNbdPath(const std::string& path, const std::string& name);
  void setExport(bool open) { nbd_.setOpen(open); }
  void setExportBytes(uint64_t bytes) { nbd_.setBytes(bytes); }
  uint16_t listenPeer(const std::string& host, uint16_t port);
  void connectPeer(uint16_t node, const std::string& host, uint16_t port);

  /// Ends every connection, waits for the disk, closes everything. Further calls are not allowed.
  void close();
  bool closed() const { return closed_; }

  const std::shared_ptr<SharedMemory>& memory() const { return memory_; }
  const std::shared_ptr<SharedMemory>& clock() const { return clock_; }
  int wakeFd() const { return wakeFd_; }
  const Stats& stats() const { return core_->stats; }
  const char* personality() const { return core_->io->name(); }
  bool direct() const { return disk_.direct(); }
  std::string waitedFor() const { return disk_.waitedFor(); }
  std::vector<SpillStatus> spills() const { return peers_.spills(); }
  uint64_t enters() const { return core_->io->enters(); }
  uint32_t registeredBytes() const { return core_->slots.registeredBytes(); }

 private:
  void execute(const Record& decision);
  void handle(const Completion& completion);
  void sendQueued();
  void resumeStalled();
  void sweep();
  void inspect(bool judgeSilence);
  void armWake();
  void accept(Listener& listener);
  void accepted(Listener* listener, int32_t result);
  void turn(int64_t timeoutMicros);
  void tick();

  std::unique_ptr<Core> core_;
  std::shared_ptr<SharedMemory> memory_, clock_;
  Disk disk_;
  NbdServer nbd_;
  PeerNetwork peers_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  Record* events_;
  Record* decisions_;
  uint8_t *inPages_, *outPages_;
  double timerAt_;
  /// Events per turn of late, and bytes on sockets.
  double batch_ = 1, bytes_ = 0;
  uint64_t moved_ = 0;
  int64_t inspectAt_ = 0, trimAt_ = 0, polledAt_ = 0;
  int wakeFd_ = -1;
  uint64_t wakeCount_ = 0;
  bool woken_ = false, wakeArmed_ = false, resume_ = false, closed_ = false, ending_ = false;
};

}  // namespace understudy
