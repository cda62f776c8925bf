#include "reservation.h"

#include <cerrno>
#include <cstring>
#include <linux/pr.h>
#include <scsi/sg.h>
#include <sys/ioctl.h>

namespace understudy {
namespace {

/// SAM-5 5.3.1.
constexpr int kCheckCondition = 0x02;
/// A path says once that something has changed about it (unit attention), and carries nothing out.
constexpr int kAttempts = 8;
constexpr uint8_t kUnitAttention = 6;
constexpr unsigned kReadMillis = 10000;

/// One try; `attention` when the path only had news.
int readOnce(int fd, ReservationRead what, uint8_t out[kReservationBytes], bool& attention) {
  uint8_t command[10] = {0x5e, uint8_t(what)};
  command[7] = uint8_t(kReservationBytes >> 8);
  command[8] = uint8_t(kReservationBytes & 0xff);
  uint8_t sense[32] = {};
  sg_io_hdr_t request{};
  request.interface_id = 'S';
  request.dxfer_direction = SG_DXFER_FROM_DEV;
  request.cmd_len = sizeof command;
  request.cmdp = command;
  request.mx_sb_len = sizeof sense;
  request.sbp = sense;
  request.dxfer_len = kReservationBytes;
  request.dxferp = out;
  request.timeout = kReadMillis;
  attention = false;
  if (ioctl(fd, SG_IO, &request) != 0) return -(kErrnoFrom + errno);
  if (request.status != 0) {
    // Sense data of either format have the key in another byte (SPC-4 4.5).
    const uint8_t key = (sense[0] & 0x7f) >= 0x72 ? sense[1] & 0xf : sense[2] & 0xf;
    const bool sensed = request.status == kCheckCondition && request.sb_len_wr > 2;
    attention = sensed && key == kUnitAttention;
    return -(int(request.status) | (sensed ? int(key) << 8 : 0));
  }
  if (request.host_status != 0 || (request.driver_status & 0xf) != 0)
    return -(kErrnoFrom + EIO);
  if (request.resid < 0 || request.resid > int(kReservationBytes)) return -(kErrnoFrom + EPROTO);
  return int(kReservationBytes) - request.resid;
}

/// No key in place of one is none.
int registerKey(int fd, uint64_t before, uint64_t after, uint32_t flags) {
  pr_registration order{};
  order.old_key = before;
  order.new_key = after;
  order.flags = flags;
  return ioctl(fd, IOC_PR_REGISTER, &order);
}

int changeOnce(int fd, ReservationChange change, uint64_t key, uint64_t victim) {
  switch (change) {
    case ReservationChange::Register:
      return registerKey(fd, 0, key, PR_FL_IGNORE_KEY);
    case ReservationChange::Release:
      return registerKey(fd, key, 0, 0);
    case ReservationChange::Reserve: {
      pr_reservation order{};
      order.key = key;
      order.type = PR_WRITE_EXCLUSIVE_REG_ONLY;
      return ioctl(fd, IOC_PR_RESERVE, &order);
    }
    case ReservationChange::Preempt: {
      pr_preempt order{};
      // For SCSI and NVMe the kernel takes `old_key` as the caller's own and `new_key` as the one
      // that goes, whatever its documentation calls them (drivers/scsi/sd.c, sd_pr_preempt).
      order.old_key = key;
      order.new_key = victim;
      order.type = PR_WRITE_EXCLUSIVE_REG_ONLY;
      return ioctl(fd, IOC_PR_PREEMPT_ABORT, &order);
    }
  }
  return -1;
}

}  // namespace

int changeReservation(int fd, ReservationChange change, uint64_t key, uint64_t victim) {
  int result = 0;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    errno = 0;
    result = changeOnce(fd, change, key, victim);
    if (result < 0) return -errno;
    if (result == 0) return 0;
    // Some kernels give the whole result of the command, whose low byte is the status; a path that
    // failed is told above it, by all of them (linux/pr.h, pr_status).
    const int status = result & 0xff;
    if (status == 0) return -ENOLINK;
    result = status;
    if (status != kCheckCondition) break;
  }
  return result;
}

int readReservation(int fd, ReservationRead what, uint8_t out[kReservationBytes]) {
  memset(out, 0, kReservationBytes);
  int result = 0;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    bool attention = false;
    result = readOnce(fd, what, out, attention);
    if (!attention) break;
  }
  return result;
}

}  // namespace understudy
