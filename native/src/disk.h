// One replica on real files or block devices: its data in one part or several, one behind the
// other for the engine, metadata area, the locks that keep a second host off. Retries nothing that
// failed; what a failure means, the engine decides.
#pragma once
#include <string>
#include <vector>

#include "core.h"

namespace understudy {

enum class Direct { Auto, On, Off };

/// A part of the volume: where its bytes stand, and the name under which clients have it.
struct PartOptions {
  std::string name, path;
  uint64_t sizeBytes;
};

struct DiskOptions {
  /// In the order in which the engine counts their bytes; whole pages each where there are several.
  std::vector<PartOptions> parts;
  /// Pages behind the data of each part that say what it is: others read and write them.
  uint32_t labelPages = 0;
  /// Empty: metadata stands behind the data of the last part, on the same file or device.
  std::string metaPath;
  /// Empty: the side area, if there is one, stands behind the metadata.
  std::string sidePath;
  uint64_t sizeBytes = 0;
  uint64_t sideBytes = 0;
  uint32_t metaPages = 0;
  uint32_t blockBytes = 4096;
  uint32_t zeroBytes = 4096;
  Direct direct = Direct::Auto;
  /// How long to wait for a lock: a killed process's ring lets go of it a moment later.
  int64_t lockWaitMicros = 1000000;
};

/// Reads a page of a file or device, past the system's memory where an opening goes past it too:
/// only there the device's own errors are heard. Answers the bytes that came, or a negative errno.
int32_t readPageOf(const std::string& path, uint64_t at, uint8_t* page);

class Disk {
 public:
  explicit Disk(Core& core) : core_(core) {}
  ~Disk() { close(); }
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  /// Throws Failure REPLICA_MISSING, _DENIED, _KIND, _BUSY, _SIZE, _DIRECT, _IO.
  void open(const DiskOptions& options);
  /// Lets go of the replica and its locks; nothing may be in flight.
  void close();
  /// Whether all of the data is open with O_DIRECT.
  bool direct() const { return direct_; }
  /// Of several parts, the names of those that have not answered yet what they were asked, "meta:"
  /// and "side:" for disks that have only these; "" for none.
  std::string waitedFor() const;

  void readSlot(const Record& decision) { start(decision, false); }
  void writeSlot(const Record& decision) { start(decision, true); }
  void flush(uint32_t token);
  void readPage(const Record& decision);
  void writePage(const uint8_t* content, const Record& decision);
  /// After the decisions of a turn: starts what was gathered.
  void endTurn() { startSync(); }

  void slotCompleted(int32_t slot, int32_t result);
  void syncCompleted(int32_t part, int32_t result);
  struct PageOp;
  void pageCompleted(PageOp* op, int32_t result);

  struct PageOp {
    uint8_t* buffer;
    uint64_t page;
    uint32_t token;
    bool write, side;
  };

 private:
  /// How zeroes are being made: by fallocate, by writing them; at last they are made durable.
  enum class Way : uint8_t { Punch, Range, Write, Sync };
  struct SlotOp {
    uint64_t offset = 0;
    uint32_t length = 0, done = 0;
    /// Where in the slot it is, and the page of the metadata area in which it stands, or 0.
    uint32_t at = 0, page = 0;
    bool write = false, durable = false, check = false, digest = false;
    /// The digest is of a copy, under the key of the slot's link.
    bool keyed = false;
    /// A page with the checksums of what is written, or a wish for those of what is read.
    bool sums = false;
    uint8_t* summed = nullptr;
    /// A write of zeroes, or a read that is asked whether it brought nothing else.
    bool zero = false, unmap = false, side = false;
    /// More of the slot is to come: nothing is said of it yet.
    bool part = false;
    bool running = false;
    Way way = Way::Write, from = Way::Punch;
  };
  /// One part: the bytes [begin, end) of the volume.
  struct Part {
    std::string name;
    int fd;
    uint64_t begin, end;
    bool inMemory;
    /// What fallocate can do on this file or device, as far as it is known.
    bool punches = true, zeroes = true;
    bool syncing = false;
  };
  Part& partAt(uint64_t offset);
  const Part& partAt(uint64_t offset) const { return const_cast<Disk*>(this)->partAt(offset); }
  void openPart(const PartOptions& part, const DiskOptions& options, int64_t deadline);
  void sync(size_t part);
  void forget(SlotOp op, int32_t slot) const;
  const Part& partOf(const SlotOp& op) const;
  bool isBehindData(bool side) const { return (side ? side_ : meta_) == parts_.back().fd; }
  const char* areaDisk(bool side) const { return side && side_ != meta_ ? "side" : "meta"; }
  void failed(const char* what, const std::string& where, int32_t error);
  void areaFailed(bool write, bool side, int32_t error);
  int openOne(const std::string& path, const DiskOptions& options, bool& direct);
  void openSide(const DiskOptions& options, int64_t deadline);
  void lock(int fd, const std::string& path, int64_t deadline);
  void start(const Record& decision, bool write);
  void submit(int32_t slot);
  FileOp placed(const SlotOp& op, int32_t slot) const;
  void submitZeroes(int32_t slot);
  void startZeroSync(int32_t slot);
  void zeroesCompleted(int32_t slot, int32_t result);
  void ended(int32_t slot, int32_t outcome, int32_t flags);
  uint8_t* sumsOf(int32_t slot, const SlotOp& op);
  bool agrees(int32_t slot, const SlotOp& op);
  void startPage(const Record& decision, const uint8_t* content);
  void submit(PageOp* op);
  void startSync();

  Core& core_;
  std::vector<Part> parts_;
  int meta_ = -1, side_ = -1;
  uint64_t metaBase_ = 0, sideBase_ = 0, sideBytes_ = 0;
  uint32_t metaPages_ = 0;
  bool direct_ = false, metaDirect_ = false, sideDirect_ = false;
  bool metaInMemory_ = false, sideInMemory_ = false;
  std::vector<SlotOp> slotOps_;
  std::vector<PageOp*> freePageOps_;
  std::vector<std::unique_ptr<PageOp>> pageOps_;
  /// Pages of the metadata and of the side area that are under way.
  size_t pagesRunning_[2] = {0, 0};
  /// Tokens of the running fdatasync, and of flushes decided since: one more covers them all.
  std::vector<uint32_t> syncing_, waiting_;
  /// Parts whose fdatasync is running, and the first error of those that are done.
  size_t syncsLeft_ = 0;
  int32_t syncError_ = 0;
};

}  // namespace understudy
