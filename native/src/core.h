// What the parts of one reactor share: the event queue, the page pool, the counters, the time of
// this turn, and the tags by which completions find their way back.
#pragma once
#include <string>
#include <vector>

#include "abi.h"
#include "base.h"
#include "io.h"
#include "siphash.h"
#include "slots.h"

namespace understudy {

class Stream;

/// Which part of the reactor a completion belongs to; in the top byte of its tag.
enum class Tag : uint8_t { Receive = 1, Send, Connect, Slot, Flush, Page, Accept, Wake, Spill };

inline uint64_t tagOf(Tag kind, uint64_t value) {
  return uint64_t{static_cast<uint8_t>(kind)} << 56 | value;
}
inline uint64_t tagOf(Tag kind, const void* at) {
  return tagOf(kind, reinterpret_cast<uint64_t>(at));
}
inline Tag tagKind(uint64_t tag) { return static_cast<Tag>(tag >> 56); }
template <typename T>
inline T* tagPointer(uint64_t tag) {
  return reinterpret_cast<T*>(tag & ((uint64_t{1} << 56) - 1));
}
inline int32_t tagIndex(uint64_t tag) { return static_cast<int32_t>(tag & 0xffffffff); }

/// Page-aligned 4 KiB buffers for metadata and messages on their way; grows, never shrinks.
class PagePool {
 public:
  ~PagePool();
  uint8_t* take();
  void give(uint8_t* page) { free_.push_back(page); }
  void leak() { chunks_.clear(); }

 private:
  std::vector<uint8_t*> free_;
  std::vector<void*> chunks_;
};

/// Events on their way to the engine, in order.
class EventQueue {
 public:
  explicit EventQueue(PagePool& pages) : pages_(pages) {}

  void push(const Record& record, uint8_t* page = nullptr) { entries_.push_back({record, page}); }
  size_t size() const { return entries_.size() - head_; }
  bool empty() const { return size() == 0; }
  /// Moves as many as fit into the shared memory; pages into in-pages. Returns how many.
  uint32_t deliver(Record* events, uint32_t capacity, uint8_t* inPages, uint32_t inPageCount);

 private:
  struct Entry {
    Record record;
    uint8_t* page;
  };
  PagePool& pages_;
  std::vector<Entry> entries_;
  size_t head_ = 0;
};

struct Stats {
  uint64_t polls = 0, events = 0, decisions = 0;
  uint64_t nbdConnections = 0, nbdRefused = 0, nbdRejected = 0, nbdRequests = 0, nbdTimeouts = 0;
  uint64_t peerConnections = 0, peerRefused = 0, authFailures = 0, framesRejected = 0,
           checksumFailures = 0;
  uint64_t framesSent = 0, framesReceived = 0, bytesSent = 0, bytesReceived = 0;
  uint64_t linksUp = 0, linksDown = 0, linksSilent = 0, connectFailures = 0;
  uint64_t localReads = 0, localWrites = 0, localFlushes = 0, syncs = 0, metaReads = 0,
           metaWrites = 0;
  uint64_t stalls = 0;
  /// Operations on its disks that failed, and where the last one did, if there are several parts.
  uint64_t diskFaults = 0;
  std::string lastFault;
  const char* lastRefusal = "";
};

struct Core {
  explicit Core(const Layout& l) : layout(l), slots(l), events(pages), copyKeys(l.slots()) {}
  ~Core() { wipe(copyKeys.data(), copyKeys.size() * sizeof(SipKey)); }

  Layout layout;
  uint64_t sizeBytes = 0;
  /// Smallest unit of a request.
  uint32_t blockBytes = 4096;
  /// Longest write of zeroes that the engine takes at once, a multiple of the block.
  uint32_t zeroBytes = 4096;
  Slots slots;
  PagePool pages;
  EventQueue events;
  /// For each slot the key of copies' digests on the link by which it asked last, or was asked.
  std::vector<SipKey> copyKeys;
  std::unique_ptr<Io> io;
  Stats stats;
  int64_t now = 0;
  SlotHeader* headers = nullptr;

  /// Streams with something to send, with a reason to go on, and on their way out.
  std::vector<Stream*> sending, stalled, closing;

  /// Whether so many events wait that connections must not bring more.
  bool crowded() const { return events.size() >= layout.events; }
};

}  // namespace understudy
