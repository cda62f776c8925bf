// The digest of a range of a volume, by which two hosts see that they have the same without sending
// it: SipHash-2-4 with 128 bits under a key that everybody knows, over where the range is, how long
// it is and what it holds. So an answer for another range is never taken for equal. It guards
// against disks, not against people: who chooses blocks freely may find two with one digest.
#pragma once
#include "siphash.h"

namespace understudy {

/// "understudy.digst", little-endian.
constexpr SipKey kDigestKey{0x7574737265646e75ull, 0x74736769642e7964ull};

inline Tag128 rangeDigest(uint64_t offset, const void* data, uint32_t length) {
  const uint64_t range[2] = {offset, length};
  SipHash hash(kDigestKey);
  hash.add(range, sizeof range);
  hash.add(data, length);
  return hash.finish();
}

}  // namespace understudy
