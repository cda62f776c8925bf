// One connection: receives into a bounded buffer or straight into a slot, sends everything queued
// in one gathered call at a time. Knows no protocol. Between `shut` and `gone` it holds nothing but
// its descriptor; it is deleted only when the kernel has let go of its memory.
#pragma once
#include <deque>
#include <vector>

#include "core.h"

namespace understudy {

/// One thing to send: a head, and perhaps a body that stays where it is until it is sent.
struct Outgoing {
  uint8_t head[112];
  uint32_t headBytes;
  uint32_t bodyBytes;
  const uint8_t* body;
  /// Slot whose send reference ends with this, or -1.
  int32_t slot;
  /// Page to give back afterwards, or null.
  uint8_t* page;
  /// Memory of the item's own, freed afterwards, or null.
  uint8_t* own;
  /// Whether Stream::prepare is to be called just before it is sent.
  bool prepare;
};

/// Gives back what an item holds: it is sent, or never will be.
void release(Core& core, Outgoing& item);

class Stream {
 public:
  explicit Stream(Core& core) : core_(core) {}
  virtual ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void received(int32_t result);
  void sent(int32_t result);
  /// Starts a send when something is queued and none is running.
  void flush();
  /// After a stall: parses on.
  void resume();
  /// Ends the connection now; queued things are dropped.
  void shut();
  bool closing() const { return closing_; }
  /// Nothing of it is with the kernel.
  virtual bool drained() const { return !receiving_ && !sending_; }
  /// Closes the descriptor of a drained stream and tells the protocol.
  void finish();
  /// Whether it may be deleted.
  virtual bool deletable() const { return finished_; }

 protected:
  enum class Parsed { Progress, NeedBytes, Stalled };

  /// Parses one thing from `bytes()`/`available()`; calls consume() or expectBody().
  virtual Parsed parse() = 0;
  /// The body asked for by expectBody is complete.
  virtual void bodyArrived() = 0;
  /// The connection is closed for good.
  virtual void gone() = 0;
  /// Last touch before an item that asks for it is sent, in sending order.
  virtual void prepare(Outgoing&) {}
  /// Bytes came in.
  virtual void heard() {}
  /// Everything queued was sent.
  virtual void quiet() {}
  /// Whether somebody else keeps the item until it is its turn, and gives it to refill() then.
  virtual bool divert(const Outgoing&) { return false; }
  /// Before a send: enqueues what was diverted and is due.
  virtual void refill() {}
  /// Whether anything is diverted.
  virtual bool diverted() const { return false; }

  void adopt(int fd) { fd_ = fd; }
  void begin() { pump(); }
  const uint8_t* bytes() const { return buffer_.get() + head_; }
  uint32_t available() const { return tail_ - head_; }
  void consume(uint32_t count) { head_ += count; }
  /// The next `count` bytes go to `target`, or nowhere when it is null.
  void expectBody(uint8_t* target, uint32_t count) {
    body_ = target;
    bodyLeft_ = count;
  }
  bool inBody() const { return bodyLeft_ > 0; }
  void queue(const Outgoing& item);
  bool idle() const { return !sending_ && waiting_.empty(); }
  size_t queued() const { return waiting_.size(); }
  /// Payload of what is queued.
  uint64_t queuedBytes() const { return waitingBytes_; }
  /// Puts the item behind what is in memory; somebody sees to it that it is sent.
  void enqueue(const Outgoing& item) {
    waiting_.push_back(item);
    waitingBytes_ += item.bodyBytes;
  }
  /// Has the reactor send in this turn.
  void announce();
  /// Stops receiving for good, and ends the connection once everything queued is sent.
  void shutWhenSent();
  bool stopped() const { return stopped_; }

  Core& core_;
  int fd_ = -1;
  int64_t heardAt_ = 0, progressAt_ = 0;
  bool stalled_ = false;

 private:
  void pump();
  void receiveMore();
  void submitSend();

  std::unique_ptr<uint8_t[]> buffer_;
  uint32_t head_ = 0, tail_ = 0;
  uint8_t* body_ = nullptr;
  uint32_t bodyLeft_ = 0;
  bool receiving_ = false, receivingBody_ = false, sending_ = false, listed_ = false;
  bool closing_ = false, finished_ = false, stopped_ = false;
  /// Bodies are large: receive heads sparingly, so that bodies land in their slots uncopied.
  bool largeBodies_ = false;
  std::deque<Outgoing> waiting_;
  uint64_t waitingBytes_ = 0;
  std::vector<Outgoing> flying_;
  std::vector<iovec> vectors_;
  size_t nextVector_ = 0;
  msghdr message_{};
};

}  // namespace understudy
