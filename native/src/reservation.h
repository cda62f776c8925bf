// Persistent reservations of a disk that several hosts see: one order at a time, which blocks until
// the disk has answered. Tables are read by the SCSI command itself, for which old kernels have no
// call of their own; changes are the kernel's (linux/pr.h).
#pragma once
#include <cstdint>

namespace understudy {

/// Numbers of engine/ports/reservation.ts's changes, for the addon's own surface.
enum class ReservationChange : uint32_t { Register = 1, Reserve = 2, Preempt = 3, Release = 4 };

/// What a table is read for: SPC-4 6.15, PERSISTENT RESERVE IN service actions.
enum class ReservationRead : uint32_t { Keys = 0, Holder = 1 };

/// Room for an answer of PERSISTENT RESERVE IN: 8190 keys, and its length fits the command.
constexpr uint32_t kReservationBytes = 65528;

/// An errno in an answer stands above every SCSI status with its sense key.
constexpr int kErrnoFrom = 0x10000;

/// 0 when it is done, the SCSI status (SAM-5 5.3.1) where the disk refused, -errno where the kernel
/// did or the path failed. Tried again where the path only had news (unit attention).
int changeReservation(int fd, ReservationChange change, uint64_t key, uint64_t victim);

/// Bytes in `out`; or less than 0: -(status | sense key << 8), or -(kErrnoFrom + errno).
int readReservation(int fd, ReservationRead what, uint8_t out[kReservationBytes]);

}  // namespace understudy
