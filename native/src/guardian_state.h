// The one page that core and guardian share. The core writes until when the watchdog may be petted;
// the guardian writes what it did. One 64-bit word carries deadline and armed flag together, so no
// reader ever sees one without the other.
#pragma once
#include <atomic>
#include <cstdint>

namespace understudy {

constexpr uint64_t kGuardianMagic = 0x31647247'79647473;  // "stdyGrd1"
constexpr uint64_t kGuardianArmed = uint64_t{1} << 63;
constexpr uint32_t kGuardianBytes = 4096;

struct GuardianPage {
  std::atomic<uint64_t> magic;
  /// Core: bit 63 armed, the rest the deadline in microseconds of CLOCK_BOOTTIME.
  std::atomic<uint64_t> word;
  /// Guardian: its process, when it last looked, when it last petted (0 never).
  std::atomic<uint64_t> pid, seenMicros, pettedMicros;
  /// Guardian: the timeout that the device confirmed in milliseconds, 0 without a device.
  std::atomic<uint64_t> timeoutMillis;
  /// Guardian: 1 while the device is open, so that silence resets the host.
  std::atomic<uint64_t> running;
};
static_assert(sizeof(GuardianPage) <= kGuardianBytes);
static_assert(std::atomic<uint64_t>::is_always_lock_free);

}  // namespace understudy
