// The payload buffers and who may touch them. A slot goes back to its pool only when the engine has
// let go of it and neither a disk operation nor a send refers to it; everything else is a broken
// belief and stops the process.
#pragma once
#include <vector>

#include "abi.h"
#include "base.h"

namespace understudy {

class Io;

enum class SlotState : uint8_t {
  Free,     ///< In its pool.
  Filling,  ///< A connection receives into it.
  Engine,   ///< The engine was told of it and may name it.
  Leaving,  ///< The engine let go; disk or sends still refer to it.
};

struct Slot {
  SlotState state = SlotState::Free;
  bool busy = false;      ///< One disk operation refers to it.
  uint16_t sends = 0;     ///< Queued or running sends that refer to it.
  uint8_t kind = 0;       ///< Front slots: the request's NBD command.
  uint32_t length = 0;    ///< Front slots: the request's length.
  uint32_t touched = 0;   ///< Payload bytes that may be backed by memory.
  uint64_t cookie = 0;    ///< Front slots: the client's handle.
  uint64_t next = 0;      ///< Front slots, of zeroes: where the next piece begins.
  uint32_t left = 0;      ///< Front slots, of zeroes: bytes that are yet to be asked for.
  int32_t flags = 0;      ///< Front slots: what the request asks beside its kind.
  bool isLong = false;    ///< Front slots: of zeroes, longer than a slot.
  void* owner = nullptr;  ///< Front slots: the connection.
};

class Slots {
 public:
  explicit Slots(const Layout& layout);
  ~Slots();
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;

  uint8_t* data(int32_t slot) { return arena_ + size_t(slot) * slotBytes_; }
  Slot& at(int32_t slot) { return slots_[size_t(slot)]; }
  bool isFront(int32_t slot) const { return slot >= 0 && uint32_t(slot) < layout_.frontSlots; }
  bool isPeer(int32_t slot) const {
    return slot >= int32_t(layout_.frontSlots) &&
           uint32_t(slot) < layout_.frontSlots + layout_.peerSlots;
  }
  /// The slot, which the engine may name now.
  Slot& engineSlot(int32_t slot);

  /// A free slot in state Filling, or -1.
  int32_t takeFront() { return take(freeFront_); }
  int32_t takePeer() { return take(freePeer_); }
  uint32_t freeFront() const { return uint32_t(freeFront_.size()); }

  void admit(int32_t slot);
  /// The connection that was filling it is gone.
  void abandon(int32_t slot);
  void beginIo(int32_t slot, uint32_t length);
  /// A disk operation that names the slot and does not touch its payload.
  void beginUse(int32_t slot);
  void endIo(int32_t slot);
  void holdForSend(int32_t slot) { at(slot).sends++; }
  void dropSend(int32_t slot);
  /// The engine lets go.
  void leave(int32_t slot);
  /// Payload up to `length` bytes was or will be written into the slot's memory.
  void touch(int32_t slot, uint32_t length) {
    if (length > at(slot).touched) at(slot).touched = length;
  }

  /// Whether a slot came free since the last call: stalled connections may go on.
  bool takeFreed() {
    const bool freed = freed_;
    freed_ = false;
    return freed;
  }

  /// Registers the first bytes of every slot that brings requests, as far as limits allow;
  /// registering pins memory, so the whole arena would count against a host's memory even when
  /// idle, and so would the engine's slots, whose pages are large.
  void registerWith(Io& io);
  int registeredIndex(int32_t slot, uint32_t end) const {
    const bool brought = isFront(slot) || isPeer(slot);
    return brought && end <= registeredBytes_ ? slot : -1;
  }
  uint32_t registeredBytes() const { return registeredBytes_; }

  /// Gives memory behind the large payloads of idle slots back to the system.
  void trim();
  /// The kernel may still write into the arena: never unmap it.
  void leak() { leaked_ = true; }

 private:
  int32_t take(std::vector<int32_t>& pool);
  void settle(int32_t slot);

  Layout layout_;
  size_t slotBytes_, arenaBytes_;
  uint8_t* arena_;
  std::vector<Slot> slots_;
  std::vector<int32_t> freeFront_, freePeer_;
  uint32_t registeredBytes_ = 0;
  bool freed_ = false, leaked_ = false;
};

}  // namespace understudy
