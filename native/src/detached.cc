// What a peer is sent without an answer, and how what is too much for memory waits in a file.
#include <stdlib.h>

#include <algorithm>

#include "peer.h"

namespace understudy {
namespace {

/// Of what comes back from the file, so much stands ready for the socket.
constexpr uint64_t kReadyBytes = 8 << 20;
constexpr size_t kReadyItems = 1024;
/// A folder in which no file can be made is asked again this much later, or by the next link.
constexpr int64_t kMakeAgainMicros = 60000000;

}  // namespace

Frame writeFrame(const Record& decision) {
  const bool zeroes = (decision.flags & flag::kZero) != 0;
  Frame frame;
  frame.type = FrameType::Write;
  (zeroes ? frame.asked : frame.bodyBytes) = decision.length;
  frame.flags = uint32_t(decision.flags);
  frame.slot = decision.slot;
  frame.offset = uint64_t(decision.offset);
  return frame;
}

void PeerConnection::sendDetached(const Record& decision) {
  const bool zeroes = (decision.flags & flag::kZero) != 0;
  BELIEVE(decision.length > 0 && (zeroes || decision.length <= core_.layout.slotBytes),
          "a write to a peer fits its slot");
  wantSpill();
  const uint8_t* body = zeroes ? nullptr : core_.slots.data(decision.slot);
  const SlotHeader* header = &core_.headers[decision.slot];
  if (diverted() && spill_->full() && core_.slots.isFront(decision.slot)) {
    if (!spill_->waits()) {
      core_.stats.lastRefusal = "spill-slow";
      return giveUp();
    }
    // Not copied: clients wait for the slot.
    core_.slots.holdForSend(decision.slot);
    return queueFrame(writeFrame(decision), body, decision.slot, nullptr, header);
  }
  if (overrun()) return giveUp();
  uint8_t* own = nullptr;
  if (!zeroes) {
    own = static_cast<uint8_t*>(malloc(decision.length));
    // Without memory for it the link is lost, and what was under way on it copied later.
    if (own == nullptr) return giveUp();
    memcpy(own, body, decision.length);
  }
  queueFrame(writeFrame(decision), own, -1, nullptr, header, own);
}

/// A file is made by whoever sends on: others have no use for the room that it takes.
void PeerConnection::wantSpill() {
  if (spill_ != nullptr) return;
  SpillPlace* place = network_.spillPlace(node_);
  if (place == nullptr || !place->life.expired()) return;
  if (place->refusedOn == link_ && core_.now < place->retryAt) return;
  spill_ = std::make_unique<Spill>(core_, place->options, network_.bell_);
  place->life = spill_->life();
}

bool PeerConnection::divert(const Outgoing& item) {
  if (spill_ == nullptr || phase_ != Phase::Up) return false;
  // A sign of life has no place in any order, and must not wait for a disk.
  Frame frame;
  frame.load(item.head);
  if (frame.type == FrameType::Alive) return false;
  return spill_->put(item, queuedBytes(), queued());
}

void PeerConnection::refill() {
  if (spill_ == nullptr) return;
  const uint64_t most = std::min(kReadyBytes, network_.spillPlace(node_)->options.memoryBytes);
  Outgoing item;
  while (queuedBytes() < most && queued() < kReadyItems && spill_->next(item)) enqueue(item);
  spill_->pump();
  // The bell that tells of a failure may ring later than it is seen here.
  if (spill_->state() == Spill::State::Failed) spilled();
}

void PeerConnection::spilled() {
  if (spill_ == nullptr || closing()) return;
  spill_->pump();
  SpillPlace& place = *network_.spillPlace(node_);
  switch (spill_->state()) {
    case Spill::State::Making: return;
    case Spill::State::On:
      place.reason.clear();
      if (spill_->engaged()) announce();
      return;
    case Spill::State::Failed:
      place.reason = spill_->reason();
      if (!spill_->engaged()) {
        place.refusedOn = link_;
        place.retryAt = core_.now + kMakeAgainMicros;
        return spill_.reset();
      }
      place.faults++;
      core_.stats.lastRefusal = "spill";
      return shut();
  }
}

void PeerNetwork::spillTo(const std::vector<SpillWish>& wishes) {
  if (wishes.empty()) return;
  bell_ = std::make_shared<Bell>();
  armBell();
  // Who asks before there is a need learns in time that there is none to be had.
  for (const SpillWish& wish : wishes) {
    SpillPlace& place = spillPlaces_.emplace_back(wish);
    place.probe = std::make_unique<SpillFile>(place.options.folder, place.options.fileBytes, bell_);
    place.life = place.probe->life();
  }
}

void PeerNetwork::armBell() {
  bellArmed_ = true;
  core_.io->awaitEvent(bell_->fd, &bellCount_, tagOf(Tag::Spill, uint64_t{0}));
}

void PeerNetwork::bellRang() {
  bellArmed_ = false;
  if (ending_) return;
  armBell();
  for (SpillPlace& place : spillPlaces_) {
    if (place.probe == nullptr) continue;
    std::deque<SpillJob> made;
    place.probe->take(made);
    if (made.empty()) continue;
    if (made.front().result < 0) place.reason = describeErrno(-made.front().result);
    place.probe.reset();
  }
  for (PeerConnection* connection : connections_) connection->spilled();
}

SpillPlace* PeerNetwork::spillPlace(uint16_t node) {
  for (SpillPlace& place : spillPlaces_)
    if (place.node == node) return &place;
  return nullptr;
}

std::vector<SpillStatus> PeerNetwork::spills() const {
  std::vector<SpillStatus> all;
  for (const SpillPlace& place : spillPlaces_) {
    SpillStatus status{place.node, place.reason.empty() ? "idle" : "off", 0,
                       place.options.fileBytes, place.faults, place.reason};
    for (const PeerConnection* connection : connections_) {
      const Spill* spill = connection->up() && connection->node() == place.node
                               ? connection->spill()
                               : nullptr;
      if (spill == nullptr) continue;
      if (spill->state() == Spill::State::Making) status.state = "making";
      if (spill->state() != Spill::State::On) continue;
      status.state = "on";
      status.bytes = spill->bytes();
    }
    all.push_back(std::move(status));
  }
  return all;
}

}  // namespace understudy
