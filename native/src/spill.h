// What waits to be sent on one link and is too much for memory: a queue, strictly first in first
// out, whose middle stands in a file used as a ring. Knows no protocol. What comes back is checked:
// a disk that answers with other bytes ends the link, and never sends them.
#pragma once
#include <deque>
#include <string>
#include <vector>

#include "spill_file.h"
#include "stream.h"

namespace understudy {

struct SpillOptions {
  std::string folder;
  /// Bytes of the file.
  uint64_t fileBytes = 0;
  /// Bytes that wait in memory for the socket before anything goes into the file.
  uint64_t memoryBytes = 64 << 20;
  /// Bytes in memory that wait for the file before more are left in their slots, or the link ends.
  uint64_t waitingBytes = 128 << 20;
  /// Whether clients wait for a file that is slower than they are.
  bool waits = true;
};

class Spill {
 public:
  enum class State { Making, On, Failed };

  Spill(Core& core, const SpillOptions& options, std::shared_ptr<Bell> bell);
  ~Spill();
  Spill(const Spill&) = delete;
  Spill& operator=(const Spill&) = delete;

  /// Takes the item over if it must go behind what is here, or if so much waits before it.
  bool put(const Outgoing& item, uint64_t bytesAhead, size_t itemsAhead);
  /// The next one in order, where it is in memory.
  bool next(Outgoing& item);
  /// Whether anything is here.
  bool engaged() const { return held_ > 0; }
  /// So much waits for the file that no more may be copied for it.
  bool full() const { return tailBytes_ >= options_.waitingBytes || tail_.size() >= kTailMax; }
  bool waits() const { return options_.waits; }
  /// Items in memory that wait for the file.
  size_t waiting() const { return tail_.size(); }

  /// Takes what the file has done, and gives it more.
  void pump();
  /// Whether the file owes a call since `limit` microseconds, or came to nothing.
  void judge(int64_t limit);
  State state() const { return state_; }
  /// Why it failed, "" where it did not.
  const std::string& reason() const { return reason_; }
  /// Bytes in the file.
  uint64_t bytes() const { return wrote_ - freed_; }
  uint64_t fileBytes() const { return options_.fileBytes; }
  std::weak_ptr<const SpillFile::State> life() const { return file_->life(); }

 private:
  /// Most items that wait for the file: some have no payload.
  static constexpr size_t kTailMax = 32768;

  void done(SpillJob&& job);
  void write();
  void read();
  uint32_t serialize(uint8_t* to, uint32_t room);
  void parse(const uint8_t* from, uint32_t count);
  bool begun();
  void finished();
  void fail(const std::string& reason);
  std::unique_ptr<uint8_t[]> buffer();
  void submit(SpillJob::Kind kind, std::unique_ptr<uint8_t[]> buffer, uint32_t length, uint64_t at);

  Core& core_;
  SpillOptions options_;
  std::unique_ptr<SpillFile> file_;
  State state_ = State::Making;
  std::string reason_;
  /// Everything that was put and not given back.
  size_t held_ = 0;
  /// Read from the file already; behind it is the file, behind that the tail.
  std::deque<Outgoing> back_;
  uint64_t backBytes_ = 0;
  std::deque<Outgoing> tail_;
  uint64_t tailBytes_ = 0;
  // Places in the ring, counted on without end: handed to the file, done, asked for, taken out.
  uint64_t wrote_ = 0, written_ = 0, asked_ = 0, freed_ = 0;
  size_t writes_ = 0;
  bool reading_ = false;
  /// Jobs that are out, and when one came back last.
  size_t out_ = 0;
  int64_t progressAt_ = 0;
  std::vector<std::unique_ptr<uint8_t[]>> buffers_;

  /// In front of each item in the file.
  struct Head {
    /// Counts the items, so that what an earlier lap left is not taken for a later one.
    uint64_t number;
    uint32_t headBytes, bodyBytes;
    /// CRC32C of all of the item but this.
    uint32_t crc;
    uint32_t prepare;
  };
  static uint32_t crcOf(const Head& head, const Outgoing& item);
  /// The item at the front of the tail: how much of it stands in the file.
  Head outHead_{};
  uint64_t emitted_ = 0;
  uint64_t numberOut_ = 0, numberIn_ = 0;
  /// The item that is being read.
  Head inHead_{};
  Outgoing in_{};
  uint64_t taken_ = 0;
};

}  // namespace understudy
