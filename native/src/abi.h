// The record interface between a data actor and the reactor: engine/data/abi.ts in C++.
// A test compares every constant (see abiTable in addon.cc). Says nothing of its own.
#pragma once
#include <cstddef>
#include <cstdint>

namespace understudy {

constexpr int32_t kAbiVersion = 6;
constexpr uint32_t kRecordBytes = 32;
constexpr uint32_t kHeaderBytes = 64;
constexpr uint32_t kPageBytes = 4096;

namespace event {
constexpr int32_t kReqRead = 1, kReqWrite = 2, kReqFlush = 3;
constexpr int32_t kLocalDone = 10, kFlushDone = 11, kMetaDone = 12;
constexpr int32_t kPeerWrite = 13, kPeerAck = 14, kPeerMessage = 15;
constexpr int32_t kLinkUp = 16, kLinkDown = 17, kTimer = 18, kControl = 19;
constexpr int32_t kPeerRead = 20, kPeerData = 21;
}  // namespace event

namespace decision {
constexpr int32_t kLocalRead = 1, kLocalWrite = 2, kLocalFlush = 3;
constexpr int32_t kMetaRead = 4, kMetaWrite = 5;
constexpr int32_t kPeerWrite = 6, kPeerAck = 7, kPeerMessage = 8;
constexpr int32_t kComplete = 9, kFree = 10, kLinkClose = 11, kArmTimer = 12, kReport = 13;
constexpr int32_t kPeerRead = 14, kPeerData = 15;
}  // namespace decision

namespace flag {
constexpr int32_t kFua = 1, kResync = 2, kCheck = 4, kZero = 8, kUnmap = 16, kDigest = 32;
constexpr int32_t kSums = 64, kLost = 128, kPart = 256, kSide = 512;
constexpr int32_t kReceipt = 1024, kDetached = 2048;
}  // namespace flag

namespace status {
constexpr int32_t kOk = 0, kIo = 5, kGone = 6, kInvalid = 22, kMedium = 61, kDiffers = 74;
constexpr int32_t kProtection = 84, kFenced = 108, kStaleEpoch = 116;
}  // namespace status

/// One event or decision, little-endian in memory shared with JavaScript.
struct Record {
  int32_t op;
  int32_t slot;
  int32_t link;
  int32_t flags;
  double offset;
  uint32_t length;
  int32_t status;
};
static_assert(sizeof(Record) == kRecordBytes);

/// The header of a slot; the engine writes the first four fields, the backend the others.
struct SlotHeader {
  double epoch;
  double sequence;
  double generation;
  double request;
  uint8_t digest[16];
  uint32_t checksum;
  uint8_t reserved[12];
};
static_assert(sizeof(SlotHeader) == kHeaderBytes);
static_assert(offsetof(SlotHeader, digest) == 32 && offsetof(SlotHeader, checksum) == 48);

/// Sizes agreed between an actor and its backend.
struct Layout {
  uint32_t events = 0, decisions = 0;
  uint32_t frontSlots = 0, peerSlots = 0, engineSlots = 0;
  uint32_t slotBytes = 0;
  uint32_t inPages = 0, outPages = 0;

  uint32_t slots() const { return frontSlots + peerSlots + engineSlots; }
};

/// Where each part of the shared memory begins.
struct Offsets {
  size_t events, decisions, headers, inPages, outPages, total;
};

constexpr Offsets offsetsOf(const Layout& layout) {
  Offsets at{};
  at.events = 0;
  at.decisions = at.events + size_t{layout.events} * kRecordBytes;
  at.headers = at.decisions + size_t{layout.decisions} * kRecordBytes;
  const size_t headersEnd =
      at.headers +
      (size_t{layout.frontSlots} + layout.peerSlots + layout.engineSlots) * kHeaderBytes;
  at.inPages = (headersEnd + kPageBytes - 1) / kPageBytes * kPageBytes;
  at.outPages = at.inPages + size_t{layout.inPages} * kPageBytes;
  at.total = at.outPages + size_t{layout.outPages} * kPageBytes;
  return at;
}

}  // namespace understudy
