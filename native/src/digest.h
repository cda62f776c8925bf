// The digest of a range of a volume, by which two hosts see that they have the same without sending
// it: SipHash-2-4 with 128 bits, over where the range is, how long it is and what it holds. So an
// answer for another range is never taken for equal. Comparisons take a key that everybody knows:
// they guard against disks, not against people, for who chooses blocks freely may find two with one
// digest. Where a copy is spared that would part the replicas; there the key is the link's own.
#pragma once
#include "siphash.h"

namespace understudy {

/// Of comparisons: "understudy.digst", little-endian.
constexpr SipKey kDigestKey{0x7574737265646e75ull, 0x74736769642e7964ull};

inline Tag128 rangeDigest(const SipKey& key, uint64_t offset, const void* data, uint32_t length) {
  const uint64_t range[2] = {offset, length};
  SipHash hash(key);
  hash.add(range, sizeof range);
  hash.add(data, length);
  return hash.finish();
}

}  // namespace understudy
