#include "slots.h"

#include <sys/mman.h>

#include "io.h"

namespace understudy {
namespace {

/// Most memory to pin for registered buffers.
constexpr size_t kRegisteredMax = size_t{16} << 20;
/// Payload beyond this is given back when its slot idles.
constexpr uint32_t kKeptBytes = 64 << 10;

}  // namespace

Slots::Slots(const Layout& layout)
    : layout_(layout),
      slotBytes_(layout.slotBytes),
      arenaBytes_(size_t{layout.slots()} * layout.slotBytes),
      slots_(layout.slots()) {
  void* arena = mmap(nullptr, arenaBytes_, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (arena == MAP_FAILED) throw Failure("NO_MEMORY", "mapping the slots: " + describeErrno(errno));
  arena_ = static_cast<uint8_t*>(arena);
  // Small requests must not make two megabytes resident each; payloads do not belong in core dumps.
  madvise(arena, arenaBytes_, MADV_NOHUGEPAGE);
  madvise(arena, arenaBytes_, MADV_DONTDUMP);
  // But copies of a resync are large, and few: a kernel looks up every page of every operation.
  const size_t copies = size_t{layout.engineSlots} * layout.slotBytes;
  madvise(arena_ + arenaBytes_ - copies, copies, MADV_HUGEPAGE);
  for (uint32_t i = layout.frontSlots; i-- > 0;) freeFront_.push_back(int32_t(i));
  for (uint32_t i = layout.frontSlots + layout.peerSlots; i-- > layout.frontSlots;)
    freePeer_.push_back(int32_t(i));
  for (uint32_t i = layout.frontSlots + layout.peerSlots; i < layout.slots(); i++)
    slots_[i].state = SlotState::Engine;
}

Slots::~Slots() {
  if (!leaked_) munmap(arena_, arenaBytes_);
}

Slot& Slots::engineSlot(int32_t slot) {
  BELIEVE(slot >= 0 && uint32_t(slot) < layout_.slots(), "a decision names a slot of the layout");
  Slot& named = at(slot);
  BELIEVE(named.state == SlotState::Engine, "a decision names a slot that the engine holds");
  return named;
}

int32_t Slots::take(std::vector<int32_t>& pool) {
  if (pool.empty()) return -1;
  const int32_t slot = pool.back();
  pool.pop_back();
  Slot& taken = at(slot);
  BELIEVE(taken.state == SlotState::Free && !taken.busy && taken.sends == 0,
          "a pooled slot is unused");
  taken.state = SlotState::Filling;
  return slot;
}

void Slots::admit(int32_t slot) {
  BELIEVE(at(slot).state == SlotState::Filling, "only a filled slot is handed to the engine");
  at(slot).state = SlotState::Engine;
}

void Slots::abandon(int32_t slot) {
  BELIEVE(at(slot).state == SlotState::Filling, "only a slot being filled can be abandoned");
  at(slot).state = SlotState::Leaving;
  settle(slot);
}

void Slots::beginIo(int32_t slot, uint32_t length) {
  beginUse(slot);
  BELIEVE(length > 0 && length <= slotBytes_, "a disk operation fits its slot");
  touch(slot, length);
}

void Slots::beginUse(int32_t slot) {
  Slot& used = engineSlot(slot);
  BELIEVE(!used.busy, "a slot has one disk operation at a time");
  used.busy = true;
}

void Slots::endIo(int32_t slot) {
  BELIEVE(at(slot).busy, "a disk operation ends once");
  at(slot).busy = false;
  settle(slot);
}

void Slots::dropSend(int32_t slot) {
  BELIEVE(at(slot).sends > 0, "a send refers to its slot until it ends");
  at(slot).sends--;
  settle(slot);
}

void Slots::leave(int32_t slot) {
  engineSlot(slot).state = SlotState::Leaving;
  settle(slot);
}

void Slots::settle(int32_t slot) {
  Slot& candidate = at(slot);
  if (candidate.state != SlotState::Leaving || candidate.busy || candidate.sends != 0) return;
  candidate.state = SlotState::Free;
  candidate.owner = nullptr;
  (isFront(slot) ? freeFront_ : freePeer_).push_back(slot);
  freed_ = true;
}

void Slots::registerWith(Io& io) {
  for (size_t bytes = slotBytes_ < kKeptBytes ? slotBytes_ : kKeptBytes; bytes >= kPageBytes;
       bytes /= 2) {
    const uint32_t count = layout_.frontSlots + layout_.peerSlots;
    if (bytes % kPageBytes != 0 || bytes * count > kRegisteredMax) continue;
    std::vector<iovec> heads;
    for (uint32_t i = 0; i < count; i++) heads.push_back({data(int32_t(i)), bytes});
    if (!io.registerBuffers(heads)) continue;
    registeredBytes_ = uint32_t(bytes);
    return;
  }
}

void Slots::trim() {
  for (uint32_t i = 0; i < slots_.size(); i++) {
    Slot& slot = slots_[i];
    if (slot.state != SlotState::Free || slot.touched <= kKeptBytes) continue;
    madvise(data(int32_t(i)) + kKeptBytes, slotBytes_ - kKeptBytes, MADV_DONTNEED);
    slot.touched = kKeptBytes;
  }
}

}  // namespace understudy
