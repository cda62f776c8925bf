// The secrets of one replication connection, and the bytes of its wire (version 3).
//
// Integers are little-endian.
//
// Hello, both ways at once:
//   8 magic "UNDRSTDY", u16 bytes that follow, u16 lowest and u16 highest wire version, u16 node,
//   u16 zero, 16 volume, 16 nonce, u32 slot bytes, u32 block bytes, u64 volume bytes; what later
//   versions add behind is ignored, but authenticated.
//
// Proof, the connector's first, then the listener's:
//   16 bytes F(key, label, connector's hello, listener's hello)
//
// Frame:
//   record: u32 body bytes, u8 type, u8[3] zero, u32 flags, i32 slot, u64 offset, i32 status,
//   u32 bytes meant, where no body tells (reads, and writes of zeroes);
//   16 tag, 64 slot header (writes, reads and their answers), body;
//   tag: SipHash-2-4-128 under the direction's key of u64 frame counter, record, header, and
//   the body's NH sums (nh.h) under the direction's payload key.
//
// Version 2 added reads and their answers (Read, Data), version 3 writes of zeroes without a body,
// and the flag of a read and its answer by which a digest is asked for: that answer has no body,
// and the digest in its header. Nothing older was ever released, so nothing older is spoken.
//
// Where the flags of a read say that it is for a copy as well, its digest is under the key
// F(key, "digests.", connector's hello, listener's hello): who writes chosen blocks knows no such
// key before the link is there, so that no two of them were chosen to have one digest.
//
// F is SipHash under each half of the 32-byte cluster key, over a number for the half and the
// message, the two results xored: a pseudo-random function as long as either half is secret. The
// number matters: without it equal halves cancelled each other out, and anybody was admitted.
// Nonces are fresh on both sides, so a recorded session proves nothing in another one; labels keep
// roles and directions apart; the counter keeps frames in their place.
#pragma once
#include <sys/random.h>

#include <vector>

#include "abi.h"
#include "base.h"
#include "nh.h"
#include "siphash.h"

namespace understudy {

constexpr uint16_t kWireMin = 3, kWireMax = 3;
constexpr uint32_t kHelloPrefix = 10, kHelloBody = 56, kHelloBodyMax = 1024;
constexpr uint32_t kProofBytes = 16, kWireRecord = 32, kWireTag = 16;
constexpr char kHelloMagic[] = "UNDRSTDY";

enum class FrameType : uint8_t { Write = 1, Ack = 2, Message = 3, Alive = 4, Read = 5, Data = 6 };

struct Frame {
  uint32_t bodyBytes = 0;
  FrameType type = FrameType::Alive;
  uint32_t flags = 0;
  int32_t slot = 0;
  uint64_t offset = 0;
  int32_t status = 0;
  uint32_t asked = 0;

  /// Whether a slot header goes between tag and body.
  bool bulk() const {
    return type == FrameType::Write || type == FrameType::Read || type == FrameType::Data;
  }

  /// Whether it is a write that has no body.
  bool zeroes() const {
    return type == FrameType::Write && (flags & uint32_t{flag::kZero}) != 0;
  }

  void store(uint8_t* at) const {
    storeLe(at, bodyBytes);
    storeLe(at + 4, uint32_t{static_cast<uint8_t>(type)});
    storeLe(at + 8, flags);
    storeLe(at + 12, slot);
    storeLe(at + 16, offset);
    storeLe(at + 24, status);
    storeLe(at + 28, asked);
  }
  void load(const uint8_t* at) {
    bodyBytes = loadLe<uint32_t>(at);
    type = static_cast<FrameType>(at[4]);
    flags = loadLe<uint32_t>(at + 8);
    slot = loadLe<int32_t>(at + 12);
    offset = loadLe<uint64_t>(at + 16);
    status = loadLe<int32_t>(at + 24);
    asked = loadLe<uint32_t>(at + 28);
  }
};

struct ClusterKey {
  uint8_t bytes[32] = {};
  bool present = false;
  ~ClusterKey() { wipe(bytes, sizeof bytes); }
};

struct Identity {
  uint16_t node = 0;
  uint8_t volume[16] = {};
  uint32_t slotBytes = 0, blockBytes = 0;
  uint64_t sizeBytes = 0;
};

class Session {
 public:
  ~Session() {
    wipe(&sendKey_, sizeof sendKey_);
    wipe(&receiveKey_, sizeof receiveKey_);
    wipe(&sendPayload_, sizeof sendPayload_);
    wipe(&receivePayload_, sizeof receivePayload_);
    wipe(&copyKey_, sizeof copyKey_);
  }

  /// A fresh hello of ours.
  static std::vector<uint8_t> makeHello(const Identity& identity) {
    std::vector<uint8_t> hello(kHelloPrefix + kHelloBody);
    uint8_t* at = hello.data();
    memcpy(at, kHelloMagic, 8);
    storeLe<uint16_t>(at + 8, kHelloBody);
    storeLe<uint16_t>(at + 10, kWireMin);
    storeLe<uint16_t>(at + 12, kWireMax);
    storeLe<uint16_t>(at + 14, identity.node);
    memcpy(at + 18, identity.volume, 16);
    BELIEVE(getrandom(at + 34, 16, 0) == 16, "the kernel has random bytes");
    storeLe(at + 50, identity.slotBytes);
    storeLe(at + 54, identity.blockBytes);
    storeLe(at + 58, identity.sizeBytes);
    return hello;
  }

  void derive(const ClusterKey& key, const std::vector<uint8_t>& connector,
              const std::vector<uint8_t>& listener, bool connecting) {
    const Tag128 forward = function(key, "data-c>l", connector, listener);
    const Tag128 backward = function(key, "data-l>c", connector, listener);
    const SipKey out{forward.low, forward.high}, in{backward.low, backward.high};
    sendKey_ = connecting ? out : in;
    receiveKey_ = connecting ? in : out;
    const Tag128 there = function(key, "body-c>l", connector, listener);
    const Tag128 back = function(key, "body-l>c", connector, listener);
    sendPayload_.expand(connecting ? SipKey{there.low, there.high} : SipKey{back.low, back.high});
    receivePayload_.expand(connecting ? SipKey{back.low, back.high}
                                      : SipKey{there.low, there.high});
    ourProof_ = function(key, connecting ? "proof-c." : "proof-l.", connector, listener);
    theirProof_ = function(key, connecting ? "proof-l." : "proof-c.", connector, listener);
    const Tag128 digests = function(key, "digests.", connector, listener);
    copyKey_ = {digests.low, digests.high};
  }

  /// Of digests by which a copy is spared: the same at both ends, another one on each link.
  const SipKey& copyKey() const { return copyKey_; }

  void storeProof(uint8_t* at) const { memcpy(at, &ourProof_, kProofBytes); }
  bool proves(const uint8_t* at) const {
    Tag128 claimed;
    memcpy(&claimed, at, kProofBytes);
    return sameTag(claimed, theirProof_);
  }

  /// `headerBytes` is 0 or 64; a header of a frame with a body is given the body's checksum.
  void seal(uint8_t* tag, const uint8_t* record, uint8_t* header, uint32_t headerBytes,
            const void* body, uint32_t bodyBytes) {
    const uint32_t crc = sendPayload_.sums(body, bodyBytes, sums_);
    if (headerBytes > 0) memcpy(header + offsetof(SlotHeader, checksum), &crc, sizeof crc);
    const Tag128 made = mac(sendKey_, sent_++, record, header, headerBytes);
    memcpy(tag, &made, kWireTag);
  }
  /// `crc` is given the checksum of the body.
  bool opens(const uint8_t* tag, const uint8_t* record, const uint8_t* header, uint32_t headerBytes,
             const void* body, uint32_t bodyBytes, uint32_t* crc) {
    Tag128 claimed;
    memcpy(&claimed, tag, kWireTag);
    *crc = receivePayload_.sums(body, bodyBytes, sums_);
    return sameTag(claimed, mac(receiveKey_, received_++, record, header, headerBytes));
  }

 private:
  static Tag128 function(const ClusterKey& key, const char* label,
                         const std::vector<uint8_t>& connector,
                         const std::vector<uint8_t>& listener) {
    Tag128 sum;
    for (uint64_t half = 0; half < 2; half++) {
      SipKey part;
      memcpy(&part, key.bytes + 16 * half, 16);
      SipHash hash(part);
      hash.add(&half, sizeof half);
      hash.add(label, 8);
      // One piece: only the last that is added may have any length.
      std::vector<uint8_t> hellos(connector);
      hellos.insert(hellos.end(), listener.begin(), listener.end());
      hash.add(hellos.data(), hellos.size());
      const Tag128 tag = hash.finish();
      sum.low ^= tag.low;
      sum.high ^= tag.high;
      wipe(&part, sizeof part);
    }
    return sum;
  }

  /// The record holds the body's length, which its sums leave out.
  Tag128 mac(const SipKey& key, uint64_t counter, const uint8_t* record, const uint8_t* header,
             uint32_t headerBytes) const {
    SipHash hash(key);
    hash.add(&counter, sizeof counter);
    hash.add(record, kWireRecord);
    hash.add(header, headerBytes);
    hash.add(sums_.data(), sums_.size() * sizeof(uint64_t));
    return hash.finish();
  }

  SipKey sendKey_, receiveKey_, copyKey_;
  PayloadKey sendPayload_, receivePayload_;
  Tag128 ourProof_, theirProof_;
  uint64_t sent_ = 0, received_ = 0;
  /// Of the body in hand.
  std::vector<uint64_t> sums_;
};

}  // namespace understudy
