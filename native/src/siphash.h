// SipHash-2-4 with 128 bits of output (Aumasson, Bernstein): our pseudo-random function and message
// authenticator. Checked against the published vectors. Payloads go through nh.h first.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace understudy {

struct SipKey {
  uint64_t k0 = 0, k1 = 0;
};
struct Tag128 {
  uint64_t low = 0, high = 0;
};

/// Parts are added in order; all but the last must be a multiple of 8 bytes long.
class SipHash {
 public:
  explicit SipHash(const SipKey& key)
      : v0_(key.k0 ^ 0x736f6d6570736575ull),
        v1_(key.k1 ^ 0x646f72616e646f6dull ^ 0xee),
        v2_(key.k0 ^ 0x6c7967656e657261ull),
        v3_(key.k1 ^ 0x7465646279746573ull) {}

  void add(const void* data, size_t length) {
    const uint8_t* at = static_cast<const uint8_t*>(data);
    total_ += length;
    for (; length >= 8; at += 8, length -= 8) {
      uint64_t word;
      memcpy(&word, at, 8);
      absorb(word);
    }
    for (size_t i = 0; i < length; i++) rest_ |= uint64_t{at[i]} << (8 * i);
  }

  Tag128 finish() {
    absorb(rest_ | total_ << 56);
    Tag128 tag;
    v2_ ^= 0xee;
    for (int i = 0; i < 4; i++) round();
    tag.low = v0_ ^ v1_ ^ v2_ ^ v3_;
    v1_ ^= 0xdd;
    for (int i = 0; i < 4; i++) round();
    tag.high = v0_ ^ v1_ ^ v2_ ^ v3_;
    return tag;
  }

 private:
  static uint64_t rotated(uint64_t x, int by) { return (x << by) | (x >> (64 - by)); }
  void round() {
    v0_ += v1_, v2_ += v3_;
    v1_ = rotated(v1_, 13) ^ v0_, v3_ = rotated(v3_, 16) ^ v2_;
    v0_ = rotated(v0_, 32);
    v2_ += v1_, v0_ += v3_;
    v1_ = rotated(v1_, 17) ^ v2_, v3_ = rotated(v3_, 21) ^ v0_;
    v2_ = rotated(v2_, 32);
  }
  void absorb(uint64_t word) {
    v3_ ^= word;
    round();
    round();
    v0_ ^= word;
  }

  uint64_t v0_, v1_, v2_, v3_;
  uint64_t rest_ = 0, total_ = 0;
};

inline Tag128 siphash128(const SipKey& key, const void* data, size_t length) {
  SipHash hash(key);
  hash.add(data, length);
  return hash.finish();
}

/// In constant time, so that a forger learns nothing from how long we take.
inline bool sameTag(const Tag128& a, const Tag128& b) {
  const volatile uint64_t difference = (a.low ^ b.low) | (a.high ^ b.high);
  return difference == 0;
}

}  // namespace understudy
